"""Questions over a whole collection: indexed, asked many at a time, judged."""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.open_compare import compare_readers
from evaluation.open_index import Progress, indexed, paragraphs_of
from evaluation.open_outcome import Asked, figures, lost
from evaluation.squad import SquadQuestion, read_questions

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

AT_ONCE = 32  # questions under way together
_CANDIDATES = 50  # answers the reader is asked for, to see whether the right one was among them


def evaluate_open(
    file: str | Path,
    progress: Progress,
    corpus: Sequence[str | Path] = (),
    pipelines: str = "embedded",
    limit: int | None = None,
    passages: int = 20,
    compare: int = 0,
    cache: Path | None = None,
    seed: int | None = 0,
) -> dict[str, Any]:
    """
    Index all paragraphs of the files, ask the questions of one of them over the whole, and judge the answers.

    Every question counts with its best answer however improbable; how often the reader would have withheld a right or a
    wrong one is told apart. Unanswerable questions (SQuAD 2.0) are left out: the collection may well answer them.

    :param file: Questions in SQuAD's format.
    :param progress: Shows progress, as `cli.terminal.progress.progress`.
    :param corpus: More files whose paragraphs are indexed.
    :param pipelines: The set, or folder, of pipelines that indexes and answers.
    :param limit: Only so many questions: a sample by `seed`, or the first ones where `seed` is None.
    :param passages: How many are retrieved and read for a question.
    :param compare: So many of the questions are also read by `TransformersExtractiveReader`: same weights, and
        the same passages. It is slow.
    :param cache: Where indexes are kept between runs; by default `~/.cache/excerpt/evaluation`.
    :returns: `figures` in percent, `lost` (counts), `seconds_a_question`, and with `compare` the same figures of both
        readers over the questions compared.
    :raises ValueError: When a file is not in SQuAD's format, or the pipelines lack a component.
    """
    from pipelines.loader import load_pipeline

    asked_file = read_questions(file)[0]
    everything = [*asked_file, *(one for other in corpus for one in read_questions(other)[0])]
    questions = _sample([one for one in asked_file if one.answers], limit, seed)
    cache = cache if cache is not None else Path("~/.cache/excerpt/evaluation").expanduser()
    environment = indexed(paragraphs_of(everything), pipelines, cache, progress)
    loaded = load_pipeline("ask", pipelines, environment)
    for _, part in loaded.pipeline.walk():
        if hasattr(part, "warm_up"):
            part.warm_up()
    with progress("Asking", len(questions), "questions") as advance:
        began = time.perf_counter()
        asked = asyncio.run(_ask(loaded, questions, passages, advance))
        seconds = time.perf_counter() - began
    result: dict[str, Any] = {
        "questions": len(questions),
        "paragraphs": len({one.context for one in everything}),
        "passages": passages,
        "figures": figures(asked),
        "lost": lost(asked),
        "seconds_a_question": seconds / len(questions),
    }
    if compare:
        result["compare"] = compare_readers(loaded, asked[:compare], progress)
    return result


async def _ask(
    loaded: "LoadedPipeline", questions: Sequence[SquadQuestion], passages: int, advance: Any
) -> list[Asked]:
    """Ask all questions, a bounded number at the same time, as a server with many users would."""
    names = {type(part).__name__: name for name, part in loaded.pipeline.walk()}
    for kind in ("HybridRetriever", "ExtractiveReader"):
        if kind not in names:
            raise ValueError(f"{loaded.path}: has no {kind}, whose results this evaluation looks at")
    retriever, reader = names["HybridRetriever"], names["ExtractiveReader"]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(question: SquadQuestion) -> Asked:
        async with gate:
            data = loaded.data({"query": question.question})
            data.setdefault(retriever, {})["top_k"] = passages
            data.setdefault(reader, {})["top_k"] = _CANDIDATES
            result = await loaded.pipeline.run_async(data, include_outputs_from={retriever, reader})
        advance(1)
        answers = result[reader]["answers"]
        none = next((answer for answer in answers if answer.data is None), None)
        return Asked(
            question,
            result[retriever]["documents"],
            [answer for answer in answers if answer.data is not None],
            none is not None and bool(none.meta.get("abstain")),
        )

    return list(await asyncio.gather(*(one(question) for question in questions)))


def _sample(questions: list[SquadQuestion], limit: int | None, seed: int | None) -> list[SquadQuestion]:
    if not questions:
        raise ValueError("the file holds no question with an answer, and this evaluation needs one")
    if limit is None or limit >= len(questions):
        return questions
    if seed is None:
        return questions[:limit]
    return random.Random(seed).sample(questions, limit)  # noqa: S311 - a sample, not a secret
