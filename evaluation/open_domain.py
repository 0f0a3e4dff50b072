"""Questions over a whole collection: what is found, what is answered, and where each lost answer was lost."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.open_index import Progress, indexed, paragraph_id, paragraphs_of
from evaluation.reliability import coverage_at, expected_calibration_error
from evaluation.retrieval import Rank, mean_reciprocal_rank, rank_of, recall_at
from evaluation.squad import SquadQuestion, normalize_answer, read_questions, score_question

if TYPE_CHECKING:
    from haystack import Document, ExtractedAnswer

    from pipelines.loader import LoadedPipeline

RECALL_AT = (1, 5, 20)
AT_ONCE = 32  # questions under way together
_CANDIDATES = 50  # answers the reader is asked for, to see whether the right one was among them

# Where an answer can be lost, in the order of the way a question takes.
LOST = ("not_retrieved", "not_read", "ranked_below")


@dataclass(frozen=True)
class Asked:
    """What came of one question."""

    question: SquadQuestion
    documents: list["Document"]
    answers: list["ExtractedAnswer"]  # best first, without the no-answer
    abstained: bool

    @property
    def rank(self) -> Rank:
        """Rank of the gold paragraph."""
        return rank_of(
            paragraph_id(self.question.context), [document.meta.get("source_id") for document in self.documents]
        )

    @property
    def answer(self) -> str:
        """The best answer's text; "" for none."""
        return (self.answers[0].data or "") if self.answers else ""

    @property
    def probability(self) -> float:
        """The best answer's probability; 0 for none."""
        return self.answers[0].score if self.answers else 0.0


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
    :param progress: Shows progress, as `cli.progress.progress`.
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
        from evaluation.open_compare import compare_readers

        result["compare"] = compare_readers(loaded, asked[:compare], progress)
    return result


def figures(asked: Sequence[Asked]) -> dict[str, float]:
    """
    Recall at k, MRR, exact match and F1 in percent, how many right and wrong answers would be withheld, and how far the
    best answers' probabilities can be trusted: see `evaluation.reliability`.
    """
    ranks = [one.rank for one in asked]
    scores = [score_question(one.answer, one.question.answers, "1.1") for one in asked]
    probability = np.array([one.probability for one in asked])
    right = np.array([exact for exact, _ in scores], dtype=bool)
    count = len(asked)
    return {
        **{f"recall@{k}": 100.0 * recall_at(k, ranks) for k in RECALL_AT},
        "mrr": 100.0 * mean_reciprocal_rank(ranks),
        "exact": 100.0 * sum(exact for exact, _ in scores) / count,
        "f1": 100.0 * sum(f1 for _, f1 in scores) / count,
        "withheld_right": 100.0
        * sum(one.abstained and exact for one, (exact, _) in zip(asked, scores, strict=True))
        / count,
        "withheld_wrong": 100.0
        * sum(one.abstained and not exact for one, (exact, _) in zip(asked, scores, strict=True))
        / count,
        "expected_calibration_error": expected_calibration_error(probability, right),
        "coverage_at_80_accuracy": 100.0 * coverage_at(0.8, probability, right)[0],
    }


def where_lost(one: Asked) -> str | None:
    """
    Which step lost the answer: None when the best answer is an exact match.

    `not_retrieved`: the gold paragraph is not among the passages. `not_read`: it is, but no answer of the reader, from
    any passage, is an exact match. `ranked_below`: one is, but another answer was put before it.
    """
    right = {normalize_answer(answer) for answer in one.question.answers}
    places = [rank for rank, answer in enumerate(one.answers) if normalize_answer(answer.data or "") in right]
    if places and places[0] == 0:
        return None
    if one.rank is None:
        return "not_retrieved"
    return "ranked_below" if places else "not_read"


def lost(asked: Sequence[Asked]) -> dict[str, int]:
    """How many answers each step lost."""
    reasons = [where_lost(one) for one in asked]
    return {reason: reasons.count(reason) for reason in LOST}


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
    import random

    if not questions:
        raise ValueError("the file holds no question with an answer, and this evaluation needs one")
    if limit is None or limit >= len(questions):
        return questions
    if seed is None:
        return questions[:limit]
    return random.Random(seed).sample(questions, limit)  # noqa: S311 - a sample, not a secret
