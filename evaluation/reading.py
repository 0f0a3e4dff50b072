"""Asks a reader about gold paragraphs, many questions in one call, and keeps what the official figures need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from evaluation.squad import Figures, SquadQuestion, Version, evaluate

if TYPE_CHECKING:
    from haystack import Document, ExtractedAnswer

    from components.reader import ExtractiveReader


class BatchReader(Protocol):
    """Answers many questions at once, each over its own passages, as `components.reader.ExtractiveReader` does."""

    def read(self, requests: Sequence[tuple[str, Sequence["Document"]]]) -> list[list["ExtractedAnswer"]]: ...


@dataclass(frozen=True)
class Predictions:
    """By question id: the answer ("" for none), and the probability that there is none."""

    answers: dict[str, str] = field(default_factory=dict)
    no_answer: dict[str, float] = field(default_factory=dict)


def predict(
    reader: BatchReader,
    questions: Sequence[SquadQuestion],
    withhold: bool,
    at_once: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Predictions:
    """
    The reader's best answer to each question, its gold paragraph given.

    :param withhold: the answer is "" where the reader abstains; otherwise the best span counts however improbable.
    :param at_once: questions a call; bounds memory.
    :param advance: called with how many more questions are done.
    """
    from haystack import Document

    found = Predictions()
    for begin in range(0, len(questions), at_once):
        batch = questions[begin : begin + at_once]
        passages = {context: Document(content=context) for context in {one.context for one in batch}}
        results = reader.read([(one.question, [passages[one.context]]) for one in batch])
        for one, answers in zip(batch, results, strict=True):
            best = next((answer for answer in answers if answer.data is not None), None)
            none = next((answer for answer in answers if answer.data is None), None)
            withheld = withhold and none is not None and bool(none.meta.get("abstain"))
            found.answers[one.id] = "" if best is None or withheld else best.data or ""
            found.no_answer[one.id] = none.score if none is not None else 0.0
        advance(len(batch))
    return found


def official(
    reader: "ExtractiveReader",
    questions: Sequence[SquadQuestion],
    version: Version,
    at_once: int,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Figures, Predictions]:
    """
    The official figures for a reader, and what it predicted.

    In 2.0 the script refuses by the calibration's threshold on the probability of no answer; where that is not known,
    the reader's own abstaining counts.
    """
    threshold = reader.span_reader.calibration.of(1).no_answer_threshold
    found = predict(reader, questions, version == "2.0" and threshold == 1, at_once, advance)
    return evaluate(questions, found.answers, found.no_answer, threshold, version), found
