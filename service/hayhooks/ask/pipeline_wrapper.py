"""
Excerpt for Hayhooks: `HAYHOOKS_PIPELINES_DIR=service/hayhooks hayhooks run` serves POST /ask/run.

Which pipelines: EXCERPT_PIPELINES ("embedded", "elasticsearch" or a folder), and whatever their YAML names. There are
no keys and no permissions in plain Hayhooks; `excerpt serve` has them, and calls this wrapper with the caller's.
"""

import asyncio
import os
import time
from typing import Any

from hayhooks import BasePipelineWrapper, log

from pipelines.answers import answers_json
from service.access.caller import current_caller
from service.answering import Asked, answer_questions
from service.engine import Engine, load_engine
from service.service import current_service

TIMEOUT = 60.0


class PipelineWrapper(BasePipelineWrapper):
    """Takes part in the running service if there is one; else loads the pipelines itself."""

    def setup(self) -> None:
        self.service = current_service()
        self.engine: Engine = (
            self.service.engine if self.service else load_engine(os.environ.get("EXCERPT_PIPELINES", "embedded"))
        )
        self.pipeline = self.engine.ask.pipeline
        if self.service is None:
            log.info("warming up")
            self.engine.warm_up()

    async def run_api_async(
        self, question: str, top_k: int = 3, filters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """
        Answer a question with the exact words of the documents.

        :param question: The question.
        :param top_k: Answers at most.
        :param filters: In Haystack's syntax.
        """
        deadline = time.monotonic() + TIMEOUT
        caller = current_caller.get()
        if self.service is not None and caller is not None:
            asked = Asked(caller, "", deadline, "hayhooks")
            results, _ = await answer_questions(self.service, asked, [question], top_k=top_k, filters=filters)
            return results[0]
        async with asyncio.timeout(TIMEOUT):
            answered = await self.engine.answer(question, filters=filters, top_k=top_k, deadline=deadline)
        return answers_json(question, answered.answers)
