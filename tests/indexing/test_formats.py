"""Each format, written by the library that people write it with, comes in with text, title, headings and pages."""

from collections.abc import Iterator

import pytest

from components.page_layout import PageLayout
from indexing.convert.extracted import Extracted
from indexing.convert.pool import ConverterPool
from tests.indexing.real_files import PARAGRAPH, SECOND, WRITERS


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Iterator[dict[str, Extracted]]:
    folder = tmp_path_factory.mktemp("real")
    for name, write in WRITERS.items():
        write(folder / name)
    pool = ConverterPool()
    converted = list(pool.convert(sorted(folder.iterdir())))
    pool.close()
    assert [(item.path, item.reason) for item in converted if item.page is None] == []
    yield {item.path.rsplit("/", 1)[1]: item.page for item in converted if item.page is not None}


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("h.csv", "j.jsonl")])
def test_text_is_whole(pages, name):
    assert PARAGRAPH in pages[name].text


@pytest.mark.parametrize("name", ["a.txt", "b.md", "c.html", "d.pdf", "e.docx", "f.pptx", "g.xlsx", "l.msg"])
def test_title(pages, name):
    assert pages[name].title == "The Halligen"


@pytest.mark.parametrize("name", WRITERS)
def test_headings_stand_where_they_are_said_to(pages, name):
    page = pages[name]
    for offset, level, heading in page.headings:
        assert page.text[offset : offset + len(heading)] == heading
        assert level >= 1


@pytest.mark.parametrize("name", ["b.md", "c.html", "d.pdf", "e.docx", "f.pptx", "g.xlsx"])
def test_headings_are_found(pages, name):
    assert "Lighthouse" in [heading for _, _, heading in pages[name].headings]


@pytest.mark.parametrize("name", ["d.pdf", "e.docx", "f.pptx", "g.xlsx"])
def test_pages_start_behind_form_feeds(pages, name):
    page = pages[name]
    assert len(page.page_starts) == 2
    assert page.text[page.page_starts[1] - 1] == "\f"


@pytest.mark.parametrize("name", ["a.txt", "b.md", "c.html", "h.csv", "i.json", "j.jsonl", "k.eml", "l.msg"])
def test_other_formats_have_no_pages(pages, name):
    assert pages[name].page_starts == ()


@pytest.mark.parametrize("name", ["b.md", "c.html", "e.docx", "g.xlsx", "h.csv"])
def test_rows_stand_beside_the_names_of_their_columns(pages, name):
    assert "Island: Hooge; Area: 5.78 km2; People: 94\n" in pages[name].text


def test_what_is_hidden_or_code_is_not_text(pages):
    for unwanted in ("scripted", "invisible", "color"):
        assert unwanted not in pages["c.html"].text
    assert "**" not in pages["b.md"].text
    assert "example.org" not in pages["b.md"].text


def test_mail_says_a_body_once_and_names_what_it_does_not_read(pages):
    mail = pages["k.eml"]
    assert mail.text.count(PARAGRAPH) == 1
    assert mail.title == "The Halligen – übersehen"
    assert mail.notes == ["attachment not read: map.pdf"]


def test_numbers_in_json_stay_as_written(pages):
    assert "lighthouse.height: 1.5" in pages["i.json"].text


def test_notes_of_slides_are_read(pages):
    assert "the birds." in pages["f.pptx"].text


def test_words_of_a_pdf_know_their_place(pages):
    page = pages["d.pdf"]
    layout = PageLayout(page.layout)
    words = [word for one in layout.pages for word in layout.words(one.number)]
    assert [page.text[word.start : word.end] for word in words] == page.text.split()
    assert {word.page for word in words} == {1, 2}
    for word in words:
        width, height = layout.pages[word.page - 1].width, layout.pages[word.page - 1].height
        assert 0 < word.x0 < word.x1 < width
        assert 0 < word.y0 < word.y1 < height
    title, first = words[0], next(word for word in words if page.text[word.start : word.end] == "1907.")
    assert title.y1 < first.y0  # y counts from the top
    assert page.text[page.page_starts[1] :] == SECOND
