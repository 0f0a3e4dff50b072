"""What came of questions over a collection: figures, and where each lost answer was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.open_index import paragraph_id
from evaluation.reliability import coverage_at, expected_calibration_error
from evaluation.retrieval import Rank, mean_reciprocal_rank, rank_of, recall_at
from evaluation.squad import SquadQuestion, normalize_answer, score_question

if TYPE_CHECKING:
    from haystack import Document, ExtractedAnswer

RECALL_AT = (1, 5, 20)

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
