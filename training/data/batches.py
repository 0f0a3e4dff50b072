"""Which windows, in which order? A plan that seed and epoch fix, so that a killed run finds its place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.encoder.ragged import Ints
from training.data.windows import PAD_TO, Corpus, Crops, WindowPlan

# Sorting by length within pools of this many batches: little padding, and still a different company every epoch.
POOL = 64


@dataclass(frozen=True)
class Mixture:
    """What an epoch is made of.

    :param passages: passages a question is read with under one softmax: its own and mined wrong ones.
    :param mined: share of the questions that are also asked, alone, of a mined wrong passage.
    :param made: share of the questions made unanswerable by rule that take part in an epoch.
    :param versions: after so many epochs the same crops and negatives come again in another order, so that a
        teacher's cached outputs can be used again; 0 draws new ones for ever.
    """

    passages: int = 1
    mined: float = 0.25
    made: float = 0.25
    versions: int = 0

    def __post_init__(self) -> None:
        if self.passages < 1:
            raise ValueError(f"passages a question must be at least 1, got {self.passages}")
        for name in ("mined", "made"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share and must lie between 0 and 1, got {getattr(self, name)}")


class EpochPlan:
    """The batches of one epoch. Equal for equal corpus, mixture, seed and epoch, on any machine."""

    def __init__(
        self,
        corpus: Corpus,
        mined: NDArray[np.int32] | None,
        asked: int,
        mixture: Mixture,
        crops: Crops | None,
        batch_tokens: int,
        seed: int,
        epoch: int,
    ) -> None:
        """
        :param mined: wrong paragraphs of each asked question (questions, n), -1 where there is none.
        :param asked: questions 0 to asked - 1 come from the data, those after them were made unanswerable by rule.
        :param batch_tokens: most tokens of a batch, padding included; a question with more gets a batch of its own.
        """
        content = np.random.default_rng([seed, epoch % mixture.versions if mixture.versions else epoch, 1])
        order = np.random.default_rng([seed, epoch, 2])
        question, paragraph, group = _pairs(corpus, mined, asked, mixture, content)
        self.windows: WindowPlan = corpus.crop(question, paragraph, group, crops, content)
        lengths = corpus.window_lengths(self.windows)
        padded = np.minimum(-(-lengths // PAD_TO) * PAD_TO, corpus.size.max_length)
        self.batches = _deal(padded, group, batch_tokens, order)
        self.questions = int(group[-1]) + 1
        self.tokens = int(lengths.sum())

    def steps(self, accumulate: int) -> Iterator[list[WindowPlan]]:
        """The batches whose gradients are summed for one step of the optimiser, step by step."""
        for begin in range(0, len(self.batches), accumulate):
            yield [self.windows.take(rows) for rows in self.batches[begin : begin + accumulate]]


class MixedPlan:
    """The batches of two plans in one random order, `windows` those of the first."""

    def __init__(self, own: EpochPlan, beside: EpochPlan, seed: int, epoch: int) -> None:
        self.windows = own.windows
        self.questions = own.questions + beside.questions
        self.tokens = own.tokens + beside.tokens
        other = replace(beside.windows, part=1)
        batches = [(own.windows, rows) for rows in own.batches] + [(other, rows) for rows in beside.batches]
        self.batches = [batches[place] for place in np.random.default_rng([seed, epoch, 3]).permutation(len(batches))]

    def steps(self, accumulate: int) -> Iterator[list[WindowPlan]]:
        """As `EpochPlan.steps`."""
        for begin in range(0, len(self.batches), accumulate):
            yield [windows.take(rows) for windows, rows in self.batches[begin : begin + accumulate]]


def _pairs(
    corpus: Corpus, mined: NDArray[np.int32] | None, asked: int, mixture: Mixture, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Question, paragraph and group of every window; the windows of a group are neighbours."""
    own = np.array([question.paragraph for question in corpus.data.questions], dtype=np.int32)
    # A paragraph without tokens (white space only) has nothing to read.
    usable = corpus.passage_lengths > 0
    questions = [np.arange(asked)[usable[own[:asked]]]]
    paragraphs = [own[questions[0]]]
    groups = [questions[0]]
    wrong = _draw(mined, rng)
    if wrong is not None:
        for place in range(mixture.passages - 1):
            _append(questions, paragraphs, groups, np.arange(asked), wrong[:, place], np.arange(asked), usable)
        if mixture.mined:
            chosen = np.flatnonzero(rng.random(asked) < mixture.mined)
            _append(questions, paragraphs, groups, chosen, wrong[chosen, -1], asked + chosen, usable)
    made = np.arange(asked, len(own))
    made = made[rng.random(len(made)) < mixture.made]
    _append(questions, paragraphs, groups, made, own[made], 2 * asked + made, usable)
    question, paragraph, group = (np.concatenate(parts) for parts in (questions, paragraphs, groups))
    order = np.argsort(group, kind="stable")
    group = np.unique(group, return_inverse=True)[1]
    return question[order].astype(np.int32), paragraph[order].astype(np.int32), group[order].astype(np.int32)


def _draw(mined: NDArray[np.int32] | None, rng: np.random.Generator) -> NDArray[np.int32] | None:
    """Each question's wrong paragraphs in a random order, places that are empty (-1) last."""
    if mined is None or not mined.shape[1]:
        return None
    keys = np.where(mined < 0, 2.0, rng.random(mined.shape))
    shuffled = np.take_along_axis(mined, np.argsort(keys, axis=1), axis=1)
    # The last column, used for single wrong passages, must be a real one where there is any.
    return np.concatenate([shuffled, shuffled[:, :1]], axis=1)


def _append(
    questions: list[NDArray[np.int64]],
    paragraphs: list[NDArray[np.int32]],
    groups: list[NDArray[np.int64]],
    question: NDArray[np.int64],
    paragraph: NDArray[np.int32],
    group: NDArray[np.int64],
    usable: NDArray[np.bool_],
) -> None:
    real = (paragraph >= 0) & usable[paragraph]
    questions.append(question[real])
    paragraphs.append(paragraph[real])
    groups.append(group[real])


def _deal(lengths: Ints, group: Ints, batch_tokens: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Numbers of the windows, batch by batch: whole groups of like length, batches in random order."""
    if not len(group):
        raise ValueError("there is nothing to train on: no question has a paragraph with text")
    first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    sizes = np.diff(np.append(first, len(group)))
    longest = np.maximum.reduceat(lengths, first)
    shuffled = rng.permutation(len(first))
    pool = np.cumsum((longest * sizes)[shuffled]) // (POOL * batch_tokens)
    batches: list[NDArray[np.int64]] = []
    for number in range(int(pool[-1]) + 1):
        members = shuffled[pool == number]
        members = members[np.argsort(-longest[members], kind="stable")]
        held: list[int] = []
        windows = 0
        for member in members.tolist():
            if held and (windows + sizes[member]) * longest[held[0]] > batch_tokens:
                batches.append(_windows(held, first, sizes))
                held, windows = [], 0
            held.append(member)
            windows += int(sizes[member])
        if held:
            batches.append(_windows(held, first, sizes))
    return [batches[place] for place in rng.permutation(len(batches))]


def _windows(groups: list[int], first: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.arange(first[group], first[group] + sizes[group]) for group in groups])
