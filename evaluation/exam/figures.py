"""What an exam says: figures with bootstrap intervals, and the paired difference of two pipelines. Pure functions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.exam.run import Sat
from evaluation.reliability import expected_calibration_error
from evaluation.squad import score_question

Floats = NDArray[np.float64]
RESAMPLES = 2_000
NAMES = ("recall", "exact", "f1", "answered_f1", "abstained_right", "abstained_wrong", "calibration_error")


def figures(sat: Sequence[Sat], seed: int = 0) -> dict[str, dict[str, float]]:
    """
    Each figure in percent with the bounds of its 95 % bootstrap interval over questions (Efron and Tibshirani 1993, the
    percentile method): `value`, `low`, `high`. A figure that no question bears on is left out.

    - recall: questions whose passage was retrieved, of those with an answer.
    - exact, f1: SQuAD 2.0's, abstaining counted as "no answer".
    - answered_f1: F1 of the best answer to questions that have one, abstained or not.
    - abstained_right, abstained_wrong: how many of the questions without, and with, an answer were not answered.
    - calibration_error: distance of the best answers' probabilities from how often they are right.
    """
    rng = np.random.default_rng(seed)
    columns = _columns(sat)
    probability, right = columns.pop("probability"), columns.pop("right")
    found: dict[str, dict[str, float]] = {}
    for name in NAMES:
        if name == "calibration_error":
            found[name] = _interval(
                len(sat), lambda rows: 100 * expected_calibration_error(probability[rows], right[rows]), rng
            )
            continue
        values = columns[name]
        values = values[~np.isnan(values)]
        if len(values):
            found[name] = _interval(len(values), lambda rows, values=values: 100 * float(values[rows].mean()), rng)  # type: ignore[misc]
    return found


def by(sat: Sequence[Sat], key: Callable[[Sat], str], seed: int = 0) -> dict[str, dict[str, Any]]:
    """Exact and F1 with their intervals, and the number of questions, of each group."""
    groups: dict[str, list[Sat]] = {}
    for one in sat:
        groups.setdefault(key(one), []).append(one)
    told = {}
    for name, members in sorted(groups.items()):
        all_figures = figures(members, seed)
        told[name] = {"questions": len(members), "exact": all_figures["exact"], "f1": all_figures["f1"]}
    return told


def paired_difference(first: Sequence[Sat], second: Sequence[Sat], seed: int = 0) -> dict[str, dict[str, float]]:
    """
    How much better the second pipeline is at the same questions, in points: `value` with its 95 % bootstrap interval,
    and the two-sided p-value of a paired permutation test by random signs (Fisher 1935; 10,000 of them): how often a
    difference at least this large comes of chance alone.

    :raises ValueError: when the two did not take the same exam.
    """
    if [one.question.id for one in first] != [one.question.id for one in second]:
        raise ValueError("the two pipelines did not answer the same questions")
    rng = np.random.default_rng(seed)
    a, b = _columns(first), _columns(second)
    told = {}
    for name in ("recall", "exact", "f1"):
        difference = b[name] - a[name]
        difference = difference[~np.isnan(difference)]
        if not len(difference):
            continue
        interval = _interval(len(difference), lambda rows, d=difference: 100 * float(d[rows].mean()), rng)  # type: ignore[misc]
        told[name] = {**interval, "p": _sign_test(difference, rng)}
    return told


def _sign_test(difference: Floats, rng: np.random.Generator, times: int = 10_000) -> float:
    observed = abs(difference.sum())
    signs = rng.integers(0, 2, (times, len(difference)), dtype=np.int8) * 2 - 1
    extreme = np.abs(signs @ difference) >= observed - 1e-9
    return float((extreme.sum() + 1) / (times + 1))


def _interval(count: int, figure: Callable[[Any], float], rng: np.random.Generator) -> dict[str, float]:
    drawn = [figure(rng.integers(0, count, count)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"value": figure(np.arange(count)), "low": float(low), "high": float(high)}


def _columns(sat: Sequence[Sat]) -> dict[str, Floats]:
    """One number a question, nan where a figure does not ask about it."""
    nothing = float("nan")
    best = [score_question(one.answer, [one.question.answer]) if one.question.answerable else (0, 0.0) for one in sat]
    with_answer = [one.question.answerable for one in sat]
    rows = {
        "recall": [nothing if one.found is None else float(one.found) for one in sat],
        "exact": [one.scores[0] for one in sat],
        "f1": [one.scores[1] for one in sat],
        "answered_f1": [score[1] if has else nothing for score, has in zip(best, with_answer, strict=True)],
        "abstained_right": [
            nothing if has else float(one.abstained) for one, has in zip(sat, with_answer, strict=True)
        ],
        "abstained_wrong": [
            float(one.abstained) if has else nothing for one, has in zip(sat, with_answer, strict=True)
        ],
        "probability": [one.probability for one in sat],
        "right": [float(score[0]) for score in best],
    }
    return {name: np.array(values, dtype=np.float64) for name, values in rows.items()}
