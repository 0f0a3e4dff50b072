"""The rows of one sheet as they are shown: values in their formats, merged cells, hidden rows and columns left out."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from indexing.convert.office.package import is_on, local
from indexing.convert.raised import lowered, raised
from indexing.convert.sheets.formats import show_number
from indexing.convert.sheets.styles import CellStyles
from indexing.convert.tables.grid import Cell, Row

_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]{0,100}?ref=["']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})"""
)
_HIDDEN_COLUMNS = re.compile(rb"<(?:\w+:)?col\s[^>]{0,300}?/?>")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})$")
_MAX_MERGED = 20_000
_MAX_FORMULA = 300


@dataclass
class Counts:
    """What was met on the way: for the file's notes."""

    uncomputed: int = 0
    hidden_rows: int = 0
    hidden_columns: int = 0


@dataclass
class SheetRows:
    """
    :param strings: the book's shared strings.
    :param heading_rows: rows that a table of the sheet names as its heading: (row, first column, last column).
    """

    data: bytes
    strings: list[str]
    styles: CellStyles
    from_1904: bool = False
    read_hidden: bool = False
    heading_rows: list[tuple[int, int, int]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    def __iter__(self) -> Iterator[Row]:
        """
        Rows from the first used column on; `Row.gap` where empty rows lie ahead.

        Only cells that exist are made: two cells in opposite corners of a sheet span 17 thousand million.
        """
        merged = _merged(self.data)
        hidden = set() if self.read_hidden else _hidden_columns(self.data)
        first: int | None = None
        last_number = 0
        for number, element in _row_elements(self.data, last_number):
            if is_on(element, "hidden") and element.get("hidden") and not self.read_hidden:
                self.counts.hidden_rows += len(element) > 0
                continue
            cells = self._cells(element)
            if hidden:
                kept = {column: cell for column, cell in cells.items() if column not in hidden}
                self.counts.hidden_columns += len(cells) - len(kept)
                cells = kept
            if not cells and number not in merged:
                continue
            first = min(cells, default=first or 0) if first is None else first
            row = self._placed(number, cells, merged.get(number, []), first)
            row.gap = number > last_number + 1
            last_number = number
            yield row

    def _cells(self, element: Any) -> dict[int, Cell]:
        found: dict[int, Cell] = {}
        column = 0
        for child in element:
            if local(child) != "c":
                continue
            match = _REFERENCE.match(child.get("r", ""))
            column = column_number(match.group(1)) if match else column + 1
            text = self._shown(child)
            if text:
                style = child.get("s", "")
                found[column] = Cell(text, header=style.isdigit() and self.styles.is_bold(int(style)))
        return found

    def _placed(
        self, number: int, cells: dict[int, Cell], merges: list[tuple[int, int, dict[str, Cell]]], first: int
    ) -> Row:
        for left, right, kept in merges:
            cell = cells.get(left) or kept.get("cell")
            if cell is None:
                continue
            kept["cell"] = cell
            for column in range(left, right + 1):
                cells[column] = cell
        for at, left, right in self.heading_rows:
            if at == number:
                for column in range(left, min(right, left + 1_000) + 1):
                    if column in cells:
                        cells[column].header = True
        if not all(cell.header for cell in cells.values()):
            for cell in cells.values():
                cell.header = False  # some bold words are no heading
        start = min(first, min(cells, default=first))
        if cells and max(cells) - start > 4 * len(cells) + 50:  # sparse: columns say nothing here
            return Row(cells[column] for column in sorted(cells))
        return Row(cells.get(column) or Cell("") for column in range(start, max(cells, default=start - 1) + 1))

    def _shown(self, cell: Any) -> str:
        kind = cell.get("t", "n")
        value = formula = None
        for child in cell:
            name = local(child)
            if name == "v":
                value = child.text
            elif name == "f":
                formula = child.text
            elif name == "is":
                return rich_text(child)
        if value is None or value == "":
            if formula and kind != "str":
                self.counts.uncomputed += 1
                return f"={formula.strip()[:_MAX_FORMULA]}"
            return ""
        if kind == "s":
            return self.strings[int(value)] if value.isdigit() and int(value) < len(self.strings) else ""
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        if kind in ("str", "e"):
            return value
        if kind == "d":
            return value.removesuffix("T00:00:00")
        try:
            number = float(value)
        except ValueError:
            return value
        style = cell.get("s", "")
        return show_number(number, self.styles.format_of(int(style) if style.isdigit() else 0), self.from_1904)


def rich_text(element: Any) -> str:
    """Text of a shared or inline string; phonetic readings are left out, raised digits told as such."""
    parts: list[str] = []
    for child in element:
        name = local(child)
        if name == "t":
            parts.append(child.text or "")
        elif name == "r":
            text = "".join(one.text or "" for one in child if local(one) == "t")
            align = next(
                (one.get("val") for mark in child if local(mark) == "rPr" for one in mark if local(one) == "vertAlign"),
                None,
            )
            before = "".join(parts[-2:])[-40:]
            if align == "superscript":
                text = raised(text, before)
            elif align == "subscript":
                text = lowered(text, before)
            parts.append(text)
    return "".join(parts)


def column_number(letters: str) -> int:
    """A -> 1, AA -> 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number


def range_of(reference: str) -> tuple[int, int, int, int] | None:
    """``A1:C3`` -> first column, first row, last column, last row."""
    start, _, end = reference.partition(":")
    first, last = _REFERENCE.match(start), _REFERENCE.match(end or start)
    if not first or not last:
        return None
    return column_number(first.group(1)), int(first.group(2)), column_number(last.group(1)), int(last.group(2))


def _row_elements(data: bytes, number: int) -> Iterator[tuple[int, Any]]:
    events = etree.iterparse(
        io.BytesIO(data), events=("end",), resolve_entities=False, no_network=True, remove_comments=True
    )
    for _, element in events:
        if local(element) == "row":
            given = element.get("r", "")
            number = int(given) if given.isdigit() and len(given) < 9 else number + 1
            yield number, element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _merged(data: bytes) -> dict[int, list[tuple[int, int, dict[str, Cell]]]]:
    """Row -> (first column, last column, where its cell is kept) of merged ranges; huge ranges are left aside."""
    found: dict[int, list[tuple[int, int, dict[str, Cell]]]] = {}
    for number, match in enumerate(_MERGED.finditer(data)):
        if number == _MAX_MERGED:
            break
        left, right = (column_number(match.group(index).decode("ascii")) for index in (1, 3))
        top, bottom = int(match.group(2)), int(match.group(4))
        if right - left > 500 or bottom - top > 5_000:
            continue
        kept: dict[str, Cell] = {}
        for row in range(top, bottom + 1):
            found.setdefault(row, []).append((left, right, kept))
    return found


def _hidden_columns(data: bytes) -> set[int]:
    hidden: set[int] = set()
    for match in _HIDDEN_COLUMNS.finditer(data[: data.find(b"sheetData") + 1]):
        if re.search(rb"""hidden=["'](1|true)""", match.group()):
            bounds = re.findall(rb"""\b(?:min|max)=["'](\d{1,5})["']""", match.group())
            if len(bounds) == 2:
                low, high = sorted(map(int, bounds))
                hidden.update(range(low, high + 1))
    return hidden
