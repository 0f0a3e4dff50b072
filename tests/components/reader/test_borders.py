"""What no answer runs over, and that none does."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from haystack import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from components.reader import ExtractiveReader
from components.reader.borders import find_borders
from components.reader.spans import top_spans


def parts(text: str) -> list[str]:
    places = [0, *find_borders(text).tolist(), len(text)]
    return [text[begin:end] for begin, end in pairwise(places)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One page\fanother", ["One page\f", "another"]),
        ("One.\n \nTwo.\n\n\nThree.", ["One.\n \n", "Two.\n\n\n", "Three."]),
        ("wrapped in the\nmiddle: a sentence\nof plain text", ["wrapped in the\nmiddle: a sentence\nof plain text"]),
        (
            "Island: Hooge; Beds: 900\nIsland: Oland; Beds: 20",
            ["Island: ", "Hooge; ", "Beds: ", "900\n", "Island: ", "Oland; ", "Beds: ", "20"],
        ),
        ("Hooge | 900 | daily\nOland | 20", ["Hooge | ", "900 | ", "daily\n", "Oland | ", "20"]),
        ("Landlord: Jens Wand\nTenant: Ada Quill", ["Landlord: Jens Wand\n", "Tenant: Ada Quill"]),
        ("We need:\n- two boats\n- a rope", ["We need:\n", "- two boats\n", "- a rope"]),
        ("He came; he saw; he won.", ["He came; he saw; he won."]),
    ],
)
def test_pages_paragraphs_rows_and_cells_end_at_borders(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 12), st.integers(1, 9), st.integers(0, 999))
def test_spans_within_segments_are_those_of_three_loops(sizes: list[int], k: int, longest: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    total = sum(sizes)
    start, end = (torch.randn(total + 2, generator=generator) for _ in range(2))
    segment = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    around = torch.cat([torch.zeros(1, dtype=torch.long), segment, torch.zeros(1, dtype=torch.long)])
    got = top_spans(start, end, torch.tensor([1]), torch.tensor([total]), k, longest, around)
    scores = sorted(
        (
            float(start[1 + a] + end[1 + b])
            for a in range(total)
            for b in range(a, min(total, a + longest))
            if segment[a] == segment[b]
        ),
        reverse=True,
    )[:k]
    found = [score for score in got.score[0].tolist() if score > float("-inf")]
    assert found == pytest.approx(scores)


def test_no_answer_runs_over_a_border(reader_of: Callable[[str], Path]) -> None:
    reader = ExtractiveReader(
        str(reader_of("bert")), device="cpu", engine="torch", precision="fp32", max_seq_length=96, stride=16, top_k=200,
        overlap_threshold=None, answers_per_seq=60,
    )  # fmt: skip
    text = (
        "Tower: Eiffel; Built: 1889\nTower: Paris; Built: 2015\n\nIt is 330 metres tall\fWho built the tower? Gustave."
    )
    answers = reader.run("Who built it?", [Document(content=text), Document(content="It is in Paris, France.")])[
        "answers"
    ]
    borders = find_borders(text).tolist()
    inside = [answer for answer in answers if answer.data and answer.document.content == text]
    assert len(inside) > 5
    for answer in inside:
        span = answer.document_offset
        assert not any(span.start < place < span.end for place in borders), answer.data
