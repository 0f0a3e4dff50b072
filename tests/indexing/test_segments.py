"""Lists keep their numbers, abbreviations end nothing, no character is cut, passages do not lie inside each other."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.chunking.characters import whole_character
from indexing.chunking.packing import with_overlap
from indexing.chunking.segments import Border, Unit, units


def sentences(text, **settings):
    return [text[unit.start : unit.end] for unit in units(text, **settings)]


@pytest.mark.parametrize(
    "items",
    [
        ["1. Pay the rent on time.", "2. Keep the house clean.", "3. Tell us about damage."],
        ["1) Pay the rent", "2) Keep the house clean", "3) Tell us"],
        ["(a) the tenant pays;", "(b) the landlord mends;"],
        ["i. Pay it.", "ii. Keep it.", "iii. Tell us."],
        ["2.1. Late fee is $40.", "2.2. Notice is given."],
        ["- one thing", "- another one"],
        ["a. First thing.", "b. Second thing."],
    ],
)
@pytest.mark.parametrize("lines", [True, False])
def test_the_number_of_an_item_stays_with_it(items, lines):
    assert sentences("\n".join(items), lines=lines) == items


def test_numbers_of_items_on_one_line():
    found = sentences("The rules: 1. Pay the rent. 2. Keep the house clean. 3. Tell us about damage.")
    assert not any(unit.strip() in ("1.", "2.", "3.") or unit.endswith((" 2.", " 3.")) for unit in found)


def test_a_wrapped_line_that_begins_like_an_item_is_no_item():
    assert sentences("The flood came in chapter\n3. It was told later.")[0].startswith("The flood came in chapter\n3.")


@pytest.mark.parametrize(
    "text",
    [
        "It weighs approx. 40 kg in all.",
        "See fig. 3 for the curve.",
        "It costs e.g. 40 euros a month.",
        "The rent incl. heating is due.",
        "Call ext. 204 for help.",
        "See Sec. 2.1 of the contract.",
        "He lived there from ca. 1907 on.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text):
    assert sentences(text) == [text]


def test_sentences_still_end():
    text = "He lived there until 1950. Nobody has lived there since. 20 men came. Is it no? No. Yes."
    assert sentences(text)[:3] == ["He lived there until 1950.", "Nobody has lived there since.", "20 men came."]


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("e\u0301", id="accent"),
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467", id="family"),
        pytest.param("\U0001f44d\U0001f3fd", id="skin tone"),
        pytest.param("\U0001f1e9\U0001f1ea", id="flag"),
        pytest.param("न्दी", id="virama"),
        pytest.param("\u2764\ufe0f", id="variation"),
    ],
)
def test_nothing_is_cut_inside_a_character(piece):
    text = "x" + piece * 1500
    borders = [unit.start for unit in units(text)][1:]
    assert borders
    for border in borders:
        assert (border - 1) % len(piece) == 0


@given(st.text("ae\u0301\u200d\U0001f469\U0001f1e9\r\n", max_size=40), st.integers(0, 40))
def test_a_cut_is_never_further_on_nor_inside(text, at):
    at = min(at, len(text))
    place = whole_character(text, at)
    assert 0 <= place <= at
    if 0 < place < len(text) and place != at:
        assert not unicodedata.combining(text[place])
        assert text[place - 1] != "\u200d"


def test_a_million_accents_are_cut_all_the_same():
    assert whole_character("a" + "\u0301" * 1000, 900) == 900


@given(st.lists(st.integers(1, 3), min_size=1, max_size=20), st.integers(1, 5))
def test_with_overlap_no_passage_lies_inside_another(sizes, overlap):
    count = sum(sizes)
    pieces = [Unit(10 * i, 10 * i + 9, Border.SENTENCE) for i in range(count)]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    ranges = list(zip([0, *ends], ends, strict=False))
    widened = with_overlap(ranges, pieces, [1] * count, 100, overlap)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(widened))
    assert [stop for _, stop in widened] == ends
