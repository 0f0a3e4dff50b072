"""CSV and TSV: one line of text a row. Also the plain way to the text that every format's tables become."""

import csv
import io
from collections.abc import Iterable, Sequence

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables.grid import Cell, Row
from indexing.convert.tables.lines import table_lines

_DELIMITERS = ",;\t|"
_MAX_LINES_IN_FIELD = 200  # more: a quotation mark was left open and swallowed the rows after it
_SAMPLE = 20_000


def write_table(
    header_rows: Sequence[Sequence[str]] | None, rows: Iterable[Sequence[str]], caption: str | None = None
) -> str:
    """
    The text that a table of plain rows gets in the index, for whoever makes passages of tables.

    :param header_rows: the rows that name the columns; empty for a table without names; None: judged by the rows.
    :param rows: of cells, in order.
    :param caption: what stands above the table.
    :returns: lines joined by a line feed (`tables.lines` says how they read).
    """
    listed = [Row(Cell(text) for text in row) for row in (*(header_rows or ()), *rows)]
    headers = None if header_rows is None else len(header_rows)
    return "\n".join(table_lines(listed, headers=headers, captions=[caption] if caption else []))


def convert_csv(data: bytes) -> Extracted:
    """A file whose quotation marks do not add up is read line by line, so that no row is lost in a field."""
    text = decode(data)
    csv.field_size_limit(len(text) + 1)
    builder, notes = TextBuilder(), []
    first, _, rest = text.partition("\n")
    delimiter = None
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:  # as Excel writes and reads it
        delimiter, text = first.strip()[4], rest
    delimiter = delimiter or ("\t" if first[:5].lower() == "sep=\t" else _delimiter(text))
    rows = _rows(text, delimiter)
    if rows is None:
        notes.append("its quotation marks do not add up: read line by line")
        rows = [_fields(line, delimiter) for line in text.split("\n")]
    grid = (Row(Cell(cell) for cell in row) for row in rows)
    for line in table_lines(grid, headed=True):
        builder.block(line, "\n")
    return Extracted(builder.text(), MIME_TYPES["csv"], notes=notes)


def _rows(text: str, delimiter: str) -> list[list[str]] | None:
    """None when a quotation mark swallowed the rows behind it."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return None
    lines = text.count("\n") + 1
    for row in rows:
        for cell in row:
            breaks = cell.count("\n")
            if breaks and (breaks > _MAX_LINES_IN_FIELD or _swallowed(cell, delimiter, len(row), breaks, lines)):
                return None
    return rows


def _swallowed(cell: str, delimiter: str, width: int, breaks: int, lines: int) -> bool:
    """A field that runs over most of the lines of the file, most of which look like rows of it."""
    like_rows = sum(delimiter in line for line in cell.split("\n"))
    return like_rows > 1 and like_rows > breaks // 2 and (breaks > lines // 3 or cell.rstrip("\n").count("\n") > 20)


def _fields(line: str, delimiter: str) -> list[str]:
    """One line, its quotation marks honoured where they close on it."""
    if line.count('"') % 2 == 0:
        try:
            return next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            pass
    return line.split(delimiter)


def _delimiter(text: str) -> str:
    """
    The candidate that divides most of the first lines into equally many fields, quoted text left aside.

    csv.Sniffer's regular expressions are not linear.
    """
    lines = [line for line in _unquoted(text[:_SAMPLE]).split("\n")[:30] if line.strip()]
    if len(text) > _SAMPLE and len(lines) > 1:
        lines.pop()  # cut in two

    def agreement(delimiter: str) -> tuple[float, int]:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=lambda count: (counts.count(count), count)) if counts else 0
        return (counts.count(usual) / len(counts) if usual else 0.0, usual)

    return max(_DELIMITERS, key=agreement)


def _unquoted(text: str) -> str:
    """The text without what stands in quotation marks that open a field and close before one ends."""
    kept: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        opens = char == '"' and (index == 0 or text[index - 1] in ",;\t|\n")
        close = _closing(text, index + 1) if opens else -1
        if close > 0:
            index = close + 1
        else:
            kept.append(char)
            index += 1
    return "".join(kept)


def _closing(text: str, start: int) -> int:
    """Where a field's quotation mark closes; -1 where it does not within a field of usual length."""
    limit = start + 5_000
    while True:
        found = text.find('"', start, limit)
        if found == -1:
            return -1
        if text[found + 1 : found + 2] == '"':
            start = found + 2
        elif text[found + 1 : found + 2] in ("", ",", ";", "\t", "|", "\n"):
            return found
        else:
            return -1
