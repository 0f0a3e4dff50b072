"""Blocks cover a text, their anchors count what a reader counts, and an answer finds its block and cell."""

from hypothesis import given
from hypothesis import strategies as st

from components.reading_view import anchor_of, blocks_of, reading_view


def anchors(text, *given):
    return [(block.anchor, text[block.start : block.end]) for block in reading_view(text, *given)]


def test_paragraphs_of_a_format_without_pages():
    text = "Title\n\nFirst\nwrapped.\n\n\nSecond."
    assert anchors(text) == [("p1", "Title"), ("p2", "First\nwrapped."), ("p3", "Second.")]


def test_lines_of_a_list_have_anchors_of_their_own():
    assert anchors("List:\n\none\ntwo", (), "text/html") == [("p1", "List:"), ("p2", "one"), ("p3", "two")]


def test_slides_count_anew():
    text = "One\fTwo\n\nmore"
    assert anchors(text, (0, 4)) == [("page-1-p1", "One"), ("page-2-p1", "Two"), ("page-2-p2", "more")]


def test_cells_of_a_sheet():
    text = "Islands\n\nIsland | Area\nIsland: Hooge; Area: 5.78 km2; rough"
    blocks = reading_view(text, (0,), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    assert [block.anchor for block in blocks] == ["sheet-1-row-1", "sheet-1-row-2", "sheet-1-row-3"]
    assert [text[cell.start : cell.end] for cell in blocks[2].cells] == ["Island: Hooge", "Area: 5.78 km2; rough"]
    start = text.index("5.78")
    assert anchor_of(blocks, start, start + 4) == "sheet-1-row-3-cell-2"


def test_an_answer_over_two_paragraphs_lies_in_both():
    text = "one two\n\nthree"
    found = blocks_of(reading_view(text), 4, 12)
    assert [block.anchor for block in found] == ["p1", "p2"]
    assert anchor_of(reading_view(""), 0, 1) is None


@given(st.text("ab \n\f;:|", max_size=60), st.sampled_from(["text/plain", "text/html", "text/csv"]))
def test_only_white_space_lies_between_blocks(text, mime):
    starts = [0, *(i + 1 for i, letter in enumerate(text) if letter == "\f")]
    position = 0
    blocks = reading_view(text, starts, mime)
    for block in blocks:
        assert position <= block.start < block.end
        assert text[position : block.start].strip() == ""
        assert not block.cells or (block.cells[0].start, block.cells[-1].end) == (block.start, block.end)
        position = block.end
    assert text[position:].strip() == ""
    assert len({block.anchor for block in blocks}) == len(blocks)
