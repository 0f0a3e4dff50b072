"""
Where do a document's words stand on its pages? The compact form in which the index keeps that.

Bytes: ``b"EXL2"``, the length of the head (4 bytes, little endian), the head (JSON, deflated), then one deflated block
a page. So the words of one page are read without those of the other 2,000.
"""

import json
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from typing import NamedTuple

_MAGIC = b"EXL2"
_COLUMNS = 11  # of a page: coordinates are tenths of a point
_LARGEST = 2**31 - 1
_MAX_HEAD = 64 << 20


class Word(NamedTuple):
    """
    A word, or the part of one that a line break left on a line, on its page.

    :param page: from 1.
    :param start: character offset in the extracted text; `end` is exclusive.
    :param x0: left edge in points from the left of the page as it is seen; `y0` top edge in points from its top; `x1`
        and `y1` likewise.
    :param turn: which way it is read: 0 to the right, 1 down, 2 to the left, 3 up.
    :param lead: characters of punctuation it begins with, which take `ahead` points of its length.
    :param trail: characters of punctuation it ends with, which take `behind` points.
    """

    page: int
    start: int
    end: int
    x0: float
    y0: float
    x1: float
    y1: float
    turn: int = 0
    lead: int = 0
    trail: int = 0
    ahead: float = 0.0
    behind: float = 0.0


@dataclass(frozen=True)
class Page:
    """
    :param number: from 1.
    :param label: as printed on the page or noted in the file ("iv", "12-233"); None where it has none.
    :param width: of the page as it is seen, in points; `height` likewise.
    """

    number: int
    label: str | None
    width: float
    height: float


def pack(words: Iterable[Word], sizes: Sequence[tuple[float, float]], labels: Sequence[str | None] = ()) -> bytes:
    """
    Compress words, which come by page and on each page by offset.

    :param sizes: (width, height) in points of each page.
    :param labels: of each page; none at all where no page has one.
    """
    pages: list[list[Word]] = [[] for _ in sizes]
    for word in words:
        pages[word.page - 1].append(word)
    blocks = [_block(page) for page in pages]
    head = {
        "sizes": [[round(width, 1), round(height, 1)] for width, height in sizes],
        "labels": list(labels) if any(label is not None for label in labels) else [],
        "first": [page[0].start if page else -1 for page in pages],
        "last": [max(word.end for word in page) if page else -1 for page in pages],
        "lengths": [len(block) for block in blocks],
    }
    packed = zlib.compress(json.dumps(head, separators=(",", ":")).encode("ascii"), 6)
    return b"".join([_MAGIC, len(packed).to_bytes(4, "little"), packed, *blocks])


class PageLayout:
    """
    Reads what `pack` wrote.

    :raises ValueError: when it did not write these bytes.
    """

    def __init__(self, layout: bytes) -> None:
        length = int.from_bytes(layout[4:8], "little")
        if layout[:4] != _MAGIC or length > _MAX_HEAD:
            raise ValueError("these are no word rectangles of this version of Excerpt; index the file again")
        self._layout = layout
        head = json.loads(zlib.decompress(layout[8 : 8 + length]))
        labels = head["labels"] or [None] * len(head["sizes"])
        self.pages = [
            Page(number, label, float(width), float(height))
            for number, ((width, height), label) in enumerate(zip(head["sizes"], labels, strict=True), 1)
        ]
        self._first, self._last = head["first"], head["last"]
        self._ends = list(accumulate(head["lengths"], initial=8 + length))

    def words(self, page: int) -> list[Word]:
        """The words of a page, by offset."""
        block = array("i")
        block.frombytes(zlib.decompress(self._layout[self._ends[page - 1] : self._ends[page]]))
        if sys.byteorder == "big":
            block.byteswap()
        count = len(block) // _COLUMNS
        start, length, x, y, width, height, turn, lead, trail, ahead, behind = (
            block[number * count : (number + 1) * count] for number in range(_COLUMNS)
        )
        starts, tops = list(accumulate(start)), list(accumulate(y))
        return [
            Word(
                page,
                starts[i],
                starts[i] + length[i],
                x[i] / 10,
                tops[i] / 10,
                (x[i] + width[i]) / 10,
                (tops[i] + height[i]) / 10,
                turn[i],
                lead[i],
                trail[i],
                ahead[i] / 10,
                behind[i] / 10,
            )
            for i in range(count)
        ]

    def between(self, start: int, end: int) -> list[Word]:
        """The words that hold a character of ``text[start:end]``, by page and offset."""
        found: list[Word] = []
        for number, (first, last) in enumerate(zip(self._first, self._last, strict=True), 1):
            if 0 <= first < end and last > start:
                words = self.words(number)
                at = max(0, bisect_right(words, start, key=lambda word: word.start) - 2)
                found += [word for word in words[at:] if word.start < end and word.end > start]
        return found


def _block(words: Sequence[Word]) -> bytes:
    """
    Columns of 32 bits: start and y0 as differences from the word before, length, x0, width, height, turn, lead, trail,
    ahead, behind.
    """
    if not words:
        return zlib.compress(b"")
    _, start, end, x0, y0, x1, y1, turn, lead, trail, ahead, behind = zip(*words, strict=True)
    left, top, right, bottom = ([round(10 * value) for value in edge] for edge in (x0, y0, x1, y1))
    columns: list[Iterable[int]] = [
        map(sub, start, (0, *start)),
        map(sub, end, start),
        left,
        map(sub, top, (0, *top)),
        map(sub, right, left),
        map(sub, bottom, top),
        *(turn, lead, trail),
        *([round(10 * value) for value in edge] for edge in (ahead, behind)),
    ]
    block = array("i", [max(-_LARGEST, min(_LARGEST, value)) for column in columns for value in column])
    if sys.byteorder == "big":
        block.byteswap()
    return zlib.compress(block.tobytes(), 6)
