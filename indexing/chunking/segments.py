"""Where may a passage begin? A text cut at its headings, paragraphs, lines and sentences."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import sentencex

from indexing.chunking.characters import whole_character


class Border(IntEnum):
    """What lies in front of a unit, the better places to begin a passage last."""

    CUT = 0  # inside a sentence that is too long
    SENTENCE = 1
    LINE = 2  # row of a table, item of a list
    PARAGRAPH = 3
    HEADING = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """``text[start:end]``: begins and ends with something other than white space."""

    start: int
    end: int
    border: Border


MAX_UNIT = 1_000  # characters: what is longer is cut, whether or not it is one sentence

_PARAGRAPH_END = re.compile(r"\n[ \t\f]*\n|\f")
_BREAKS = str.maketrans("\n\f\v\t\r", "     ")
_SENTENCE_ENDS = '.!?:;…。！？"”’»)]'
_LINE = re.compile(r"[^\n]+")
_MARKER = r"(?:[-*•◦▪●‣⁃–]|\(?\d{1,3}(?:\.\d{1,3}){0,4}[.)]|\(?[a-zA-Z][.)]|\(?[ivxIVX]{1,5}[.)])"
_ITEM = re.compile(rf"^[ \t]*{_MARKER}[ \t]+(?=\S)", re.MULTILINE)
_BARE_MARKER = re.compile(_MARKER)
_ENDS_IN_MARKER = re.compile(rf"(?:^|(?<=[.!?:;…]))\s+({_MARKER})$")
# Behind these a sentence goes on, whatever stands next: sentencex knows some of them, by language.
_ABBREVIATIONS = re.compile(
    r"\b(?:approx|resp|incl|excl|esp|min|max|avg|est|ca|cf|vs|viz|e\.g|i\.e|tel|ext|fig|figs|eq|eqs|sec|sect|chap|ch|vol|"
    r"art|arts|para|paras|app|no|nos|pp|ed|eds|dept|govt|bzw|ggf|evtl|inkl|exkl|usw|vgl|abs|nr|z\.B|d\.h|u\.a|p\.ex)\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBERS = re.compile(r"\b(?:nos?|figs?|eqs?|sec|sect|chap|ch|vol|arts?|pp?|nr|abs|ext|ed)\.$", re.IGNORECASE)


def units(
    text: str, headings: Sequence[tuple[int, str]] = (), *, language: str = "en", lines: bool = False
) -> Iterator[Unit]:
    """
    All units in order; nothing but white space lies outside them.

    Sentences are told by sentencex (Wikimedia), paragraph by paragraph, in linear time.

    :param headings: (offset, text as it stands there) of each heading, by offset.
    :param language: code of the language whose abbreviations sentencex knows.
    :param lines: whether each line stands for itself, as in tables; otherwise lines may be wrapped sentences.
    """
    position = 0
    for offset, heading in headings:
        end = offset + len(heading)
        if offset < position or text[offset:end] != heading:
            continue
        yield from _plain(text, position, offset, language, lines)
        yield from _cut(text, offset, end, Border.HEADING)
        position = end
    yield from _plain(text, position, len(text), language, lines)


def _plain(text: str, start: int, end: int, language: str, lines: bool) -> Iterator[Unit]:
    for begin, stop in _paragraphs(text, start, end):
        border = Border.PARAGRAPH
        for line_begin, line_stop in _lines(text, begin, stop) if lines else _items(text, begin, stop):
            for sentence_begin, sentence_stop in _sentences(text, line_begin, line_stop, language):
                yield from _cut(text, sentence_begin, sentence_stop, border)
                border = Border.SENTENCE
            border = Border.LINE


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for match in _PARAGRAPH_END.finditer(text, start, end):
        if match.group() == "\f" and _runs_on(text, match.start(), match.end(), start, end):
            continue
        if span := _stripped(text, begin, match.start()):
            yield span
        begin = match.end()
    if span := _stripped(text, begin, end):
        yield span


def _runs_on(text: str, before: int, after: int, start: int, end: int) -> bool:
    """Whether a sentence goes on over a page's end: no end of a sentence before, a small letter behind."""
    head, tail = text[max(start, before - 50) : before].rstrip(), text[after : min(end, after + 50)].lstrip()
    return bool(head and tail) and head[-1] not in _SENTENCE_ENDS and tail[0].islower()


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _LINE.finditer(text, start, end):
        if span := _stripped(text, *match.span()):
            yield span


def _items(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """
    A paragraph cut where its list's items begin; whole where it has none. A single line that begins like an item may be
    the rest of a wrapped sentence.
    """
    found = [match.start() for match in _ITEM.finditer(text, start, end)]
    if len(found) < 2 and start not in found:
        found = []
    borders = [start, *(place for place in found if place > start), end]
    for begin, stop in pairwise(borders):
        if span := _stripped(text, begin, stop):
            yield span


def _sentences(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    if end - start < 2:
        yield start, end
        return
    flat = text[start:end].translate(_BREAKS)  # of the same length: a wrapped line is no border
    pieces = sentencex.segment(language, flat)
    position = start
    for piece in _joined(pieces) if sum(map(len, pieces)) == len(flat) else [flat]:
        if span := _stripped(text, position, position + len(piece)):
            yield span
        position += len(piece)


def _joined(pieces: Sequence[str]) -> Iterator[str]:
    """Sentences put together that were divided behind the number of a list's item or behind an abbreviation."""
    waiting = ""
    for piece in pieces:
        if waiting and _is_border(waiting, piece):
            marker = _ENDS_IN_MARKER.search(waiting.rstrip())
            if marker and marker.start(1) > 0:  # "... on time. 2." belongs to what follows
                yield waiting[: marker.start(1)]
                waiting = waiting[marker.start(1) :] + piece
                continue
            yield waiting
            waiting = piece
        else:
            waiting += piece
    if waiting:
        yield waiting


def _is_border(before: str, after: str) -> bool:
    end, start = before.strip()[-40:], after.lstrip()[:1]
    if _BARE_MARKER.fullmatch(end):
        return False
    if end.endswith(".") and (start.islower() or (start.isdigit() and _BEFORE_NUMBERS.search(end))):
        return False
    return not (_ABBREVIATIONS.search(end) and not start.isupper())


def _cut(text: str, start: int, end: int, border: Border) -> Iterator[Unit]:
    """A unit, or several when it is longer than `MAX_UNIT`."""
    while end - start > MAX_UNIT:
        middle = cut_place(text, start, start + MAX_UNIT)
        if span := _stripped(text, start, middle):
            yield Unit(*span, border)
            border = Border.CUT
        start = middle
    if span := _stripped(text, start, end):
        yield Unit(*span, border)


def halves(text: str, unit: Unit) -> list[Unit]:
    """A unit cut in two near its middle; in one only where it is a single character."""
    middle = cut_place(text, unit.start, unit.start + max(1, (unit.end - unit.start) * 2 // 3))
    spans = [_stripped(text, unit.start, middle), _stripped(text, middle, unit.end)]
    return [Unit(*span, Border.CUT if number else unit.border) for number, span in enumerate(spans) if span]


def cut_place(text: str, start: int, limit: int) -> int:
    """Where to cut ``text[start:limit]``: behind the last line end, else space, of its second half."""
    half = start + (limit - start) // 2
    for mark in ("\n", " "):
        found = text.rfind(mark, half, limit)
        if found > start and whole_character(text, found + 1) == found + 1:
            return found + 1
    place = whole_character(text, limit)
    return place if place > start else limit


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The range without white space at its ends; None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
