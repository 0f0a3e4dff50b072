"""From spans to whole words, and which answers count as the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.reader.answers.answer_text import context_span, normalise_answer, overlap_share, widen_to_words


def widened(text: str, part: str) -> str:
    start = text.index(part)
    begin, stop = widen_to_words(text, start, start + len(part))
    return text[begin:stop]


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("the Denver Broncos won", "nver Bron", "Denver Broncos"),
        ("the Denver Broncos won", " Denver Broncos ", "Denver Broncos"),
        ("built in 1889, by Eiffel", "1889,", "1889"),
        ("some 1,083 feet", "1", "1,083"),
        ("some 1,083 feet", "083", "1,083"),
        ("pi is 3.14159.", "3", "3.14159"),
        ("it was 1889. Then", "1889", "1889"),
        ("in 5,000-metre races", "000", "5,000"),
        ("a well-known fact", "known", "known"),
        ("the U.S. Army", "U.S.", "U.S."),
        ("Eiffel (an engineer) built", "(an engineer", "an engineer"),
        ("Eiffel (an engineer) built", "(an engineer)", "(an engineer)"),
        ("called “Iron Lady” by", "Iron Lady”", "Iron Lady"),
        ('called "Iron Lady" by', 'Iron Lady"', "Iron Lady"),
        ('called "Iron Lady" by', '"Iron Lady"', '"Iron Lady"'),
        ("naïve cafe\u0301s here", "cafe", "cafe\u0301s"),
        ("a cafe\u0301 here", "cafe", "cafe\u0301"),
        ("東京タワーは高い", "東京", "東京"),
        ("ไปเที่ยว", "ไป", "ไป"),
        ("שלום עולם", "לו", "שלום"),
        ("family 👩‍👩‍👧 here", "👩", "👩‍👩‍👧"),
        ("thumb 👍🏽 up", "👍", "👍🏽"),
        ("a\x00b", "a", "a"),
        ("costs 5 €.", "5 €", "5 €"),
        (", ;", ", ;", ","),
        ("Write to maike.brodersen@example.org, please", "brodersen", "maike.brodersen@example.org"),
        ("Write to maike.brodersen@example.org.", "example.org", "maike.brodersen@example.org"),
        ("See https://husum.example.org/tides?day=1#low.", "tides", "https://husum.example.org/tides?day=1#low"),
        ("More at www.husum-port.example.org/tides daily", "husum", "www.husum-port.example.org/tides"),
        ("stored as harbour.plan-2021.final.pdf on disk", "plan", "harbour.plan-2021.final.pdf"),
        ("Logs go to /var/log/husum/port.log.", "log/husum", "/var/log/husum/port.log"),
        ("Logs (in ~/notes/port.txt) grow", "notes", "~/notes/port.txt"),
        (r"open C:\Users\maike\plan.docx now", "maike", r"C:\Users\maike\plan.docx"),
        ("edit src/reader/spans.py first", "reader", "src/reader/spans.py"),
        ("The gate answers at 192.168.10.25 only", "168.10", "192.168.10.25"),
        ("at 192.168.10.25:8080/x only", "8080", "192.168.10.25:8080/x"),
        ("since version 2.3.1-rc2, when", "3.1", "2.3.1-rc2"),
        ("the card 00:1a:2b:3c:4d:5e here", "1a:2b", "00:1a:2b:3c:4d:5e"),
        ("set max_seq_length to 1", "seq", "max_seq_length"),
        ("It was -4.5\u00b0C at night", "4.5", "-4.5"),
        ("stood at \u22121,250 euros", "1,250 euros", "\u22121,250 euros"),
        ("a loss of (-$5)", "$5", "-$5"),
        ("within ±0.5 of it", "0.5", "±0.5"),
        ("from 1990-1995 it", "1995", "1995"),
        ("from 1990 -1995 it", "1995", "1995"),
        ("the A-4 rocket", "4", "4"),
        ("the U.S.A. and", "S.A", "U.S.A."),
        ("He left Paris.The war began", "The war", "The war"),
        ("both and/or neither", "or", "or"),
        ("at 90 km/h on", "90 km", "90 km"),
        ("on 12/05/1889 he", "1889", "1889"),
    ],
)
def test_a_span_becomes_whole_words(text: str, part: str, expected: str) -> None:
    assert widened(text, part) == expected


TEXT = st.text(
    st.one_of(st.sampled_from("ab 1.,()é\u0301\u200d“”\"'\n@:/\\_-−"), st.characters(exclude_categories=["Cs"])),
    max_size=30,
)


@given(TEXT, st.data())
def test_whole_words_of_any_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    begin, stop = widen_to_words(text, start, end)
    assert 0 <= begin <= stop <= len(text)
    if text[start:end].strip():
        assert begin < stop and not text[begin].isspace() and not text[stop - 1].isspace()
        assert widen_to_words(text, begin, stop) == (begin, stop), "doing it twice changes nothing"
        assert not (stop < len(text) and unicodedata.combining(text[stop])), "no letter loses its accent"
    else:
        assert begin == stop


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The Denver Broncos", "denver broncos"),
        ("U.S.", "US"),
        ("cafe\u0301", "Café"),
        ("a  b,", "b"),
        ("«Être»", "être"),
    ],
)
def test_the_same_answer_in_other_words(first: str, second: str) -> None:
    assert normalise_answer(first) == normalise_answer(second)


@pytest.mark.parametrize(("first", "second"), [("1889", "1888"), ("!", "?"), ("€", "$"), ("the", "a"), ("$5", "5")])
def test_other_answers_stay_apart(first: str, second: str) -> None:
    assert normalise_answer(first) != normalise_answer(second)


def test_overlap_counts_the_shorter_span() -> None:
    assert overlap_share((0, 10), (5, 7)) == 1.0
    assert overlap_share((0, 10), (8, 12)) == 0.5
    assert overlap_share((0, 10), (10, 12)) == 0.0
    assert overlap_share((3, 3), (0, 9)) == 0.0


def test_an_answer_is_shown_among_whole_words_of_its_page() -> None:
    text = "one page\fthe second page has an answer in it\fthe third"
    start = text.index("answer")
    begin, stop = context_span(text, start, start + 6, 100)
    assert text[begin:stop] == "the second page has an answer in it"
    begin, stop = context_span(text, start, start + 6, 9)
    assert text[begin:stop] == "has an answer in it"


@given(TEXT, st.data())
def test_surroundings_hold_the_answer(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    begin, stop = context_span(text, start, end, 5)
    assert 0 <= begin <= start <= end <= stop <= len(text)
    assert start - begin <= 5 and stop - end <= 5
