"""What does the reader see in training? Random crops around answers, laid out exactly as the reader lays them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.encoder.ragged import Ints
from components.reader.tokens import PairLayout, PassageTokenizer, Tokens
from components.reader.windows import WindowSize
from evaluation.squad_data import SquadData

# Windows of ever new shapes cost ever more memory: an allocator's free blocks fit none of them, and oneDNN keeps
# kernels for each. Lengths in steps of 16 make some 20 of them, for one token in twenty more (see docs/training.md).
PAD_TO = 16

Bools = NDArray[np.bool_]
Spans = list[tuple[int, int]]  # first and last token of each place of an answer, counted in the passage


@dataclass(frozen=True)
class Crops:
    """How passages are cropped: windows of random length, so that the reader learns all lengths at half the cost.

    :param shortest: tokens of the shortest window, question and special tokens included.
    :param longest: tokens of the longest cropped window.
    :param whole: share of the windows that are not cropped below the reader's own length.
    """

    shortest: int = 96
    longest: int = 320
    whole: float = 0.1

    def __post_init__(self) -> None:
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(f"crops need 1 <= shortest <= longest, got {self.shortest} and {self.longest}")
        if not 0 <= self.whole <= 1:
            raise ValueError(f"the share of whole windows must lie between 0 and 1, got {self.whole}")


@dataclass(frozen=True)
class WindowPlan:
    """Windows to be read, as columns int32 (n,): `length` passage tokens from `begin`, of `paragraph`, for `question`.

    `group` numbers the questions whose windows share one softmax; windows of a group are neighbours. `part` is the data
    they come from: 0 the run's own, 1 what it learns beside.
    """

    question: Ints
    paragraph: Ints
    begin: Ints
    length: Ints
    group: Ints
    part: int = 0

    def __len__(self) -> int:
        return len(self.question)

    def take(self, rows: NDArray[np.integer]) -> "WindowPlan":
        """The windows with these numbers, in this order."""
        columns = (self.question, self.paragraph, self.begin, self.length, self.group)
        question, paragraph, begin, length, group = (column[rows] for column in columns)
        return WindowPlan(question, paragraph, begin, length, group, self.part)


@dataclass(frozen=True)
class WindowBatch:
    """Padded windows (n, L) as the model reads them, with their targets.

    `ids`, `types` int64; `real` marks tokens against padding; `allowed` the passage's tokens and token 0;
    `starts`, `ends` the targets: tokens of an answer, or token 0 where the window holds none. `group`, `slot` int64
    (n,): the question's number in this batch, and the window's place among its windows. `taught` says whether a teacher
    knows this kind of text.
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    real: Bools
    allowed: Bools
    starts: Bools
    ends: Bools
    group: NDArray[np.int64]
    slot: NDArray[np.int64]
    taught: bool = True

    @property
    def questions(self) -> int:
        """Number of questions (groups) in the batch."""
        return int(self.group[-1]) + 1


class Corpus:
    """A data set as tokens.

    :param occurrences: "given" trusts each answer's offset; "all" counts every place where the paragraph holds the
        answer's words as right (SQuAD's offsets name the first of them, which is not always the one that was meant).
    """

    def __init__(
        self,
        data: SquadData,
        tokenizer: PassageTokenizer,
        size: WindowSize,
        occurrences: Literal["given", "all"] = "given",
    ) -> None:
        self.data, self.size = data, size
        self.layout: PairLayout = tokenizer.layout
        room = size.question_room(self.layout)
        self.passages: list[Tokens] = tokenizer.encode([paragraph.text for paragraph in data.paragraphs])
        asked = tokenizer.encode([question.text for question in data.questions])
        self.questions: list[Ints] = [tokens.ids[:room] for tokens in asked]
        self.passage_lengths = np.array([len(tokens) for tokens in self.passages], dtype=np.int32)
        self.question_lengths = np.array([len(ids) for ids in self.questions], dtype=np.int32)
        self.answers: list[Spans] = self._answer_tokens(occurrences)

    def _answer_tokens(self, occurrences: str) -> list[Spans]:
        """Token spans of each question's answers, the annotator's first one first."""
        found: list[Spans] = []
        for question in self.data.questions:
            text, tokens = self.data.paragraphs[question.paragraph].text, self.passages[question.paragraph]
            places = [(answer.start, answer.start + len(answer.text)) for answer in question.answers]
            if occurrences == "all":
                places += [place for answer in question.answers for place in _word_places(text, answer.text)]
            spans = []
            for begin, end in dict.fromkeys(places):
                # Tokens that share at least one character with the answer.
                first = int(np.searchsorted(tokens.ends, begin, side="right"))
                last = int(np.searchsorted(tokens.starts, end, side="left")) - 1
                if first <= last:
                    spans.append((first, last))
            found.append(spans)
        return found

    def unread(self) -> list[int]:
        """The questions with an answer that is longer than what a window can hold beside them."""
        room = self.size.max_length - self.layout.special_tokens - self.question_lengths
        first = [spans[0] if spans else (0, -1) for spans in self.answers]
        return [number for number, (begin, end) in enumerate(first) if end - begin + 1 > room[number]]

    def crop(
        self, question: Ints, paragraph: Ints, group: Ints, crops: Crops | None, rng: np.random.Generator
    ) -> WindowPlan:
        """Choose a window for each pair: at random, but around the first answer where the paragraph holds it.

        :param crops: None takes windows as long as the reader's, at a random place in longer passages.
        """
        n = len(question)
        total = np.full(n, self.size.max_length)
        if crops is not None:
            cropped = rng.integers(crops.shortest, crops.longest + 1, n)
            total = np.where(rng.random(n) < crops.whole, total, np.minimum(cropped, total))
        around = self.layout.special_tokens + self.question_lengths[question]
        first, last = np.full((2, n), -1)
        own = (
            np.array([question_.paragraph for question_ in self.data.questions], dtype=np.int32)[question] == paragraph
        )
        for row in np.flatnonzero(own):
            if spans := self.answers[question[row]]:
                first[row], last[row] = spans[0]
        held = first >= 0
        # A long answer widens a short crop, up to what the reader itself would read at once.
        room = np.maximum(total - around, np.where(held, last - first + 1, 1))
        room = np.minimum(room, self.size.max_length - around)
        passage = self.passage_lengths[paragraph]
        length = np.minimum(room, passage)
        low = np.where(held, np.maximum(0, last - length + 1), 0)
        high = np.where(held, np.minimum(first, passage - length), passage - length)
        begin = low + np.floor(rng.random(n) * (np.maximum(high - low, 0) + 1)).astype(np.int64)
        return WindowPlan(question, paragraph, begin.astype(np.int32), length.astype(np.int32), group)

    def window_lengths(self, plan: WindowPlan) -> Ints:
        """Tokens of each window, int32 (n,)."""
        lengths: Ints = self.layout.special_tokens + self.question_lengths[plan.question] + plan.length
        return lengths

    def padded_length(self, longest: int) -> int:
        """What windows are padded to: few lengths, as kernels and their memory are kept for each shape that was met."""
        return min(-(-longest // PAD_TO) * PAD_TO, self.size.max_length)

    def held_answers(self, plan: WindowPlan) -> int:
        """How many of the windows hold an answer whole."""
        held = 0
        for q, p, begin, length in zip(plan.question, plan.paragraph, plan.begin, plan.length, strict=True):
            if self.data.questions[q].paragraph == p:
                held += any(begin <= first and last < begin + length for first, last in self.answers[q])
        return held

    def batch(self, plan: WindowPlan) -> WindowBatch:
        """Lay the windows out, padded to the longest of them, and on to one of few lengths."""
        shape = len(plan), self.padded_length(int(self.window_lengths(plan).max()))
        ids, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        real, allowed, starts, ends = (np.zeros(shape, dtype=bool) for _ in range(4))
        before, between, after = self.layout.before, self.layout.between, self.layout.after
        for row in range(len(plan)):
            question, passage = self.questions[plan.question[row]], self.passages[plan.paragraph[row]]
            begin, length = int(plan.begin[row]), int(plan.length[row])
            asked = len(before)
            joint = asked + len(question)
            context = joint + len(between)
            close = context + length
            stop = close + len(after)
            ids[row, :asked], types[row, :asked] = before.T
            ids[row, asked:joint], types[row, asked:joint] = question, self.layout.question_type
            ids[row, joint:context], types[row, joint:context] = between.T
            ids[row, context:close] = passage.ids[begin : begin + length]
            types[row, context:close] = self.layout.passage_type
            ids[row, close:stop], types[row, close:stop] = after.T
            real[row, :stop] = True
            allowed[row, 0] = True
            allowed[row, context:close] = True
            if self.data.questions[plan.question[row]].paragraph == plan.paragraph[row]:
                for first, last in self.answers[plan.question[row]]:
                    if begin <= first and last < begin + length:
                        starts[row, context + first - begin] = True
                        ends[row, context + last - begin] = True
            if not starts[row].any():
                starts[row, 0] = ends[row, 0] = True
        group, slot = _number(plan.group)
        return WindowBatch(ids, types, real, allowed, starts, ends, group, slot)


def _number(group: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Groups numbered from 0 in the order met, and each window's place in its group."""
    new = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    sizes = np.diff(np.append(new, len(group)))
    slot = np.arange(len(group)) - np.repeat(new, sizes)
    return np.repeat(np.arange(len(new)), sizes), slot


def _word_places(text: str, answer: str) -> Sequence[tuple[int, int]]:
    """Where the answer stands as whole words: "in" is not held by "Berlin"."""
    places, start = [], text.find(answer)
    while start >= 0:
        end = start + len(answer)
        left = start == 0 or not (text[start - 1].isalnum() and answer[0].isalnum())
        right = end == len(text) or not (text[end].isalnum() and answer[-1].isalnum())
        if left and right:
            places.append((start, end))
        start = text.find(answer, start + 1)
    return places
