"""Which token sequences does the model read for a question and its passages? Windows, joined as ids, never as text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.encoder.ragged import Ints, Ragged
from components.reader.tokens import PairLayout, Tokens


@dataclass(frozen=True)
class Windows:
    """
    What the model reads, and where it came from. All arrays but ``batch`` are int32 (windows,).

    :param batch: the token sequences; position 0 of each is the null position ([CLS], <s>).
    :param pair: number of the (question, passage) pair a window belongs to; ascending.
    :param context: position of the first passage token in the window.
    :param context_length: passage tokens in the window, at least 1.
    :param first_token: number, in its passage, of the first passage token.
    :param segment: of each token of the batch, int32 (total,): no answer has tokens of two segments. None: all may.
    """

    batch: Ragged
    pair: Ints
    context: Ints
    context_length: Ints
    first_token: Ints
    segment: Ints | None = None

    def __len__(self) -> int:
        return len(self.pair)


@dataclass(frozen=True)
class WindowSize:
    """
    How passages are cut: the figures of the published SQuAD readers by default.

    :param max_length: tokens of a window, special tokens and question included.
    :param stride: tokens that two windows of a passage share.
    :param max_question: tokens of a question; what is longer loses its end. Never more than half of what special tokens
        leave of ``max_length``.
    """

    max_length: int = 384
    stride: int = 128
    max_question: int = 64

    def question_room(self, layout: PairLayout) -> int:
        """
        How many tokens of a question are read.

        :raises ValueError: if windows of this size would not move on, whatever the question.
        """
        room = self.max_length - layout.special_tokens
        longest = min(self.max_question, room // 2)
        if longest < 1 or self.stride < 0 or room - longest <= self.stride:
            raise ValueError(
                f"max_seq_length={self.max_length}, stride={self.stride}, max_query_length={self.max_question}: with "
                f"{layout.special_tokens} special tokens and a question of {max(longest, 0)}, windows of long passages "
                f"hold {max(room - longest, 0)} of its tokens and share {self.stride}: they would never reach its end. "
                f"Make stride at least 0 and smaller than {max(room - longest, 0)}, or max_seq_length larger."
            )
        return longest


def cut_windows(
    layout: PairLayout, questions: Sequence[Ints], passages: Sequence[Tokens], size: WindowSize | None = None
) -> Windows:
    """
    Join question and passage of each pair, cutting long passages as transformers does with ``truncation="only_second"``
    and ``return_overflowing_tokens``: windows of equal length, each ``stride`` tokens into the one before.

    :param questions: token ids of the question of each pair.
    :param passages: tokens of the passage of each pair; one without tokens gets no window.
    :raises ValueError: see :meth:`WindowSize.question_room`.
    """
    size = size or WindowSize()
    question_room = size.question_room(layout)
    ids: list[Ints] = []
    kinds: list[int] = []
    origins: list[tuple[int, int, int, int]] = []
    lengths: list[int] = []
    segments: list[Ints] = []
    segmented = any(passage.segments is not None for passage in passages)
    before, between, after = layout.before[:, 0], layout.between[:, 0], layout.after[:, 0]
    special_types = [part[:, 1] for part in (layout.before, layout.between, layout.after)]
    for pair, (question, passage) in enumerate(zip(questions, passages, strict=True)):
        question = question[:question_room]
        context = len(before) + len(question) + len(between)
        room = size.max_length - layout.special_tokens - len(question)
        for begin in range(0, len(passage), room - size.stride):
            held = passage.ids[begin : begin + room]
            ids += (before, question, between, held, after)
            kinds += (len(question), len(held))
            lengths.append(context + len(held) + len(after))
            if segmented:
                row = np.zeros(lengths[-1], dtype=np.int32)
                if passage.segments is not None:
                    row[context : context + len(held)] = passage.segments[begin : begin + room]
                segments.append(row)
            origins.append((pair, context, len(held), begin))
            if begin + room >= len(passage):
                break
    table = np.array(origins, dtype=np.int32).reshape(-1, 4)
    batch = Ragged(
        np.concatenate(ids) if ids else np.zeros(0, dtype=np.int32),
        _types(layout, special_types, kinds),
        np.array(lengths, dtype=np.int32),
    )
    pairs, contexts, context_lengths, first_tokens = (np.ascontiguousarray(column) for column in table.T)
    segment = np.concatenate(segments) if segments else None
    return Windows(batch, pairs, contexts, context_lengths, first_tokens, segment)


def _types(layout: PairLayout, special: Sequence[Ints], text_lengths: Sequence[int]) -> Ints:
    """Token types of all the windows, in one stroke: ``text_lengths`` alternates question and passage."""
    windows = len(text_lengths) // 2
    row = np.concatenate(
        [special[0], [layout.question_type], special[1], [layout.passage_type], special[2]], dtype=np.int32
    )
    times = np.ones((windows, len(row)), dtype=np.int64)
    texts = np.array(text_lengths, dtype=np.int64).reshape(-1, 2)
    times[:, len(special[0])] = texts[:, 0]
    times[:, len(special[0]) + 1 + len(special[1])] = texts[:, 1]
    return np.repeat(np.tile(row, windows), times.ravel())
