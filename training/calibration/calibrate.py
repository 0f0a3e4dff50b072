"""How do a reader's scores become probabilities? Weights, temperature and threshold, fitted on held-out questions.

The model is the ranking of :mod:`components.reader.answers.ranking`: one softmax over the answers of all passages of a
question and "no answer". It is fitted by maximum likelihood of the right answers (of "no answer" where the passages do
not hold one), as Clark and Gardner 2018 train their readers ("Simple and Effective Multi-Paragraph Reading
Comprehension"), here with a handful of weights instead of a network's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.reader.calibration import NEVER, SPAN_ALONE, Calibration
from evaluation.reliability import coverage_at, expected_calibration_error, risk_coverage_area
from training.calibration.early_stop import stop_from
from training.calibration.ranking_features import Features, Floats
from training.calibration.ranking_levels import FITTED, Levels, best_answers, masses_of

if TYPE_CHECKING:
    from torch import Tensor

_AGREEMENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_NONE = 0.25  # what the probability of no answer counts beside that of the best answer, which people look at
_L2 = 1e-4  # keeps weights finite where the data cannot tell them (a reader whose null score never varies)


def fit(features: Features, agreement: float | None = None, without: Sequence[str] = ()) -> Calibration:
    """
    The weights under which the right answers are most likely; span is 1 and the temperature carries its size.

    :param agreement: how much the places of an answer support each other; None tries 0, 1/4, 1/2, 3/4, 1.
    :param without: weights to leave at 0, for comparisons.
    :raises ValueError: if no question has a right answer among its spans, or none lacks one: nothing can be learned
        then.
    """
    if not features.answerable.any():
        raise ValueError(
            f"None of the {len(features)} questions has a right answer among its spans, so no weight can be fitted. "
            "Check that the answers belong to these questions and that the passages are those of their documents."
        )
    tried = [_fit(features, value, without) for value in (_AGREEMENTS if agreement is None else (agreement,))]
    weights = _sharpened(features, min(tried, key=lambda entry: entry[1])[0])
    return replace(
        weights,
        threshold=_threshold(features, weights),
        stop_safe=stop_from(features, weights, 1 / 500),
        stop_aggressive=stop_from(features, weights, 1 / 50),
    )


def chance_of_right(f1: Floats) -> Floats:
    """
    How likely an answer counts as right when several people are asked, given its F1 against the answer of one: F1
    squared.

    Training questions have one given answer, and an equally good one in slightly other words counts as wrong: people
    agree exactly with one other in 77 of 100 cases, with one of three in some 90 (Rajpurkar et al. 2016, and SQuAD's
    leaderboard). On the answers of a reader to training questions, F1 squared makes up for that difference (a mean 1.16
    times the exact matches; 90 / 77 = 1.17), without looking at a development set.
    """
    return f1**2


def _sharpened(features: Features, weights: Calibration) -> Calibration:
    """
    Temperature scaling (Guo et al. 2017): the temperature and the logit of no answer under which the best answer's
    probability is its chance of being right, and that of no answer the chance that no passage holds one. The ranking
    stays as it is.
    """
    import torch

    levels = Levels.of(features)
    logits = torch.tensor([getattr(weights, name) for name in FITTED[:5]], dtype=torch.float64)
    start = [1 / weights.temperature, weights.no_answer / weights.temperature]
    free = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    chance = torch.as_tensor(chance_of_right(features.f1))
    none_right = 1 - torch.zeros(len(features), dtype=torch.float64).scatter_reduce(0, levels.question, chance, "amax")
    optimiser = torch.optim.LBFGS([free], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> "Tensor":
        optimiser.zero_grad()
        answers, none = levels.masses(torch.cat([logits * free[0], free[1:]]), weights.agreement)
        total = torch.zeros(len(none), dtype=torch.float64).index_add(0, levels.question, answers) + none
        best = best_answers(answers.detach().numpy(), features)
        asked = torch.as_tensor(np.flatnonzero(best >= 0))
        chosen = torch.as_tensor(best)[asked]
        entropy = torch.nn.functional.binary_cross_entropy
        value = entropy(answers[chosen] / total[asked], chance[chosen]) + _NONE * entropy(none / total, none_right)
        value.backward()
        return value

    optimiser.step(loss)
    scale, none = free.detach().tolist()
    if not np.isfinite([scale, none]).all() or scale <= 0:
        return weights
    return replace(weights, temperature=1 / scale, no_answer=none / scale)


def _fit(features: Features, agreement: float, without: Sequence[str]) -> tuple[Calibration, float]:
    import torch

    levels = Levels.of(features)
    free = torch.tensor([0.0 if name in without else 1.0 for name in FITTED], dtype=torch.float64)
    start = torch.tensor([0.5, -0.3, 0.0, 0.5, 0.0, 0.0], dtype=torch.float64) * free
    weights = start.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-6)

    def loss() -> "Tensor":
        optimiser.zero_grad()
        right, none = levels.log_probabilities(weights * free, agreement)
        likely = torch.where(levels.answerable, right, none)
        value = -likely.mean() + _L2 * (weights * free).square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    value = float(loss().detach())
    found = (weights.detach() * free).tolist()
    if not np.isfinite(found).all() or found[0] <= 0:
        raise ValueError(
            f"Fitting failed: the weights came out as {dict(zip(FITTED, found, strict=True))}. The span scores do "
            "not rise with being right; check that reader, questions and passages belong together."
        )
    named = {name: weight / found[0] for name, weight in zip(FITTED, found, strict=True)}
    return Calibration(**named, agreement=agreement, temperature=1 / found[0]), value


@dataclass(frozen=True)
class Outcome:
    """The best answer of each question: its probability, whether it is right, its F1. All (questions,)."""

    probability: Floats
    no_answer: Floats
    right: NDArray[np.bool_]
    f1: Floats

    @property
    def chance(self) -> Floats:
        """How likely the best answer counts as right: see :func:`chance_of_right`."""
        return chance_of_right(self.f1)


def answer_all(features: Features, weights: Calibration) -> Outcome:
    """What the ranking answers with these weights."""
    answers, none = masses_of(features, weights)
    total = none + np.bincount(features.question, weights=answers, minlength=len(features))
    probability, right, f1 = np.zeros(len(features)), np.zeros(len(features), dtype=bool), np.zeros(len(features))
    best = best_answers(answers, features)
    found = best >= 0
    chosen = best[found]
    probability[found], right[found], f1[found] = (
        answers[chosen] / total[found],
        features.right[chosen],
        features.f1[chosen],
    )
    return Outcome(probability, none / total, right, f1)


def figures(outcome: Outcome) -> dict[str, float]:
    """The figures that reports and cards quote, in percent where that is usual."""
    coverage, threshold = coverage_at(0.8, outcome.probability, outcome.right)
    return {
        "questions": len(outcome.right),
        "exact": round(100 * float(outcome.right.mean()), 2),
        "f1": round(100 * float(outcome.f1.mean()), 2),
        "expected_calibration_error": round(expected_calibration_error(outcome.probability, outcome.chance), 4),
        "expected_calibration_error_one_answer": round(
            expected_calibration_error(outcome.probability, outcome.right.astype(float)), 4
        ),
        "coverage_at_80_accuracy": round(coverage, 4),
        "threshold_at_80_accuracy": round(threshold, 4),
        "risk_coverage_area": round(risk_coverage_area(outcome.probability, outcome.right), 4),
    }


def cross_validated(features: Features, folds: int = 5, seed: int = 0, **options: Any) -> Outcome:
    """Each question answered with weights fitted on the other articles."""
    groups = np.random.default_rng(seed).permutation(features.group.max() + 1) % folds
    fold = groups[features.group]
    parts = [Outcome(*(np.zeros(len(features), dtype=kind) for kind in (float, float, bool, float)))]
    for number in range(folds):
        held = fold == number
        if held.any():
            outcome = answer_all(features.of(held), fit(features.of(~held), **options))
            for field in fields(Outcome):
                getattr(parts[0], field.name)[held] = getattr(outcome, field.name)
    return parts[0]


STEPS: dict[str, dict[str, Any]] = {
    "span logit and null logit": {"without": ("window", "retriever", "rank"), "agreement": 0.0},
    "and the window's sum": {"without": ("retriever", "rank"), "agreement": 0.0},
    "and the retriever's score and rank": {"agreement": 0.0},
    "and agreement": {},
}


def comparison(features: Features) -> dict[str, Outcome]:
    """What each part of the ranking is worth, by cross-validation over articles; the whole ranking is the last."""
    table = {"span logit alone": answer_all(features, SPAN_ALONE)}
    return table | {name: cross_validated(features, **options) for name, options in STEPS.items()}


def calibrate(
    folder: Path, features: Features, alone: Features | None = None, **about: Any
) -> tuple[Calibration, Outcome]:
    """
    Fit on all of ``features``, and write the calibration and its figures (held out by article) into the model's folder.

    :param alone: features of questions with one passage each, half of them without an answer there.
    :param about: what to note beside: which questions, how retrieved, the seed.
    :returns: the weights, and what the ranking answers by cross-validation.
    """
    weights = fit(features)
    if alone is not None:
        weights = replace(weights, alone=fit_alone(alone))
        about["held_out_alone"] = figures(cross_validated(alone, **ALONE))
    steps = comparison(features)
    weights.save(folder, held_out={name: figures(outcome) for name, outcome in steps.items()}, **about)
    return weights, list(steps.values())[-1]


def fit_alone(features: Features) -> Calibration:
    """
    The weights for questions with one passage: nothing of a retriever, and nothing to stop for.

    An answer is not withheld for being improbable: where its borders are in doubt it is, and yet the passage holds one.
    """
    weights = replace(fit(features, **ALONE), threshold=0.0, stop_safe=NEVER, stop_aggressive=NEVER)
    return replace(weights, no_answer_threshold=_refusing_above(features, weights))


ALONE: dict[str, Any] = {"without": ("retriever", "rank"), "agreement": 0.0}


def _threshold(features: Features, weights: Calibration) -> float:
    """Where abstaining begins to pay: the threshold that gets most questions right, abstaining being right where no
    passage holds an answer."""
    outcome = answer_all(features, weights)
    return _where_gain_ends(outcome.probability, (~features.answerable).astype(float) - outcome.right)


def _refusing_above(features: Features, weights: Calibration) -> float:
    """The threshold on the probability of no answer with the best mean F1, refusing being right where no answer was
    given (SQuAD 2.0's measure)."""
    outcome = answer_all(features, weights)
    given = np.zeros(len(features))
    np.maximum.at(given, features.question, features.f1)
    return _where_gain_ends(outcome.no_answer, np.where(given > 0, outcome.f1, -1.0))


def _where_gain_ends(values: Floats, gains: Floats) -> float:
    """The value up to which the gains add up to most, 0 where nothing is gained; both are (questions,)."""
    order = np.argsort(values, kind="stable")
    gain = np.cumsum(gains[order])
    best = int(np.argmax(gain))
    return float(values[order[best]]) if gain[best] > 0 else 0.0
