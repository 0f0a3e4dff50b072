"""HTML as a reader sees it: what is hidden, and what only seems to be."""

import pytest

from indexing.convert.markdown import convert_markdown
from indexing.convert.web import convert_html, html_text

SHOWN = "The ferry leaves at nine"


@pytest.mark.parametrize(
    "page",
    [
        f"<style>body{{visibility:hidden}}</style><body><p>{SHOWN}</p></body>",
        f"<style>[v-cloak]{{display:none}}</style><nav>Home</nav><div v-cloak><p>{SHOWN}</p></div>",
        f"<div style='display:none'><p>{SHOWN}</p></div>",  # hiding leaves nothing: a script must show it
        f'<td style="font-size:0px"><div style="font-size:13px">{SHOWN}</div></td>',
        f'<div style="visibility:hidden"><p style="visibility:visible">{SHOWN}</p></div>x',
        f"<style><!--\na.x {{visibility: hidden}}\n--></style><p>{SHOWN}</p>",
        f"<style>p::weird(, {{display:none}} p{{color:red}}</style><p>{SHOWN}</p>",
        f"<style>.a{{display:none}} .a.b{{display:block}}</style><p>x</p><p class='a b'>{SHOWN}</p>",
        f"<iframe src='a' title='b'/><p>{SHOWN}</p>",
        f"<html xmlns='http://www.w3.org/1999/xhtml'><head><title/><script src='a.js'/></head><p>{SHOWN}</p></html>",
        f"<script src='a.js'/><p>{SHOWN}</p>",
        f"<script src='a.js'/><p>{SHOWN}</p><script>f()</script>",
        f"<script>write('<script src=a />')</script><p>{SHOWN}</p>",
    ],
)
def test_what_is_shown_is_read(page):
    assert SHOWN in html_text(page).text


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>secret</p>",
        "<p style='display: none'>secret</p>",
        "<p style='font-size:0'>secret</p>",
        "<style>.s{display:none}</style><p class=s>secret</p>",
        "<style>.s{visibility:hidden}</style><div class=s><p>secret</p></div>",
        "<table><tr style='display:none'><td>sec</td><td>ret</td></tr><tr><td>c</td><td>d</td></tr></table>",
    ],
)
def test_what_is_hidden_is_not(hidden):
    assert html_text(f"<p>{SHOWN}</p>{hidden}").text.startswith(SHOWN)
    page = html_text(f"<p>{SHOWN}</p>{hidden}")
    assert "sec" not in page.text
    assert page.notes == ["hidden text left out: 6 characters (setting hidden: read)"]


def test_a_page_that_hides_nothing_has_no_note():
    assert html_text(f"<p>{SHOWN}</p><script>secret()</script><!-- secret -->").notes == []
    unseen = html_text(f"<p>{SHOWN}</p><template>secret</template><noscript>secret</noscript>")
    assert (unseen.notes, "secret" in unseen.text) == ([], False)
    assert html_text(f"<body style='display:none'><p>{SHOWN}</p>").notes == []  # a script is meant to show it
    assert html_text(f"<p>{SHOWN}</p><p hidden>secret</p>", read_hidden=True).notes == []


def test_hidden_words_are_read_where_that_is_wanted():
    assert "secret" in html_text("<p>a</p><p hidden>secret</p>", read_hidden=True).text


@pytest.mark.parametrize(
    ("html", "right"),
    [
        ("<p>6.02 x 10<sup>23</sup></p>", "6.02 x 10^23"),
        ("<p>5 km<sup>2</sup></p>", "5 km²"),
        ("<p>the 1<sup>st</sup></p>", "the 1st"),
        ("<p>in 1907<sup><a href='#n3'>3</a></sup></p>", "in 1907[3]"),
        ("<p>H<sub>2</sub>O</p>", "H2O"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup></math>", "x^2"),
        ("<ol start=3><li>Pay</li><li><p>Clean</p></li></ol>", "3. Pay\n4. Clean"),
        ("<ol type=a><li>Pay</li></ol>", "a. Pay"),
        ("<p><img alt='Map of Hooge'> here</p>", "Map of Hooge here"),
        ("<p><img alt='image001.png'>here</p>", "here"),
    ],
)
def test_marks_read_as_they_look(html, right):
    assert html_text(html).text == right


def test_a_charset_declared_late_is_believed():
    page = f"<html><head><script>{'x' * 5000}</script><meta charset=koi8-r></head><p>Маяк был построен</p>"
    assert "Маяк был построен" in convert_html(page.encode("koi8-r")).text


@pytest.mark.parametrize(
    ("source", "right"),
    [
        ("---\n\nA rule at the start, 1907.\n\n---\n\nMore.\n", "A rule at the start, 1907."),
        ("---\ntitle: T\nauthor: Maike\n---\nBody.\n", "Author: Maike"),
        ("Use List<String> and `Map<K>` here.\n", "Use List<String> and Map<K> here."),
        ("Built in 1907.[^1]\n\n[^1]: Register\n", "[1] Register"),
    ],
)
def test_markdown_loses_nothing(source, right):
    assert right in convert_markdown(source.encode()).text.split("\n")


def test_empty_scripts_end_where_they_stand_and_no_code_is_read():
    page = html_text(f"<script>write('<script src=a />'); secret()</script><p>{SHOWN}</p><script src='b'/>")
    assert page.text == SHOWN
