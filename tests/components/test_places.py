"""From an answer's offsets to rectangles on its page."""

import pytest
from haystack import Document, ExtractedAnswer

from components.page_layout import PageLayout, Word, pack
from components.places import AnswerPlaces, Rectangle, locate

# "Two words," on a line, "light|house" over a line break, "next" on the following page, turned by a quarter.
WORDS = [
    Word(1, 0, 3, 10, 10, 30, 20),
    Word(1, 4, 10, 34, 10, 65, 20, 0, 0, 1, 0, 5),
    Word(1, 11, 16, 70, 10, 100, 20),
    Word(1, 16, 21, 10, 22, 40, 32),
    Word(2, 22, 26, 10, 50, 20, 90, 1),
]
LAYOUT = pack(WORDS, [(200, 300), (300.5, 200)], ["iv", None])


def rectangles(start, end):
    return locate(PageLayout(LAYOUT), start, end).rectangles


def test_what_is_packed_comes_back():
    layout = PageLayout(LAYOUT)
    assert [word for page in layout.pages for word in layout.words(page.number)] == WORDS
    assert [(page.label, page.width, page.height) for page in layout.pages] == [("iv", 200, 300), (None, 300.5, 200)]
    with pytest.raises(ValueError, match="index the file again"):
        PageLayout(b"x\x9c" + LAYOUT)


def test_words_of_a_line_are_one_rectangle():
    assert rectangles(0, 10) == [Rectangle(1, 10, 10, 65, 20)]


def test_punctuation_behind_an_answer_is_left_out():
    assert rectangles(4, 9) == [Rectangle(1, 34, 10, 60, 20)]


def test_a_hyphenated_word_is_marked_on_both_lines():
    assert rectangles(11, 21) == [Rectangle(1, 70, 10, 100, 20), Rectangle(1, 10, 22, 40, 32)]


def test_part_of_a_word_takes_its_share_also_of_a_turned_one():
    assert rectangles(12, 14) == [Rectangle(1, 76, 10, 88, 20)]
    assert rectangles(22, 24) == [Rectangle(2, 10, 50, 20, 70)]


def test_an_answer_over_two_pages():
    found = locate(PageLayout(LAYOUT), 16, 26)
    assert [page.number for page in found.pages] == [1, 2]
    assert [box.page for box in found.rectangles] == [1, 2]
    assert rectangles(10, 11) == []


class Record:
    def __init__(self):
        self.asked = 0

    def get_layout(self, source_id):
        self.asked += 1
        return {"s": ("v", LAYOUT), "text": ("v", None)}.get(source_id)


def answer(source_id, version):
    places = [{"start_in_file": 4, "end_in_file": 9}]
    meta = {"places": places, "place_sources": [(source_id, version)]}
    return ExtractedAnswer(query="?", score=1.0, data="words", document=Document(content="x"), meta=meta)


def test_answers_get_their_label_and_rectangles_and_a_layout_is_read_once():
    record = Record()
    places = AnswerPlaces(record)
    answers = [answer("s", "v"), answer("s", "v")]
    places.add_to(answers)
    expected = [{"page": 1, "x0": 34.0, "y0": 10.0, "x1": 60.0, "y1": 20.0}]
    for one in answers:
        assert (one.meta["page_label"], one.meta["rectangles"]) == ("iv", expected)
        assert one.meta["places"][0]["rectangles"] == expected
    assert record.asked == 1


@pytest.mark.parametrize(("source_id", "version"), [("s", "older"), ("text", "v"), ("gone", "v"), (None, None)])
def test_no_rectangles_rather_than_those_of_another_version(source_id, version):
    one = answer(source_id, version)
    AnswerPlaces(Record()).add_to([one])
    assert (one.meta["page_label"], one.meta["rectangles"]) == (None, [])
