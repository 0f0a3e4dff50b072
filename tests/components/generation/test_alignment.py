"""A written answer is found where it stands, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.generation.alignment import align

TEXT = "In 1874 the U.S. built a light-house on Norderney, in Berlin's time; the naïve café (54 m) stood, too."


@pytest.mark.parametrize(
    ("answer", "said", "how"),
    [
        ("1874", "1874", "exact"),
        (" Norderney ", "Norderney", "exact"),
        ("in", "in", "exact"),
        ("the light house", "light-house", "normalised"),
        ("NORDERNEY in Berlin", "Norderney, in Berlin", "normalised"),
        ("built a lighthouse on Norderney", "built a light-house on Norderney", "near"),
    ],
)
def test_what_was_written_is_found(answer, said, how):
    found = align(answer, TEXT)
    assert found is not None and (TEXT[found.start : found.end], found.how) == (said, how)


@pytest.mark.parametrize("answer", ["1974", "", "  ", "Paris", "erli", "stood in 1875 on Norderney", "x" * 500])
def test_what_stands_nowhere_is_not_found(answer):
    assert align(answer, TEXT) is None


def test_whole_words_come_first():
    found = align("cat", "concatenate the cat")
    assert found is not None and found.start == 16
    assert align("東京", "昨日東京タワー").start == 2


@given(st.text(max_size=80), st.text(max_size=20))
def test_any_text_gives_a_span_within_it_or_nothing(text, answer):
    found = align(answer, text)
    assert found is None or 0 <= found.start < found.end <= len(text)
