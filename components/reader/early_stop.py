"""When may passages stay unread? Once the first few hold a span that the others hardly ever beat."""

import math
from collections.abc import Sequence

from components.reader.answers.answer_text import normalise_answer
from components.reader.answers.ranking import AnswerSpan, rank_answers
from components.reader.calibration import NEVER, Calibration
from components.reader.request import EarlyStop
from components.reader.request_texts import RequestTexts
from components.reader.span_selection import SPANS_A_QUESTION

FIRST_PASSAGES = 5
"""How many passages are read before it is asked whether the others can still change the best answer."""

# An answer less probable than this has no claim to all its places: hardly anybody looks at it.
_SHOWN = 0.02


def stop_logit(weights: Calibration, mode: EarlyStop) -> float:
    """The logit of a span from which on the other passages stay unread; NEVER where all are to be read."""
    return {"off": NEVER, "safe": weights.stop_safe, "aggressive": weights.stop_aggressive}[mode]


def texts_left(texts: RequestTexts, spans: Sequence[AnswerSpan], enough: float, weights: Calibration) -> list[int]:
    """
    Which texts after the first few are to be read: all, until a span reaches the logit ``enough``; from then on those
    that hold the words of an answer that will be shown, so that its places and its evidence are complete.

    :param spans: of the first few texts.
    """
    left = range(FIRST_PASSAGES, len(texts.texts))
    if max((span.logit for span in spans), default=-math.inf) < enough:
        return list(left)
    ranked = rank_answers(spans, weights).answers[: max(1, texts.request.answer_settings.top_k)]
    shown = [f" {each.places[0].text} " for each in ranked if each.probability >= _SHOWN]
    held = {number: f" {normalise_answer(texts.texts[number])} " for number in left}
    return [number for number in left if any(answer in held[number] for answer in shown)]


def join_spans(first: Sequence[AnswerSpan], rest: Sequence[AnswerSpan]) -> list[AnswerSpan]:
    """The best spans of both parts of a question's passages, as if all had been read at once."""
    return sorted([*first, *rest], key=lambda span: -span.logit)[:SPANS_A_QUESTION]
