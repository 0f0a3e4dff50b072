"""
The text of a table: one line a row, which a reader understands without the rows around it.

- a table with column names: ``Island: Hooge; Beds: 900; Ferry: daily``; where the first column has no name, its cell is
  the name of the row: ``Hooge: 2023: 10; 2024: 20``. A row too wide for a sentence or two is several lines, each of
  which begins with the row's first cell again. Ahead of the rows stands one line of the names: ``Island | Beds``.
- a form: ``Landlord: Jens Wand``, a line a pair.
- a table without names: ``Hooge | 900 | daily``.

Column names of several heading rows are joined (``Sales 2024``); a cell over several columns or rows is said with each
of them; titles and captions are lines of their own ahead of the rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from indexing.convert.tables.grid import Row, distinct
from indexing.convert.tables.headers import (
    column_names,
    count_header_rows,
    count_titles,
    is_form,
    is_value,
    pairs_side_by_side,
)

_AHEAD = 12  # rows that are looked at before the first line is written
_WIDE = 320  # characters of a line; about a third of what an embedder reads at once
_REPEATED = 80  # characters of a merged cell that is said with every column or row; a longer one is said once


def table_lines(
    rows: Iterable[Row], headed: bool = False, headers: int | None = None, captions: Iterable[str] = ()
) -> Iterator[str]:
    """
    Lines of one table; rows are taken as they come, so that a table may be longer than memory.

    :param rows: of an expanded grid (`grid.expand`).
    :param headed: the format, or its habit, hints at a heading row.
    :param headers: how many rows name the columns, where that is known; None: judged.
    :param captions: what stands above the table.
    """
    yield from (line for caption in captions if (line := " ".join(caption.split())))
    filled = (row for row in rows if any(cell.text for cell in row) or bool(getattr(row, "breaks", "")))
    ahead = list(islice(filled, _AHEAD))
    if headers is None:
        titles = count_titles(ahead)
        yield from (distinct(row)[0].text for row in ahead[:titles])
        ahead = ahead[titles:]
        headers = count_header_rows(ahead, headed)
    heading = ahead[:headers]
    names = column_names(heading)
    form = not headers and is_form(ahead)
    if names:
        yield " | ".join(_unrepeated(names))
    shown = {tuple(cell.text for cell in row) for row in heading}
    above: Row = Row()
    for row in chain(ahead[headers:], filled):
        yield from getattr(row, "breaks", "")
        if tuple(cell.text for cell in row) in shown:
            continue  # a heading that is printed again on the next page
        if names:
            yield from _named(row, names, above)
        else:
            yield from _unnamed(row, form)
        above = row


def _named(row: Row, names: Sequence[str], above: Row) -> Iterator[str]:
    cells = distinct(row)
    if len(cells) == 1 and len(names) > 1 and not is_value(cells[0].text) and row[0].text == cells[0].text:
        yield cells[0].text  # a heading of the rows below it, or a note over the whole width
        return
    pieces = list(_pieces(row, names, above))
    if not pieces:
        return
    label = pieces[:1]
    if len(pieces) > 1 and above and row[0].text and row[0] is above[0]:
        label = pieces[:2]  # the first cell names a group of rows, the second one the row
    start = _joined(label)
    bare = bool(label) and not label[-1][0] and len(pieces) > len(label)
    glue = ": " if bare else "; "
    line = start
    fresh = True
    for name, text in pieces[len(label) :]:
        part = f"{name}: {text}" if name else text
        if not fresh and len(line) + len(part) > _WIDE and len(start) < _WIDE // 2:
            yield line
            line, fresh = start, True
        line += (glue if fresh else "; ") + part
        fresh = False
    yield line


def _pieces(row: Row, names: Sequence[str], above: Row) -> Iterator[tuple[str, str]]:
    """(name of its column, text) of each cell; a long merged cell once, with the names of all its columns."""
    index = 0
    while index < len(row):
        cell, end = row[index], index + 1
        while end < len(row) and row[end] is cell:
            end += 1
        covered = [name for name in names[index:end] if name]
        long = len(cell.text) > _REPEATED
        if not cell.text or (long and index < len(above) and above[index] is cell):
            pass
        elif end - index > 1 and (long or end - index > 4 or not covered):
            yield (f"{covered[0]} to {covered[-1]}" if len(covered) > 4 else ", ".join(covered), cell.text)
        elif end - index > 1:
            yield from ((name, cell.text) for name in _unrepeated(covered))
        else:
            yield (names[index] if index < len(names) else "", cell.text)
        index = end


def _unnamed(row: Row, form: bool) -> Iterator[str]:
    cells = distinct(row)
    texts = [cell.text for cell in cells]
    if pairs_side_by_side(row):
        yield from (_pair(name, value) for name, value in zip(texts[::2], texts[1::2], strict=True))
    elif len(texts) == 2 and (form or cells[0].header or texts[0].endswith(":")):
        yield _pair(*texts)
    elif len(texts) > 2 and cells[0].header and not cells[1].header:
        yield f"{texts[0].rstrip(': ')}: {' | '.join(texts[1:])}"
    else:
        yield " | ".join(texts)


def _pair(name: str, value: str) -> str:
    return f"{name.rstrip(': ')}: {value}"


def _joined(pieces: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {text}" if name else text for name, text in pieces)


def _unrepeated(names: Sequence[str]) -> list[str]:
    """Names in order, one that follows itself once."""
    return [name for index, name in enumerate(names) if name and (index == 0 or names[index - 1] != name)]
