"""Pipelines take an exam: what each answered to every question, and how long it took."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluation.exam.file import Exam, ExamQuestion
from evaluation.exam.unanswerable import hiding
from evaluation.squad import score_question
from pipelines.answers import abstained

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

AT_ONCE = 16


@dataclass(frozen=True)
class Sat:
    """
    What came of one question.

    :param answer: the best one, "" where the pipeline found none; `shown` is "" also where it abstained.
    :param found: whether the gold passage, or another with the answer's words from the same file, was retrieved; None
        where there is no answer, or the pipeline shows no retriever.
    :param seconds: from the question to its answer, with others under way.
    """

    question: ExamQuestion
    answer: str
    probability: float
    abstained: bool
    found: bool | None
    seconds: float

    @property
    def shown(self) -> str:
        """The answer that a user relies on: none where the pipeline abstained."""
        return "" if self.abstained else self.answer

    @property
    def scores(self) -> tuple[float, float]:
        """Exact match and F1, 0 to 1, as SQuAD 2.0's: with no answer, 1 for abstaining."""
        exact, f1 = score_question(self.shown, [self.question.answer] if self.question.answerable else [])
        return float(exact), f1


def take(exam: Exam, loaded: "LoadedPipeline", advance: Callable[[int], None] = lambda done: None) -> list[Sat]:
    """Ask every question of the exam, several at the same time."""
    for _, part in loaded.pipeline.walk():
        if hasattr(part, "warm_up"):
            part.warm_up()
    return asyncio.run(_take(exam, loaded, advance))


async def _take(exam: Exam, loaded: "LoadedPipeline", advance: Callable[[int], None]) -> list[Sat]:
    gate = asyncio.Semaphore(AT_ONCE)
    retriever = next((name for name, part in loaded.pipeline.walk() if _retrieves(part)), None)
    outputs = {socket.partition(".")[0] for socket in loaded.outputs.values()} | ({retriever} if retriever else set())

    async def one(question: ExamQuestion) -> Sat:
        async with gate:
            began = time.perf_counter()
            filters = hiding(question.left_out) if question.left_out else None
            data = loaded.data({"query": question.question, "filters": filters})
            result = await loaded.pipeline.run_async(data, include_outputs_from=outputs)
            seconds = time.perf_counter() - began
        advance(1)
        answers = loaded.results(result)["answers"]
        best: Any = next((answer for answer in answers if answer.data is not None), None)
        score = 0.0 if best is None else getattr(best, "score", None)
        score = best.meta.get("score", 0.0) if score is None else score
        documents = result.get(retriever, {}).get("documents") if retriever else None
        return Sat(
            question,
            "" if best is None else str(best.data),
            float(score),
            abstained(answers),
            _found(question, documents),
            seconds,
        )

    return list(await asyncio.gather(*(one(question) for question in exam.questions)))


def _retrieves(part: Any) -> bool:
    return type(part).__name__.endswith("Retriever")


def _found(question: ExamQuestion, documents: list[Any] | None) -> bool | None:
    if documents is None or not question.answerable:
        return None
    return any(
        document.id == question.document_id
        or (document.meta.get("file_path") == question.source and question.answer in (document.content or ""))
        for document in documents
    )
