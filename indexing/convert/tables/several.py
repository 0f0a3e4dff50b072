"""Several tables on one sheet, one below the other: where does the next one begin?"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from indexing.convert.tables.grid import Row, distinct
from indexing.convert.tables.headers import count_header_rows, count_titles, is_value
from indexing.convert.tables.lines import table_lines

_AHEAD = 12


def sheet_lines(rows: Iterable[Row], headed: bool = False) -> Iterator[str]:
    """
    Lines of all tables, an empty one ahead of each.

    Behind empty rows a title or a heading begins a new table, anything else goes on with the one above.
    """
    ahead = _Ahead(rows)
    while ahead.filled(1):
        yield ""
        yield from table_lines(_one_table(ahead), headed)


class _Ahead:
    """An iterator whose next rows can be looked at."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self.next_rows: deque[Row] = deque()

    def filled(self, count: int) -> bool:
        self.next_rows.extend(islice(self._rows, max(0, count - len(self.next_rows))))
        return len(self.next_rows) >= count

    def take(self) -> Row:
        return self.next_rows.popleft()


def _one_table(ahead: _Ahead) -> Iterator[Row]:
    first = True
    while ahead.filled(1):
        if not first and ahead.next_rows[0].gap:
            ahead.filled(_AHEAD)
            if _begins_table(_until_gap(ahead.next_rows)):
                return
        first = False
        yield ahead.take()


def _until_gap(rows: Iterable[Row]) -> list[Row]:
    block: list[Row] = []
    for row in rows:
        if block and row.gap and len(block) > 1:
            break
        block.append(row)
    return block


def _begins_table(block: Sequence[Row]) -> bool:
    first = distinct(block[0])
    if len(first) == 1:
        return count_titles(block) > 0
    names = len(block) > 1 and not any(is_value(cell.text) for cell in first)
    return names or count_header_rows(block) > 0
