"""What does the ranking know of the spans of many questions? Arrays to fit weights on, kept in one file."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from haystack import Document
from numpy.typing import NDArray

from components.reader.answers.answer_text import normalise_answer
from components.reader.request import ReadSettings, Request
from evaluation.squad import word_overlap

if TYPE_CHECKING:
    from components.reader.calibration_features import SpanFeatures
    from components.reader.reader_core import SpanReader

Floats = NDArray[np.float64]
# The features of the spans of each request.
Describe = Callable[[Sequence[Request]], Sequence[Sequence["SpanFeatures"]]]


@dataclass(frozen=True)
class Example:
    """
    A question, its retrieved passages (best first, with the retriever's ``score``), and the answers that count as
    right.

    :param group: what examples are held out by: the article's title. Questions of one article are not independent.
    """

    question: str
    documents: Sequence[Document]
    answers: Sequence[str]
    group: str


@dataclass(frozen=True)
class Features:
    """
    What the ranking knows of every span that may be an answer. Spans lie in regions, regions in answers, answers in
    questions: three levels, each pointing to the next.

    :param values: (spans, 5) span score, null score, window sum, z-score of the retriever, log(1 + rank).
    :param region: region of each span (the same words of the same source count once).
    :param answer: answer of each region.
    :param question: question of each answer.
    :param right: whether an answer is right (equal to a given one after SQuAD's normalisation).
    :param f1: its word overlap with the given answers.
    :param group: group of each question.
    """

    values: Floats
    region: NDArray[np.int64]
    answer: NDArray[np.int64]
    question: NDArray[np.int64]
    right: NDArray[np.bool_]
    f1: Floats
    group: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of questions."""
        return len(self.group)

    @property
    def answerable(self) -> NDArray[np.bool_]:
        """Whether a question has a right answer among its spans: (questions,)."""
        found = np.zeros(len(self), dtype=bool)
        found[self.question[self.right]] = True
        return found

    def save(self, file: Path) -> None:
        np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, file: Path) -> "Features":
        with np.load(file, allow_pickle=False) as kept:
            return cls(**{field.name: kept[field.name] for field in fields(cls)})

    def of(self, questions: NDArray[np.bool_]) -> "Features":
        """Those of the marked questions alone."""
        answers = questions[self.question]
        regions = answers[self.answer]
        spans = regions[self.region]
        number = [np.cumsum(kept) - 1 for kept in (regions, answers, questions)]
        return Features(
            self.values[spans],
            number[0][self.region[spans]],
            number[1][self.answer[regions]],
            number[2][self.question[answers]],
            self.right[answers],
            self.f1[answers],
            self.group[questions],
        )


def gather(
    spans: Iterable[tuple[int, str, Any, Sequence[float]]], answers: Sequence[Sequence[str]], groups: Sequence[str]
) -> Features:
    """
    Number the levels.

    :param spans: (question, normalised text of the span, region, the five values).
    :param answers: right answers of each question.
    :param groups: group of each question.
    """
    regions: dict[Any, int] = {}
    texts: dict[tuple[int, str], int] = {}
    answer_of_region: list[int] = []
    question_of_answer: list[int] = []
    right: list[bool] = []
    f1: list[float] = []
    region_of_span: list[int] = []
    values: list[Sequence[float]] = []
    given = [[normalise_answer(answer) for answer in mine] for mine in answers]
    for question, said, place, row in spans:
        answer = texts.setdefault((question, said), len(texts))
        if answer == len(right):
            question_of_answer.append(question)
            right.append(said in given[question])
            f1.append(max((word_overlap(said.split(), other.split()) for other in given[question]), default=0.0))
        region = regions.setdefault((answer, place), len(regions))
        if region == len(answer_of_region):
            answer_of_region.append(answer)
        region_of_span.append(region)
        values.append(row)
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    return Features(
        np.array(values, dtype=np.float64).reshape(-1, 5),
        np.array(region_of_span, dtype=np.int64),
        np.array(answer_of_region, dtype=np.int64),
        np.array(question_of_answer, dtype=np.int64),
        np.array(right, dtype=bool),
        np.array(f1, dtype=np.float64),
        np.array([names[name] for name in groups], dtype=np.int64),
    )


def collect(
    reader: "SpanReader",
    examples: Sequence[Example],
    settings: ReadSettings | None = None,
    at_once: int = 16,
    advance: Callable[[int], None] = lambda _: None,
) -> Features:
    """
    Read the passages of every example and note what the ranking would know of their spans.

    :param advance: called with how many more examples are done.
    """
    from components.reader.calibration_features import span_features

    return collect_from(lambda requests: span_features(reader, requests, settings), examples, at_once, advance)


def collect_from(
    describe: Describe,
    examples: Sequence[Example],
    at_once: int = 16,
    advance: Callable[[int], None] = lambda _: None,
) -> Features:
    """
    The same of any reader.

    :param describe: the features of the spans of each request.
    """
    rows: list[tuple[int, str, Any, Sequence[float]]] = []
    for begin in range(0, len(examples), at_once):
        part = examples[begin : begin + at_once]
        requests = [Request(example.question, example.documents) for example in part]
        for number, spans in enumerate(describe(requests)):
            rows += [(begin + number, each.span.text, each.span.region, each.values) for each in spans]
        advance(len(part))
    return gather(rows, [example.answers for example in examples], [example.group for example in examples])
