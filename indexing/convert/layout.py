"""Where do a document's words stand on its pages? The compact form in which the index keeps that."""

import json
import zlib
from collections.abc import Iterable
from typing import NamedTuple


class Word(NamedTuple):
    """
    A word on its page.

    :param page: from 1.
    :param start: character offset in the extracted text; `end` is exclusive.
    :param x0: left edge in points from the page's left; `y0` top edge in points from the page's top; x1, y1 likewise.
    """

    page: int
    start: int
    end: int
    x0: float
    y0: float
    x1: float
    y1: float


def pack(words: Iterable[Word], pages: list[tuple[float, float]]) -> bytes:
    """
    Compress words, ordered by page and offset.

    JSON ``{"pages": [[width, height], ...], "words": [[[start, end, x0, y0, x1, y1], ...] a page, ...]}``, deflated;
    start counts from the end of the word before it on the page, end from start, coordinates are tenths of a point.
    """
    listed: list[list[list[int]]] = [[] for _ in pages]
    last = [0] * len(pages)
    for word in words:
        index = word.page - 1
        box = [round(10 * value) for value in (word.x0, word.y0, word.x1, word.y1)]
        listed[index].append([word.start - last[index], word.end - word.start, *box])
        last[index] = word.end
    sizes = [[round(width, 1), round(height, 1)] for width, height in pages]
    return zlib.compress(json.dumps({"pages": sizes, "words": listed}, separators=(",", ":")).encode("ascii"), 6)


def unpack(layout: bytes) -> tuple[list[Word], list[tuple[float, float]]]:
    """The words and the (width, height) in points of each page."""
    stored = json.loads(zlib.decompress(layout))
    words = []
    for number, page in enumerate(stored["words"], 1):
        last = 0
        for gap, length, *box in page:
            start = last + gap
            last = start + length
            words.append(Word(number, start, last, *(value / 10 for value in box)))
    return words, [(width, height) for width, height in stored["pages"]]
