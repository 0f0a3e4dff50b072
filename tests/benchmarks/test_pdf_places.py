"""Answers in generated PDFs are marked where they stand (the thousand: python -m benchmarks.pdf_places)."""

from benchmarks.pdf_places import measure


def test_planted_spans_are_marked_where_they_were_drawn():
    result = measure(spans=96)
    assert result["well_marked"] >= 0.99, result["by_kind"]
