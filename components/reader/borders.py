"""Where does one statement of a passage end and another begin? No answer runs over pages, paragraphs, rows, cells."""

import re

import numpy as np

from components.encoder.ragged import Ints

# A page or a paragraph ends.
_BLOCKS = re.compile(r"\f|\n[ \t\r]*\n\s*")
# How a table's row begins as indexing.convert.tables writes it, and a line of a form: "Landlord: Jens Wand".
_NAMED = re.compile(r"[^:;|\n]{1,60}: \S")
_LISTED = re.compile(r"[ \t]*(?:[-*•–‣▪]|\(?[0-9]{1,3}[.)]|\(?[a-z][.)])[ \t]+\S")
_CELL = re.compile(r" \| |; (?=[^:;|\n]{1,60}: \S)")
_LONGEST_ROW = 400  # characters; a longer line that happens to hold a colon is prose


def find_borders(text: str) -> Ints:
    """
    Places in ``text`` that no answer runs over, ascending: int32 (n,). A span crosses ``place`` if it begins before it
    and ends behind it.

    A line feed alone is a border only beside rows of tables, forms and lists: in plain text lines are wrapped anywhere.
    """
    if "\n" not in text and "\f" not in text and " | " not in text and "; " not in text:
        return np.zeros(0, dtype=np.int32)
    places = {found.end() for found in _BLOCKS.finditer(text)}
    begin, before = 0, ""
    for line in text.split("\n"):
        cells = _cells(line, begin)
        places.update(cells)
        kind = "row" if cells else _kind(line)
        if begin and (kind == before != "" or "row" in (kind, before) or kind == "item"):
            places.add(begin)
        begin, before = begin + len(line) + 1, kind
    return np.array(sorted(places), dtype=np.int32)


def _kind(line: str) -> str:
    if len(line) > _LONGEST_ROW:
        return ""
    return "named" if _NAMED.match(line) else "item" if _LISTED.match(line) else ""


def _cells(line: str, begin: int) -> list[int]:
    """Where the cells of a row begin, and their values behind the names of their columns; none if it is no row."""
    if len(line) > _LONGEST_ROW or not (" | " in line or (_NAMED.match(line) and _CELL.search(line))):
        return []
    starts = [0, *(found.end() for found in _CELL.finditer(line))]
    values = [line.find(": ", start) + 2 for start in starts if _NAMED.match(line, start)]
    return [begin + place for place in sorted({*starts[1:], *values})]
