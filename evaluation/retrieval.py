"""Figures of retrieval from ranks: how often, and how high, the right passage is found. Pure functions."""

from collections.abc import Hashable, Sequence

# The rank of the gold passage, from 0; None where it was not returned at all.
Rank = int | None


def rank_of(gold: Hashable, found: Sequence[Hashable]) -> Rank:
    """Place of the first `gold` in `found`, from 0; None when it is not there."""
    return next((rank for rank, one in enumerate(found) if one == gold), None)


def recall_at(k: int, ranks: Sequence[Rank]) -> float:
    """
    Share of questions whose gold passage is among the first `k`, 0 to 1.

    :raises ValueError: for no questions, or k below 1.
    """
    if not ranks:
        raise ValueError("recall needs at least one question")
    if k < 1:
        raise ValueError(f"k is {k}, but recall is counted among the first 1 or more")
    return sum(rank is not None and rank < k for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[Rank]) -> float:
    """
    Mean of 1 / (rank + 1), where a passage that was not found counts 0 (Voorhees 1999, TREC-8 question answering).

    :raises ValueError: for no questions.
    """
    if not ranks:
        raise ValueError("the mean reciprocal rank needs at least one question")
    return sum(0.0 if rank is None else 1.0 / (rank + 1) for rank in ranks) / len(ranks)
