"""The grid that a table of any format becomes: merged cells stand, as the same object, at every place they cover."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MAX_SPAN = 1_000  # as in HTML; nobody draws a wider cell
_MAX_COVERED = 200_000  # places that merged cells of one table may cover beyond their own


@dataclass(eq=False, slots=True)
class Cell:
    """
    :param text: on one line.
    :param columns: that the cell covers, and `rows` likewise; both at least 1.
    :param header: the format itself says that this cell names others (th, a repeated heading row, bold in a plain one).
    """

    text: str
    columns: int = 1
    rows: int = 1
    header: bool = False

    def __post_init__(self) -> None:
        self.text = " ".join(self.text.split())


class Row(list[Cell]):
    """
    Cells from left to right.

    :param breaks: form feeds and vertical tabs, said ahead of the row as lines of their own: pages end there.
    :param gap: empty rows lie ahead of it.
    """

    breaks: str = ""
    gap: bool = False


def expand(rows: Iterable[Sequence[Cell]]) -> list[Row]:
    """
    Place cells as HTML does: each at the first free column of its row, at all the places it covers.

    :returns: rows of one width; where nothing stands is an empty cell.
    """
    listed = list(rows)
    grid: list[dict[int, Cell]] = [{} for _ in listed]
    budget = _MAX_COVERED
    for number, row in enumerate(listed):
        column = 0
        for cell in row:
            while column in grid[number]:
                column += 1
            across = max(1, min(cell.columns, _MAX_SPAN))
            down = max(1, min(cell.rows, len(listed) - number))
            if across * down - 1 > budget:
                across = down = 1
            budget -= across * down - 1
            for below in range(number, number + down):
                for right in range(column, column + across):
                    grid[below].setdefault(right, cell)
            column += across
    width = max((max(places) + 1 for places in grid if places), default=0)
    if width * len(grid) > 20 * sum(map(len, grid)) + 10_000:  # one far cell must not widen every row
        width = 0
    expanded = []
    for row, places in zip(listed, grid, strict=True):
        columns = width or max(places, default=-1) + 1
        full = Row(places.get(column) or Cell("") for column in range(columns))
        full.breaks = getattr(row, "breaks", "")
        expanded.append(full)
    return expanded


def distinct(row: Sequence[Cell]) -> list[Cell]:
    """The row's cells that hold text, a merged one once."""
    found: list[Cell] = []
    for cell in row:
        if cell.text and not any(cell is other for other in found[-1:]):
            found.append(cell)
    return found
