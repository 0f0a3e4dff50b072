import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.retrieval import mean_reciprocal_rank, rank_of, recall_at

ranks = st.lists(st.none() | st.integers(0, 30), min_size=1, max_size=20)


def test_by_hand():
    found = [0, 4, None, 5]
    assert recall_at(1, found) == 0.25
    assert recall_at(5, found) == 0.5
    assert recall_at(6, found) == 0.75
    assert mean_reciprocal_rank(found) == pytest.approx((1 + 1 / 5 + 1 / 6) / 4)


def test_the_first_place_counts():
    assert rank_of("b", ["a", "b", "b"]) == 1
    assert rank_of("x", ["a"]) is None
    assert rank_of("x", []) is None


@given(ranks, st.integers(1, 40))
def test_recall_is_the_share_of_questions_found(found, k):
    lists = [[] if rank is None else [object() for _ in range(rank)] + ["gold"] for rank in found]
    assert recall_at(k, found) == pytest.approx(sum("gold" in one[:k] for one in lists) / len(lists))
    assert recall_at(k, found) <= recall_at(k + 1, found)


@given(ranks)
def test_reciprocal_rank_lies_between_recall_at_1_and_recall_anywhere(found):
    assert recall_at(1, found) - 1e-9 <= mean_reciprocal_rank(found) <= recall_at(100, found) + 1e-9


def test_nothing_to_count_is_an_error():
    with pytest.raises(ValueError, match="at least one question"):
        recall_at(1, [])
    with pytest.raises(ValueError, match="at least one question"):
        mean_reciprocal_rank([])
    with pytest.raises(ValueError, match="k is 0"):
        recall_at(0, [1])
