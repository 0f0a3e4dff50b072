"""When may passages stay unread? Once the first few hold a span that the others hardly ever beat."""

import math
from collections.abc import Sequence

from components.reader.answers.ranking import AnswerSpan
from components.reader.calibration import NEVER, Calibration
from components.reader.request import EarlyStop
from components.reader.span_selection import SPANS_A_QUESTION

FIRST_PASSAGES = 5
"""How many passages are read before it is asked whether the others can still change the best answer."""


def stop_logit(weights: Calibration, mode: EarlyStop) -> float:
    """The logit of a span from which on the other passages stay unread; NEVER where all are to be read."""
    return {"off": NEVER, "safe": weights.stop_safe, "aggressive": weights.stop_aggressive}[mode]


def undecided(spans: Sequence[Sequence[AnswerSpan]], enough: float) -> list[int]:
    """Numbers of the questions none of whose spans reaches the logit ``enough``."""
    best = [max((span.logit for span in found), default=-math.inf) for found in spans]
    return [number for number, logit in enumerate(best) if logit < enough]


def join_spans(first: Sequence[AnswerSpan], rest: Sequence[AnswerSpan]) -> list[AnswerSpan]:
    """The best spans of both parts of a question's passages, as if all had been read at once."""
    return sorted([*first, *rest], key=lambda span: -span.logit)[:SPANS_A_QUESTION]
