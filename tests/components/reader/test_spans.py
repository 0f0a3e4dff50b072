"""Span arithmetic against a slow, obvious version with three loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from components.reader.spans import null_scores, top_of_groups, top_spans

WINDOWS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 25), st.integers(1, 3)), max_size=6)


def flat_logits(windows: list[tuple[int, int, int]], seed: int) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Windows of (tokens before, passage tokens, tokens after); all logits differ, the best lie outside the passage."""
    total = sum(sum(window) for window in windows)
    generator = torch.Generator().manual_seed(seed)
    start, end = (torch.randperm(1000 + total, generator=generator)[:total].float() / 7 for _ in range(2))
    end = end + 0.01 * math.pi  # so that no two sums are equal
    first, begin = [], 0
    for before, inside, after in windows:
        first.append(begin + before)
        for outside in (slice(begin, begin + before), slice(begin + before + inside, begin + before + inside + after)):
            start[outside] += 1e4
            end[outside] += 1e4
        begin += before + inside + after
    return start, end, first


def slow_spans(start, end, first: int, length: int, longest_answer: int) -> list[tuple[float, int, int]]:
    spans = []
    for begin in range(length):
        for stop in range(begin, length):
            if stop - begin + 1 <= longest_answer:
                spans.append(((start[first + begin] + end[first + stop]).item(), begin, stop))
    return sorted(spans, key=lambda span: -span[0])


@settings(max_examples=150, deadline=None)
@given(WINDOWS, st.integers(1, 40), st.integers(1, 35), st.integers(0, 1000))
def test_the_best_spans_are_those_of_three_loops(windows, k: int, longest_answer: int, seed: int) -> None:
    start, end, first = flat_logits(windows, seed)
    length = [inside for _, inside, _ in windows]
    got = top_spans(
        start, end, torch.tensor(first, dtype=torch.long), torch.tensor(length, dtype=torch.long), k, longest_answer
    )
    assert got.score.shape == got.start.shape == got.end.shape
    assert got.score.shape[0] == len(windows) and got.score.shape[1] <= k
    for row, (begin, inside) in enumerate(zip(first, length, strict=True)):
        expected = slow_spans(start, end, begin, inside, longest_answer)[:k]
        found = list(zip(*(t[row].tolist() for t in (got.score, got.start, got.end)), strict=True))
        found = [entry for entry in found if entry[0] > -math.inf]
        assert [entry[0] for entry in found] == [entry[0] for entry in expected]
        for score, a, b in found:  # spans of equal score may come in any order
            assert 0 <= a <= b < inside and b - a < longest_answer
            assert (start[begin + a] + end[begin + b]).item() == score
        assert len({entry[1:] for entry in found}) == len(found)


def test_a_span_never_leaves_its_window() -> None:
    start = torch.tensor([0.0, 5.0, 0.0, 0.0, 0.0])
    end = torch.tensor([0.0, 0.0, 0.0, 0.0, 9.0])
    got = top_spans(start, end, torch.tensor([1, 3]), torch.tensor([2, 1]), 5, 10)
    assert got.score[0].max() == 5.0 and got.end[0][got.score[0] > -math.inf].max() == 1


def test_the_same_spans_whatever_else_is_in_the_batch() -> None:
    start, end, first = flat_logits([(2, 9, 1), (3, 20, 1)], 3)
    alone = top_spans(start[:12], end[:12], torch.tensor(first[:1]), torch.tensor([9]), 4, 5)
    both = top_spans(start, end, torch.tensor(first), torch.tensor([9, 20]), 4, 5)
    assert (
        alone.score[0].equal(both.score[0]) and alone.start[0].equal(both.start[0]) and alone.end[0].equal(both.end[0])
    )


@pytest.mark.parametrize(("k", "longest"), [(0, 5), (5, 0)])
def test_settings_that_ask_for_nothing_are_refused(k: int, longest: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        top_spans(torch.zeros(3), torch.zeros(3), torch.tensor([1]), torch.tensor([1]), k, longest)


def test_no_window_and_empty_windows_have_no_span() -> None:
    nothing = torch.zeros(0, dtype=torch.long)
    assert top_spans(torch.zeros(0), torch.zeros(0), nothing, nothing, 3, 3).score.shape == (0, 0)
    assert top_spans(torch.ones(4), torch.ones(4), torch.tensor([2]), torch.tensor([0]), 3, 3).score.shape == (1, 0)


def test_the_null_score_is_both_logits_of_the_null_position() -> None:
    got = null_scores(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([8.0, 16.0, 32.0]), torch.tensor([0, 2]))
    assert got.tolist() == [9.0, 36.0]


@given(
    st.lists(st.tuples(st.one_of(st.just(-math.inf), st.integers(-99, 99)), st.integers(0, 4)), max_size=40),
    st.integers(1, 6),
)
def test_the_best_of_each_group(values, k: int) -> None:
    got = top_of_groups(
        torch.tensor([float(value) for value, _ in values]),
        torch.tensor([g for _, g in values], dtype=torch.long),
        5,
        k,
    )
    assert got.shape == (5, k)
    for group in range(5):
        mine = [place for place, (value, g) in enumerate(values) if g == group and value > -math.inf]
        expected = sorted(mine, key=lambda place: (-values[place][0], place))[:k]
        assert got[group].tolist() == expected + [-1] * (k - len(expected))
