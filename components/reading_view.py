"""
A source's text as blocks with stable anchors: what a page shows of a document that has no pages of its own to draw
(DOCX, HTML, mail, sheets, text), and to which block an answer leads.

An anchor counts what a reader counts, so that it stays the same as long as the text before it does: ``p12`` is the 12th
paragraph, ``page-3-p2`` the second one of page (or slide) 3, ``sheet-2-row-5`` a row, and
``sheet-2-row-5-cell-3`` a cell of it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["paragraph", "line", "row"]

_PARAGRAPH_END = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_LINE = re.compile(r"[^\n]+")
_CELL_END = re.compile(r" \| |; (?=[^;:|]{1,60}: )")
_SHEETS = ("spreadsheet", "text/csv", "ms-excel")
# Formats whose lines may be wrapped sentences; in the others a line is a row or an item.
_WRAPPED = ("text/plain", "application/pdf", "message/rfc822", "application/vnd.ms-outlook")


@dataclass(frozen=True)
class Cell:
    """``text[start:end]`` of a row: "column: value", or the value alone where the column has no name."""

    anchor: str
    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """
    ``text[start:end]`` of a source.

    :param kind: a paragraph; a line of a list, a poem, a listing; or a row of a sheet or table.
    :param page: page, slide or sheet, from 1; None where the format has none.
    :param cells: of a row, in order; empty for others.
    """

    anchor: str
    kind: Kind
    page: int | None
    start: int
    end: int
    cells: tuple[Cell, ...] = ()


def reading_view(text: str, page_starts: Sequence[int] = (), mime_type: str | None = None) -> list[Block]:
    """
    All blocks of a text in order; nothing but white space lies outside them.

    :param text: `Source.text`.
    :param page_starts: `Source.page_starts`: character offset of each page; empty for formats without pages.
    :param mime_type: `Source.mime_type`: in sheets each line is a row of cells.
    """
    sheet = any(name in (mime_type or "") for name in _SHEETS)
    wrapped = (mime_type or "text/plain") in _WRAPPED
    borders = [*page_starts, len(text)] if page_starts else [0, len(text)]
    blocks: list[Block] = []
    for index, (start, stop) in enumerate(pairwise(borders)):
        page = index + 1 if page_starts else None
        if sheet:
            before = f"sheet-{page or 1}-"
            rows = enumerate(_lines(text, start, stop), 1)
            blocks += [_row(text, f"{before}row-{number}", page, *span) for number, span in rows]
        else:
            before = f"page-{page}-" if page else ""
            pieces = enumerate(_pieces(text, start, stop, wrapped), 1)
            blocks += [Block(f"{before}p{number}", kind, page, *span) for number, (kind, span) in pieces]
    return blocks


def blocks_of(blocks: Sequence[Block], start: int, end: int) -> list[Block]:
    """The blocks that hold a character of ``text[start:end]``: those in which an answer is marked."""
    at = max(0, bisect_right(blocks, start, key=lambda block: block.start) - 1)
    return [block for block in blocks[at:] if block.end > start and block.start < end]


def anchor_of(blocks: Sequence[Block], start: int, end: int) -> str | None:
    """The anchor of the cell, else of the block, in which ``text[start:end]`` begins; None where nothing stands."""
    for block in blocks_of(blocks, start, end):
        return next((cell.anchor for cell in block.cells if cell.end > start), block.anchor)
    return None


def _row(text: str, anchor: str, page: int | None, start: int, end: int) -> Block:
    borders, position = [], start
    for match in _CELL_END.finditer(text, start, end):
        borders.append((position, match.start()))
        position = match.end()
    borders.append((position, end))
    cells = tuple(Cell(f"{anchor}-cell-{number}", *span) for number, span in enumerate(borders, 1))
    return Block(anchor, "row", page, start, end, cells)


def _pieces(text: str, start: int, end: int, wrapped: bool) -> Iterator[tuple[Kind, tuple[int, int]]]:
    for span in _paragraphs(text, start, end):
        if wrapped or "\n" not in text[span[0] : span[1]]:
            yield "paragraph", span
        else:
            yield from (("line", line) for line in _lines(text, *span))


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for match in _PARAGRAPH_END.finditer(text, start, end):
        if span := _stripped(text, position, match.start()):
            yield span
        position = match.end()
    if span := _stripped(text, position, end):
        yield span


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _LINE.finditer(text, start, end):
        if span := _stripped(text, *match.span()):
            yield span


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
