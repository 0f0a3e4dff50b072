"""Which answer of all passages is the best, and how probable is it? One softmax over all answers and no answer."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.reader.calibration import Calibration

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AnswerSpan:
    """
    A span that may be the answer.

    :param passage: number of the passage, in the order the retriever gave them.
    :param start, end: characters in the passage.
    :param text: normalised text: places with the same text give the same answer.
    :param region: names what was read: two places with the same region are the same words of the same source (in
        windows or passages that overlap, or in copies of a passage), so the second is no further evidence.
    :param logit: see :func:`components.reader.span_selection.span_logits`.
    """

    passage: int
    start: int
    end: int
    text: str
    region: Hashable
    logit: float


@dataclass(frozen=True)
class RankedAnswer:
    """An answer with its probability and its places, the most probable one first."""

    probability: float
    places: tuple[AnswerSpan, ...]


@dataclass(frozen=True)
class Ranking:
    """The answers of a question, best first; their probabilities and ``no_answer`` sum to 1."""

    answers: tuple[RankedAnswer, ...]
    no_answer: float


def passage_logits(weights: Calibration, retriever_scores: Sequence[float | None]) -> Floats:
    """
    What each passage brings to the logit of its spans before it is read: float64 (passages,).

    ``retriever * z + rank * log(1 + r)``, where z is the z-score of the passage's retriever score over the question's
    passages (0 if scores are missing or all equal) and r its rank from 0.
    """
    rank = np.log1p(np.arange(len(retriever_scores)))
    return weights.retriever * z_scores(retriever_scores) + weights.rank * rank


def z_scores(scores: Sequence[float | None]) -> Floats:
    """Scores less their mean, in standard deviations; all 0 where one is missing, or all are equal."""
    if not scores or any(score is None or not np.isfinite(score) for score in scores):
        return np.zeros(len(scores))
    values = np.array(scores, dtype=np.float64)
    spread = values.std()
    return (
        (values - values.mean()) / spread if spread > 1e-9 * max(1.0, np.abs(values).max()) else np.zeros(len(scores))
    )


def rank_answers(places: Sequence[AnswerSpan], weights: Calibration) -> Ranking:
    """
    Softmax over the answers of all passages and "no answer", in the manner of Clark and Gardner 2018 ("Simple and
    Effective Multi-Paragraph Reading Comprehension", shared normalisation, summed over the places of an answer).

    With x = logit / temperature of a place, an answer weighs ``exp(max x)``, or with agreement
    ``(1 - agreement) * exp(max x) + agreement * sum exp(x)`` over its regions (each region by its best place).
    """
    best_of_region: dict[tuple[str, Hashable], AnswerSpan] = {}
    for place in places:
        known = best_of_region.get((place.text, place.region))
        if known is None or place.logit > known.logit:
            best_of_region[place.text, place.region] = place
    by_text: dict[str, list[AnswerSpan]] = {}
    for place in places:
        by_text.setdefault(place.text, []).append(place)
    evidence: dict[str, list[float]] = {}
    for (text, _), place in best_of_region.items():
        evidence.setdefault(text, []).append(place.logit)

    highest = max([weights.no_answer, *(place.logit for place in places)])
    none = float(np.exp((weights.no_answer - highest) / weights.temperature))
    masses: dict[str, float] = {}
    for text, logits in evidence.items():
        x = np.exp((np.array(logits) - highest) / weights.temperature)
        masses[text] = float((1 - weights.agreement) * x.max() + weights.agreement * x.sum())
    total = none + sum(masses.values())
    answers = [
        RankedAnswer(masses[text] / total, tuple(sorted(found, key=lambda place: (-place.logit, place.passage))))
        for text, found in by_text.items()
    ]
    answers.sort(key=lambda answer: (-answer.probability, -answer.places[0].logit, answer.places[0].passage))
    return Ranking(tuple(answers), none / total)
