"""
The official figures of SQuAD 1.1 and 2.0, number for number those of the official scripts on the same predictions.

Sources: evaluate-v1.1.py and evaluate-v2.0.py, https://rajpurkar.github.io/SQuAD-explorer/ (Rajpurkar et al.
2016, 2018). The two differ where nothing is left of an answer once it is normalised: 1.1 gives F1 0 even when both are
empty, 2.0 gives 1; 2.0 drops gold answers that are empty once normalised; without a prediction 1.1 counts 0.
"""

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evaluation.squad_data import read_squad

Version = Literal["1.1", "2.0"]
Figures = dict[str, float | int]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class SquadQuestion:
    """A question, the paragraph it is about, and the texts of its gold answers (none: unanswerable there)."""

    id: str
    question: str
    context: str
    answers: tuple[str, ...]
    article: str


def read_questions(path: str | Path) -> tuple[list[SquadQuestion], Version]:
    """
    Read a SQuAD-format file (.json or .json.gz), in its order; `version` tells which official script is meant.

    :raises SquadFormatError: (a ValueError) naming every malformed item of the file.
    :raises FileNotFoundError: when there is no such file.
    """
    data = read_squad([path])
    questions = []
    for question in data.questions:
        paragraph = data.paragraphs[question.paragraph]
        answers = tuple(answer.text for answer in question.answers)
        questions.append(SquadQuestion(question.id, question.text, paragraph.text, answers, paragraph.article))
    return questions, data.version


def normalize_answer(text: str) -> str:
    """Lower-case, without punctuation, articles and surplus white space, in the official order."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, gold: str) -> int:
    """1 when both are equal once normalised, else 0."""
    return int(normalize_answer(prediction) == normalize_answer(gold))


def f1(prediction: str, gold: str, version: Version = "2.0") -> float:
    """Harmonic mean of precision and recall over the bags of words of both, normalised."""
    predicted, wanted = normalize_answer(prediction).split(), normalize_answer(gold).split()
    if not predicted or not wanted:
        return float(predicted == wanted) if version == "2.0" else 0.0
    return word_overlap(predicted, wanted)


def word_overlap(predicted: Sequence[str], wanted: Sequence[str]) -> float:
    """F1 of two bags of words; 0 where they share none."""
    same = sum((Counter(predicted) & Counter(wanted)).values())
    if not same:
        return 0.0
    precision, recall = same / len(predicted), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


def score_question(prediction: str, answers: Sequence[str], version: Version = "2.0") -> tuple[int, float]:
    """Exact match and F1 of one prediction: each the best over the gold answers."""
    golds = list(answers)
    if version == "2.0":
        golds = [answer for answer in answers if normalize_answer(answer)] or [""]
    return (
        max((exact_match(prediction, gold) for gold in golds), default=0),
        max((f1(prediction, gold, version) for gold in golds), default=0.0),
    )


def evaluate(
    questions: Sequence[SquadQuestion],
    predictions: Mapping[str, str],
    no_answer: Mapping[str, float] | None = None,
    threshold: float = 1.0,
    version: Version = "2.0",
) -> Figures:
    """
    The official figures, in percent; `total` counts questions.

    :param predictions: question id -> answer; "" says that there is none.
    :param no_answer: question id -> probability that there is no answer; with it come best_exact, best_f1 and their
        thresholds, and above `threshold` a prediction counts as "no answer". In 1.1 it is not used.
    :raises ValueError: in 2.0, when a question has no prediction (the official script would silently leave it out).
    """
    missing = [one.id for one in questions if one.id not in predictions]
    if missing and version == "2.0":
        raise ValueError(
            f"{len(missing)} of {len(questions)} questions have no prediction, the first is {missing[0]!r}"
        )
    scores = {one.id: score_question(predictions.get(one.id, ""), one.answers, version) for one in questions}
    for question_id in missing:
        scores[question_id] = (0, 0.0)
    exacts = {key: float(score[0]) for key, score in scores.items()}
    f1s = {key: score[1] for key, score in scores.items()}
    if version == "1.1":
        return _averages(exacts, f1s, list(scores))
    answerable = {one.id: bool(one.answers) for one in questions}
    shown_exacts, shown_f1s = exacts, f1s
    if no_answer is not None:
        shown_exacts = _abstained(exacts, no_answer, answerable, threshold)
        shown_f1s = _abstained(f1s, no_answer, answerable, threshold)
    figures = _averages(shown_exacts, shown_f1s, list(scores))
    for prefix, wanted in (("HasAns", True), ("NoAns", False)):
        chosen = [key for key in scores if answerable[key] == wanted]
        if chosen:
            figures |= {f"{prefix}_{name}": value for name, value in _averages(shown_exacts, shown_f1s, chosen).items()}
    if no_answer is not None:
        for name, values in (("exact", exacts), ("f1", f1s)):
            best, best_threshold = best_threshold_of(values, predictions, no_answer, answerable)
            figures |= {f"best_{name}": best, f"best_{name}_thresh": best_threshold}
    return figures


def best_threshold_of(
    scores: Mapping[str, float],
    predictions: Mapping[str, str],
    no_answer: Mapping[str, float],
    answerable: Mapping[str, bool],
) -> tuple[float, float]:
    """
    The threshold on the no-answer probability that gives the best mean score, and that score (percent).

    As official: starts at "every question unanswered", then answers one after the other, the surest first.
    """
    current = best = float(sum(not has_answer for has_answer in answerable.values()))
    threshold = 0.0
    for key in sorted(no_answer, key=lambda key: no_answer[key]):
        if key not in scores:
            continue
        if answerable[key]:
            current += scores[key]
        elif predictions[key]:
            current -= 1
        if current > best:
            best, threshold = current, no_answer[key]
    return 100.0 * best / len(scores), threshold


def _abstained(
    scores: Mapping[str, float], no_answer: Mapping[str, float], answerable: Mapping[str, bool], threshold: float
) -> dict[str, float]:
    return {key: float(not answerable[key]) if no_answer[key] > threshold else score for key, score in scores.items()}


def _averages(exacts: Mapping[str, float], f1s: Mapping[str, float], keys: Sequence[str]) -> Figures:
    total = len(keys)
    return {
        "exact": 100.0 * sum(exacts[key] for key in keys) / total,
        "f1": 100.0 * sum(f1s[key] for key in keys) / total,
        "total": total,
    }
