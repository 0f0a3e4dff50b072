"""Windows are what transformers makes of the same texts: ids, types, offsets."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.encoder.ragged import Ragged
from components.reader.tokens import PairLayout, PassageTokenizer, Tokens
from components.reader.windows import WindowSize, cut_windows

TEXTS = st.text(
    st.one_of(
        st.sampled_from("the tower was built in 1889, by Eiffel.\n\r\t"),
        st.sampled_from("é\u0301\u200dשל👩🏽👧ß東京\x00\f\u00a0ﬁ㍿"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=120,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def expected_windows(folder: Path, question: str, passage: str, size: WindowSize):
    """What the tokenizer makes of the pair through transformers."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    limit = WindowSize(size.max_length, size.stride, size.max_question).question_room(
        PassageTokenizer.load(folder).layout
    )
    cut = tokenizer(question, add_special_tokens=False, truncation=True, max_length=limit, return_offsets_mapping=True)
    kept = question[: cut["offset_mapping"][-1][1]] if cut["offset_mapping"] else ""
    if tokenizer(kept, add_special_tokens=False)["input_ids"] != cut["input_ids"]:
        return None  # the question cannot be cut as text: a character of several tokens stands at the limit
    return tokenizer(
        kept,
        passage,
        truncation="only_second",
        max_length=size.max_length,
        stride=size.stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


def agree(folder: Path, question: str, passage: str, size: WindowSize) -> None:
    tokenizer = PassageTokenizer.load(folder)
    asked, read = tokenizer.encode([question, passage])
    expected = expected_windows(folder, question, passage, size)
    if expected is None:
        return
    got = cut_windows(tokenizer.layout, [asked.ids], [read], size)
    if not len(read):
        assert len(got) == 0
        return
    assert len(got) == len(expected["input_ids"])
    for window in range(len(got)):
        row = slice(got.batch.starts[window], got.batch.starts[window + 1])
        assert got.batch.ids[row].tolist() == expected["input_ids"][window]
        if tokenizer.layout.passage_type:
            assert got.batch.types[row].tolist() == expected["token_type_ids"][window]
        else:
            assert not got.batch.types[row].any()
        sides = expected.sequence_ids(window)
        context = [place for place, side in enumerate(sides) if side == 1]
        assert got.context[window] == context[0]
        assert got.context_length[window] == len(context)
        tokens = slice(got.first_token[window], got.first_token[window] + len(context))
        offsets = list(zip(read.starts[tokens].tolist(), read.ends[tokens].tolist(), strict=True))
        assert offsets == [tuple(expected["offset_mapping"][window][place]) for place in context]


@QUICK
@given(question=TEXTS, passage=TEXTS)
def test_windows_of_any_text_are_those_of_transformers(folder: Path, question: str, passage: str) -> None:
    agree(folder, question, passage, WindowSize(40, 8, 12))


@pytest.mark.parametrize("words", [1, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 60, 400])
def test_windows_at_every_border_are_those_of_transformers(folder: Path, words: int) -> None:
    agree(folder, "who built it ?", "tower " * words, WindowSize(32, 8, 12))


def test_a_question_longer_than_the_limit_loses_its_end(folder: Path) -> None:
    agree(folder, "who built the tower " * 40, "The tower was built by Eiffel. " * 20, WindowSize(64, 16, 10))


LAYOUT = PairLayout(
    np.array([[2, 0]], dtype=np.int32), np.array([[3, 0]], dtype=np.int32), np.array([[3, 1]], dtype=np.int32), 0, 1
)


def tokens(length: int) -> Tokens:
    ids = np.arange(100, 100 + length, dtype=np.int32)
    return Tokens(ids, ids, ids)


@given(
    lengths=st.lists(st.tuples(st.integers(0, 70), st.integers(0, 300)), max_size=8),
    size=st.builds(WindowSize, st.integers(20, 64), st.integers(0, 6), st.integers(1, 70)),
)
def test_windows_hold_every_token_and_share_the_stride(lengths: list[tuple[int, int]], size: WindowSize) -> None:
    questions = [np.arange(1000, 1000 + asked, dtype=np.int32) for asked, _ in lengths]
    passages = [tokens(read) for _, read in lengths]
    got = cut_windows(LAYOUT, questions, passages, size)
    assert isinstance(got.batch, Ragged) and got.batch.longest <= size.max_length
    assert sorted(set(got.pair.tolist())) == [pair for pair, (_, read) in enumerate(lengths) if read]
    for pair in set(got.pair.tolist()):
        rows = np.flatnonzero(got.pair == pair)
        held = [range(got.first_token[r], got.first_token[r] + got.context_length[r]) for r in rows]
        assert set().union(*held) == set(range(lengths[pair][1]))
        assert [here.stop for here in held].count(lengths[pair][1]) == 1, (
            "no window after the one that ends the passage"
        )
        assert all(first.stop - second.start == size.stride for first, second in pairwise(held))
        for r, here in zip(rows, held, strict=True):
            begin = got.batch.starts[r] + got.context[r]
            assert got.batch.ids[begin : begin + len(here)].tolist() == [100 + place for place in here]
            assert set(got.batch.types[begin : begin + len(here)].tolist()) == {1}


@pytest.mark.parametrize(
    "size", [WindowSize(384, 383), WindowSize(384, -1), WindowSize(4, 0), WindowSize(20, 12), WindowSize(20, 0, 0)]
)
def test_windows_that_would_not_move_on_are_refused(size: WindowSize) -> None:
    with pytest.raises(ValueError, match=f"max_seq_length={size.max_length}, stride={size.stride}"):
        cut_windows(LAYOUT, [np.arange(3, dtype=np.int32)], [tokens(500)], size)


def test_no_pair_gives_no_window() -> None:
    got = cut_windows(LAYOUT, [], [])
    assert len(got) == 0 and got.batch.total == 0 and got.context.dtype == np.int32
