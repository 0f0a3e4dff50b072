"""What models wrote, as spans of the passages: where each answer stands, and what the ranking knows of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from haystack import Document

from components.generation.alignment import align
from components.generation.engine import Written
from components.generation.windows import PromptWindow
from components.reader.answers.answer_text import normalise_answer
from components.reader.answers.provenance import find_origin
from components.reader.answers.ranking import AnswerSpan, z_scores
from components.reader.calibration_features import SpanFeatures

_SUREST = {"exact": 0, "normalised": 1, "near": 2}


@dataclass(frozen=True)
class WrittenAnswer:
    """
    An answer that was written.

    :param features: its span, at -1 where it stands in no passage, and what a calibration weighs: mean log-probability
        of its tokens, that of writing nothing, 0, z-score of the retriever's score, log(1 + rank of the passage).
    """

    features: SpanFeatures
    written: Written

    @property
    def in_text(self) -> bool:
        """Whether it stands in its passage."""
        return self.features.span.start >= 0


def locate_answers(
    documents: Sequence[Document],
    windows: Sequence[PromptWindow],
    written: Sequence[Written],
    no_answer_sign: str = "",
) -> list[WrittenAnswer]:
    """
    The answers among what was written; nothing, or the sign, is none.

    :param written: one for each window; or a single one for all of them together.
    """
    z = z_scores([document.score for document in documents])
    found: list[WrittenAnswer] = []
    for number, output in enumerate(written):
        if not output.text or output.text == no_answer_sign:
            continue
        read = windows if len(written) < len(windows) else [windows[number]]
        key = normalise_answer(output.text)
        place = _locate(documents, read, output.text)
        passage, start, end = place or (read[0].passage, -1, -1)
        source, shift = find_origin(documents[passage])
        region = (source, shift + start, shift + end) if place else (source, key)
        values = (
            output.log_probability, output.empty_log_probability, 0.0, float(z[passage]), math.log1p(passage),
        )  # fmt: skip
        found.append(WrittenAnswer(SpanFeatures(AnswerSpan(passage, start, end, key, region, 0.0), values), output))
    return found


def _locate(documents: Sequence[Document], windows: Sequence[PromptWindow], answer: str) -> tuple[int, int, int] | None:
    """Passage, start and end of the words in the windows that were read; the surest way of finding them first."""
    best: tuple[int, int, int, int] | None = None
    for window in windows:
        text = documents[window.passage].content or ""
        found = align(answer, text[window.start : window.end])
        if found is not None and (best is None or _SUREST[found.how] < best[0]):
            best = (_SUREST[found.how], window.passage, window.start + found.start, window.start + found.end)
    return None if best is None else best[1:]
