"""Tables of a page: by their lines, or by cells that stand below each other; as the grid that all formats share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from indexing.convert.pdf.fragments import Fragment, Row, Token, make_fragments, make_rows, row_text
from indexing.convert.pdf.rules import RuledGrid
from indexing.convert.tables import Cell, expand, table_lines

_CELL_GAP = 1.4  # type sizes between two cells of a row
_COLUMN_GAP = 0.7  # type sizes of a strip that (almost) no row crosses
_LEAST_ROWS = 3
_ROW_GAP = 2.4  # heights of a row between two rows of a table
_CROSSING = 0.12  # share of rows that may cross a strip: titles, merged cells
_ALIGNED = 0.55  # share of a column's cells that begin, end or stand centred at one place
_SHORT_NAME = 40  # characters of the left column of a table of two
_MARKER = re.compile(r"[•◦▪●○■□–—*·-]|\(?[0-9a-zA-Z]{1,3}[.)]|\[\d+\]")


@dataclass(slots=True)
class Table:
    """Cells with their tokens, in the places of the grid."""

    rows: list[list[tuple[Cell, list[Token]]]]

    def lines(self) -> list[str]:
        return list(table_lines(expand([[cell for cell, _ in row] for row in self.rows])))

    def cells(self) -> list[tuple[Cell, list[Token]]]:
        return [pair for row in self.rows for pair in row if pair[1]]


def ruled_table(grid: RuledGrid, fragments: Sequence[Fragment]) -> tuple[Table | None, list[Fragment]]:
    """
    The table that lines make of what stands between them.

    :returns: None where it is no table (a box, a frame, a form with a line in it), and the fragments not in it.
    """
    inside: list[Token] = []
    outside: list[Fragment] = []
    for one in fragments:
        if grid.holds((one.x0 + one.x1) / 2, (one.y0 + one.y1) / 2):
            inside += one.tokens
        else:
            outside.append(one)
    columns, rows = len(grid.xs) - 1, len(grid.ys) - 1
    placed: list[list[list[Token]]] = [[[] for _ in range(columns)] for _ in range(rows)]
    for token in inside:
        column = _place(grid.xs, (token.x0 + token.x1) / 2)
        placed[_place(grid.ys, (token.y0 + token.y1) / 2)][column].append(token)
    if sum(bool(cell) for row in placed for cell in row) < 3:
        return None, list(fragments)
    taken: set[tuple[int, int]] = set()
    table: list[list[tuple[Cell, list[Token]]]] = []
    for row in range(rows):
        listed: list[tuple[Cell, list[Token]]] = []
        for column in range(columns):
            if (row, column) in taken:
                continue
            right, below = column, row
            while right + 1 < columns and not grid.parted_right(right, row) and (row, right + 1) not in taken:
                right += 1
            while below + 1 < rows and not grid.parted_below(column, below):
                below += 1
            covered = [(r, c) for r in range(row, below + 1) for c in range(column, right + 1)]
            taken.update(covered)
            tokens = [token for r, c in covered for token in placed[r][c]]
            tokens = in_rows(tokens)
            listed.append((Cell(cell_text(tokens), right - column + 1, below - row + 1), tokens))
        table.append(listed)
    filled = [sum(bool(tokens) for _, tokens in row) for row in table]
    if max(filled) < 2 or sum(count > 1 for count in filled) < 2:
        return None, list(fragments)
    return Table(table), outside


def aligned_tables(rows: Sequence[Row]) -> list[tuple[int, int, Table]]:
    """(first, last + 1, table) of rows whose cells stand below each other."""
    found: list[tuple[int, int, Table]] = []
    first = 0
    cells = [_cells(row) for row in rows]
    while first < len(rows):
        if len(cells[first]) < 2 or _is_fixed(rows[first]):
            first += 1
            continue
        last = first + 1
        while last < len(rows) and _goes_on(rows, cells, first, last):
            last += 1
        while last > first and len(cells[last - 1]) < 2 and not _hangs(rows, cells, last - 1):
            last -= 1
        table = _aligned(rows[first:last], cells[first:last])
        if table is not None:
            found.append((first, last, table))
        first = last
    return found


def cell_text(tokens: Sequence[Token]) -> str:
    """Tokens of a cell joined; a word divided at a line's end is whole again."""
    parts: list[str] = []
    for token in tokens:
        if parts and parts[-1].endswith("-") and token.text[:1].islower() and len(parts[-1]) > 2:
            parts[-1] = parts[-1][:-1] + token.text
        else:
            parts.append(token.text)
    return " ".join(parts)


def in_rows(tokens: Sequence[Token]) -> list[Token]:
    """Tokens of a cell in the order of reading."""
    return [token for row in make_rows(make_fragments(tokens)) for one in row for token in one.tokens]


def _cells(row: Row) -> list[list[Fragment]]:
    """The fragments of a row, those near each other together."""
    cells: list[list[Fragment]] = []
    for one in sorted(row, key=lambda fragment: fragment.x0):
        if cells and one.x0 - max(other.x1 for other in cells[-1]) < _CELL_GAP * one.size:
            cells[-1].append(one)
        else:
            cells.append([one])
    return cells


def _goes_on(rows: Sequence[Row], cells: Sequence[list[list[Fragment]]], first: int, last: int) -> bool:
    before, row = rows[last - 1], rows[last]
    height = max(one.y1 - one.y0 for one in before)
    gap = min(one.y0 for one in row) - max(one.y1 for one in before)
    if gap > _ROW_GAP * height or _is_fixed(row):
        return False
    if len(cells[last]) > 1:
        return True
    # a single cell goes on where it continues one of the row above, or where the rows below have cells again
    return _hangs(rows, cells, last) or (last + 1 < len(rows) and len(cells[last + 1]) > 1 and last - first > 1)


def _hangs(rows: Sequence[Row], cells: Sequence[list[list[Fragment]]], index: int) -> bool:
    """A row of one cell below a cell of the row above that is not the first: its next line."""
    if index == 0 or len(cells[index]) != 1:
        return False
    x0 = min(one.x0 for one in cells[index][0])
    size = cells[index][0][0].size
    return any(abs(min(one.x0 for one in cell) - x0) < size for cell in cells[index - 1][1:]) or (
        len(cells[index - 1]) == 1
        and abs(min(one.x0 for one in cells[index - 1][0]) - x0) < size
        and x0 > _left(rows) + size
    )


def _left(rows: Sequence[Row]) -> float:
    return min(one.x0 for row in rows for one in row)


def _aligned(rows: Sequence[Row], cells: Sequence[list[list[Fragment]]]) -> Table | None:
    several = [row for row in cells if len(row) > 1]
    if len(several) < _LEAST_ROWS:
        return None
    size = median(one.size for row in rows for one in row)
    strips = _strips(cells, size)
    if not strips:
        return None
    borders = [(left + right) / 2 for left, right in strips]
    columns = len(borders) + 1
    grid: list[list[list[Fragment]]] = []
    for row in cells:
        placed: list[list[Fragment]] = [[] for _ in range(columns)]
        for cell in row:
            for one in cell:
                placed[sum(border < (one.x0 + one.x1) / 2 for border in borders)].append(one)
        grid.append(placed)
    if not _is_table(grid, size):
        return None
    merged = _merged_rows(rows, grid, size)
    return Table([[_cell(place) for place in row] for row in merged])


def _strips(cells: Sequence[list[list[Fragment]]], size: float) -> list[tuple[float, float]]:
    """Vertical strips that hardly any row crosses."""
    spans = [(min(one.x0 for one in cell), max(one.x1 for one in cell)) for row in cells for cell in row]
    x0, x1 = min(span[0] for span in spans), max(span[1] for span in spans)
    allowed = int(_CROSSING * len(cells))
    edges = sorted({edge for span in spans for edge in span})
    strips: list[tuple[float, float]] = []
    for left, right in pairwise(edges):
        middle = (left + right) / 2
        if x0 < middle < x1 and sum(span[0] < middle < span[1] for span in spans) <= allowed:
            if strips and abs(strips[-1][1] - left) < 0.01:
                strips[-1] = (strips[-1][0], right)
            else:
                strips.append((left, right))
    return [strip for strip in strips if strip[1] - strip[0] >= _COLUMN_GAP * size]


def _is_table(grid: Sequence[list[list[Fragment]]], size: float) -> bool:
    columns = list(zip(*grid, strict=True))
    if any(sum(bool(place) for place in column) < max(2, 0.3 * len(grid)) for column in columns):
        return False
    texts = [[row_text(place) for place in column if place] for column in columns]
    if all(_MARKER.fullmatch(text) for text in texts[0]):
        return False  # a list
    if not all(_stands_aligned(column, size) for column in columns):
        return False
    if len(columns) > 2:
        return True
    values = [text for text in texts[1] if any(letter.isdigit() for letter in text)]
    if len(values) > 0.6 * len(texts[1]):
        return True
    return median(map(len, texts[0])) <= _SHORT_NAME and max(map(len, texts[0])) <= 2 * _SHORT_NAME


def _stands_aligned(column: Sequence[list[Fragment]], size: float) -> bool:
    places = [(min(one.x0 for one in cell), max(one.x1 for one in cell)) for cell in column if cell]
    best = 0
    for edge in (lambda p: p[0], lambda p: p[1], lambda p: (p[0] + p[1]) / 2):
        at = sorted(edge(place) for place in places)
        middle = at[len(at) // 2]
        best = max(best, sum(abs(value - middle) < 0.35 * size for value in at))
    return best >= _ALIGNED * len(places)


def _merged_rows(rows: Sequence[Row], grid: Sequence[list[list[Fragment]]], size: float) -> list[list[list[Fragment]]]:
    """Lines of wrapped cells joined with the row they belong to: those close below it without a first cell."""
    merged: list[list[list[Fragment]]] = []
    last_bottom = 0.0
    for row, placed in zip(rows, grid, strict=True):
        top = min(one.y0 for one in row)
        if merged and not placed[0] and top - last_bottom < 0.6 * size and sum(map(bool, placed)) < len(placed):
            for cell, more in zip(merged[-1], placed, strict=True):
                cell += more
        else:
            merged.append([list(place) for place in placed])
        last_bottom = max(one.y1 for one in row)
    return merged


def _cell(place: Sequence[Fragment]) -> tuple[Cell, list[Token]]:
    tokens = [token for one in place for token in one.tokens]
    return Cell(cell_text(tokens)), tokens


def _is_fixed(row: Row) -> bool:
    """A listing: its columns are what its author made of spaces."""
    return all(token.fixed for one in row for token in one.tokens)


def _place(borders: Sequence[float], at: float) -> int:
    return max(0, min(len(borders) - 2, sum(border <= at for border in borders) - 1))
