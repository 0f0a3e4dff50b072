import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.encoder.ragged import Ragged

rows_of_ids = st.lists(st.lists(st.integers(0, 30_000), max_size=12), max_size=20)


def lists(batch: Ragged) -> list[list[int]]:
    return [batch.ids[a:b].tolist() for a, b in zip(batch.starts, batch.starts[1:], strict=False)]


@given(rows_of_ids)
def test_of_keeps_every_sequence_also_none_and_empty_ones(rows: list[list[int]]) -> None:
    batch = Ragged.of(rows, [[i % 2 for i in row] for row in rows])
    assert lists(batch) == rows
    assert len(batch) == len(rows)
    assert batch.total == sum(map(len, rows))
    assert batch.positions().tolist() == [i for row in rows for i in range(len(row))]
    assert batch.types.tolist() == [i % 2 for row in rows for i in row]


@given(rows_of_ids, st.data())
def test_take_is_list_indexing(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1))) if rows else []
    batch = Ragged.of(rows)
    numbers = np.array(chosen, dtype=np.int64)
    assert lists(batch.take(numbers)) == [rows[i] for i in chosen]
    assert batch.ids[batch.token_indices(numbers)].tolist() == [i for c in chosen for i in rows[c]]


@given(rows_of_ids, st.integers(1, 40))
def test_batches_keep_to_the_budget_and_hold_every_sequence_once(rows: list[list[int]], budget: int) -> None:
    batch = Ragged.of(rows)
    dealt = batch.within_budget(budget)
    assert all(batch.take(part).total <= budget or len(part) == 1 for part in dealt)
    order = [int(row) for part in dealt for row in part]
    assert sorted(order) == list(range(len(rows)))
    assert [len(rows[row]) for row in order] == sorted(map(len, rows), reverse=True)


@given(rows_of_ids, st.integers(1, 40))
def test_padded_budget_counts_the_padding(rows: list[list[int]], budget: int) -> None:
    batch = Ragged.of(rows)
    for part in batch.within_budget(budget, padded=True):
        assert len(part) == 1 or len(part) * batch.lengths[part].max() <= budget


@pytest.mark.parametrize(
    ("ids", "types", "lengths", "said"),
    [
        ([1, 2], [0], [2], "one type for each id"),
        ([1, 2], [0, 0], [3], "sum to 3"),
        ([1, 2], [0, 0], [3, -1], "negative"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    ids: list[int], types: list[int], lengths: list[int], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Ragged(*(np.array(part, dtype=np.int32) for part in (ids, types, lengths)))


def test_other_kinds_of_array_are_refused() -> None:
    with pytest.raises(ValueError, match="int32"):
        Ragged(np.zeros(2), np.zeros(2, dtype=np.int32), np.array([2], dtype=np.int32))
