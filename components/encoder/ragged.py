"""Sequences of uneven length laid end to end: how token sequences travel between tokenizer, scheduler and engines."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """
    Token sequences without padding.

    :param ids: token ids, int32 (total,).
    :param types: token types (0 question, 1 passage for BERT's kin), int32 (total,).
    :param lengths: tokens of each sequence, int32 (n,), none negative, their sum is total. 0 is allowed.
    :raises ValueError: where the three do not belong together.
    """

    ids: Ints
    types: Ints
    lengths: Ints

    def __post_init__(self) -> None:
        for name in ("ids", "types", "lengths"):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != np.int32 or array.ndim != 1:
                got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
                raise ValueError(f"Ragged.{name} must be a flat int32 array, got {got}.")
        if len(self.ids) != len(self.types):
            raise ValueError(f"Ragged needs one type for each id, got {len(self.ids)} ids and {len(self.types)} types.")
        if len(self.lengths) and self.lengths.min() < 0:
            raise ValueError(f"Ragged.lengths must not be negative, got {self.lengths.min()}.")
        if self.lengths.sum(dtype=np.int64) != len(self.ids):
            raise ValueError(
                f"Ragged.lengths sum to {self.lengths.sum(dtype=np.int64)}, but there are {len(self.ids)} ids."
            )

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]], types: Iterable[Sequence[int]] | None = None) -> "Ragged":
        """Lay lists of ids end to end; without ``types`` every token has type 0."""
        rows = [np.asarray(row, dtype=np.int32) for row in sequences]
        ids = _joined(rows)
        kinds = np.zeros_like(ids) if types is None else _joined([np.asarray(row, dtype=np.int32) for row in types])
        return cls(ids, kinds, np.array([len(row) for row in rows], dtype=np.int32))

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.lengths)

    @property
    def total(self) -> int:
        """Number of tokens."""
        return len(self.ids)

    @cached_property
    def starts(self) -> Indices:
        """Where each sequence begins in ``ids``, and the end of the last: int64 (n + 1,)."""
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.lengths, dtype=np.int64)])

    @cached_property
    def longest(self) -> int:
        """Length of the longest sequence, 0 without any."""
        return int(self.lengths.max(initial=0))

    def positions(self) -> Indices:
        """Place of each token in its own sequence, from 0: int64 (total,)."""
        return np.arange(self.total, dtype=np.int64) - np.repeat(self.starts[:-1], self.lengths)

    def token_indices(self, sequences: NDArray[np.integer]) -> Indices:
        """
        Where the tokens of these sequences lie, in the order of ``sequences``: int64 (sum of their lengths,).

        ``batch.ids[batch.token_indices(rows)] == batch.take(rows).ids``; assigning through it puts what was computed
        for ``batch.take(rows)`` back into its place.
        """
        lengths = self.lengths[sequences].astype(np.int64)
        ends = np.cumsum(lengths)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        return within + np.repeat(self.starts[:-1][sequences], lengths)

    def take(self, sequences: NDArray[np.integer]) -> "Ragged":
        """The sequences with these numbers, in this order (as numpy's ``take``; numbers may repeat)."""
        tokens = self.token_indices(sequences)
        return Ragged(self.ids[tokens], self.types[tokens], self.lengths[sequences])

    def by_length(self) -> Indices:
        """Numbers of the sequences, longest first, ties in their order: int64 (n,)."""
        return np.argsort(-self.lengths.astype(np.int64), kind="stable")

    def within_budget(self, max_tokens: int, padded: bool = False) -> list[Indices]:
        """
        Deal the sequences, longest first, into batches of at most ``max_tokens`` tokens.

        A sequence longer than the budget gets a batch of its own. With ``padded``, what counts is the batch padded to
        its longest sequence (sequences x longest). Longest first: a batch that does not fit in memory fails at once.

        :returns: numbers of the sequences, batch by batch; their concatenation is ``by_length()``.
        """
        if max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {max_tokens}.")
        order = self.by_length()
        batches: list[Indices] = []
        begin, cost = 0, 0
        for place, row in enumerate(order.tolist()):
            length = int(self.lengths[row])
            grown = int(self.lengths[order[begin]]) * (place - begin + 1) if padded else cost + length
            if place > begin and grown > max_tokens:
                batches.append(order[begin:place])
                begin, grown = place, length
            cost = grown
        if begin < len(order):
            batches.append(order[begin:])
        return batches

    def in_shares(self, workers: int, max_tokens: int) -> list[Indices]:
        """
        Deal the sequences into shares of about equally many tokens: as many as there are workers, or a multiple of
        that where a share would exceed ``max_tokens``. The longest go first, each to the smallest share (Graham 1969).

        :returns: numbers of the sequences, share by share; within a share longest first. None is empty.
        """
        if max_tokens < 1 or workers < 1:
            raise ValueError(f"workers and max_tokens must be at least 1, got {workers} and {max_tokens}.")
        count = min(len(self), workers * max(1, -(-self.total // (workers * max_tokens))))
        heap = [(0, share) for share in range(count)]
        shares: list[list[int]] = [[] for _ in range(count)]
        for row in self.by_length().tolist():
            tokens, share = heapq.heappop(heap)
            shares[share].append(row)
            # A sequence without tokens counts as one, or all such would go to the same share.
            heapq.heappush(heap, (tokens + max(1, int(self.lengths[row])), share))
        return [np.array(share, dtype=np.int64) for share in shares]


def _joined(rows: Sequence[Ints]) -> Ints:
    return np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)


def rounded_up(count: int, step: int) -> int:
    """The next multiple of ``step``: kernels are made for each shape they meet, so there are not to be too many."""
    return -(-count // step) * step
