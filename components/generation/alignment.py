"""Where does a written answer stand in its passage? In the very words, in other marks and case, or nearly so."""

import re
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from components.reader.answers.answer_text import normalise_answer, widen_to_words

How = Literal["exact", "normalised", "near"]

_WORD = re.compile(r"\w+")
_ARTICLES = frozenset(("a", "an", "the"))
# Shorter answers resemble too much: "1874" is like "1974", and that is another answer.
_SHORTEST_NEAR = 8
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Alignment:
    """Characters `start` to `end` of the passage, and how the answer was found there."""

    start: int
    end: int
    how: How


def align(answer: str, text: str, likeness: float = 90.0) -> Alignment | None:
    """
    The span of `text` that says what `answer` says; None where it stands nowhere.

    Tried in this order: the very words, whole words first; the same words whatever their case, marks and articles; a
    stretch as like as `likeness` percent by edit distance (RapidFuzz's partial ratio) that holds the same numbers.
    """
    said = answer.strip()
    if not said or not text:
        return None
    return _exact(said, text) or _normalised(said, text) or _near(said, text, likeness)


def _exact(said: str, text: str) -> Alignment | None:
    first: Alignment | None = None
    start = text.find(said)
    while start >= 0:
        end = start + len(said)
        left = start == 0 or not (text[start - 1].isalnum() and said[0].isalnum())
        right = end == len(text) or not (text[end].isalnum() and said[-1].isalnum())
        if left and right:
            return Alignment(start, end, "exact")
        first = first or Alignment(start, end, "exact")
        start = text.find(said, start + 1)
    # Within a word ("Berlin" for "in") it is another word, except where scripts have no spaces.
    return first if first is not None and not said.isascii() else None


def _normalised(said: str, text: str) -> Alignment | None:
    wanted = [word.group().casefold() for word in _WORD.finditer(said)]
    wanted = [word for word in wanted if word not in _ARTICLES] or wanted
    places = [(word.group().casefold(), word.start(), word.end()) for word in _WORD.finditer(text)]
    places = [place for place in places if place[0] not in _ARTICLES or place[0] in wanted]
    words = [place[0] for place in places]
    for begin in range(len(words) - len(wanted) + 1 if wanted else 0):
        if words[begin : begin + len(wanted)] == wanted:
            return Alignment(places[begin][1], places[begin + len(wanted) - 1][2], "normalised")
    return None


def _near(said: str, text: str, likeness: float) -> Alignment | None:
    if len(normalise_answer(said)) < _SHORTEST_NEAR or len(said) > len(text):
        return None
    found = fuzz.partial_ratio_alignment(said.casefold(), text.casefold(), score_cutoff=likeness)
    if found is None or len(text.casefold()) != len(text):
        return None
    start, end = widen_to_words(text, found.dest_start, found.dest_end)
    if start == end or _DIGITS.findall(text[start:end]) != _DIGITS.findall(said):
        return None
    return Alignment(start, end, "near")
