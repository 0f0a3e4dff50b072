"""The tables of a DOCX as cells: spans, merges, heading rows, deleted and hidden rows, page breaks between rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexing.convert.office.package import is_on
from indexing.convert.tables.grid import Cell, Row
from indexing.convert.word.names import VAL, W, number_of
from indexing.convert.word.runs import HARD_BREAK, SOFT_BREAK, Inline

if TYPE_CHECKING:
    from indexing.convert.word.blocks import BlockReader

_LAYOUT_CELL = 500  # characters: a table with longer cells lays out a page, it does not list data
_MAX_COLUMNS = 1_000


@dataclass
class TableContent:
    """
    :param rows: of cells as they stand in the file, not yet expanded.
    :param hanging: text boxes and drawings of its cells.
    :param breaks_behind: page breaks inside the last row.
    :param hidden: characters of hidden rows.
    """

    rows: list[Row] = field(default_factory=list)
    hanging: list[Inline] = field(default_factory=list)
    breaks_behind: str = ""
    hidden: int = 0


def own_rows(table: Any) -> Iterator[Any]:
    """Rows of the table itself, without those of tables inside it, without deleted ones."""
    for row in table.iter(f"{W}tr"):
        if next(row.iterancestors(f"{W}tbl"), None) is table and row.find(f"{W}trPr/{W}del") is None:
            yield row


def own_cells(row: Any) -> Iterator[Any]:
    for cell in row.iter(f"{W}tc"):
        if next(cell.iterancestors(f"{W}tr"), None) is row:
            yield cell


def is_styled(table: Any) -> bool:
    """Whether the table has a style, and its first row is drawn as a heading by it."""
    properties = table.find(f"{W}tblPr")
    if properties is None or properties.find(f"{W}tblStyle") is None:
        return False
    look = properties.find(f"{W}tblLook")
    if look is None:
        return False
    bits = look.get(VAL, "")
    return look.get(f"{W}firstRow") == "1" or (look.get(f"{W}firstRow") is None and bits[-2:-1] in "2367aAbBeEfF")


def is_layout(table: Any, reader: "BlockReader") -> bool:
    """A table that lays out text: tables inside its cells, one cell, or cells as long as paragraphs."""
    cells = [cell for row in own_rows(table) for cell in own_cells(row)]
    if len(cells) < 2:
        return True
    for cell in cells:
        if cell.find(f".//{W}tbl") is not None:
            return True
        if sum(len(text.text or "") for text in cell.iter(f"{W}t")) > _LAYOUT_CELL:
            return True
    return False


def read_rows(table: Any, reader: "BlockReader", read_hidden: bool) -> TableContent:
    content = TableContent()
    above: dict[int, Cell] = {}  # cells that may go on below, by their first column
    rows = list(own_rows(table))
    bold = _bold_first(rows)
    waiting = ""
    for number, row in enumerate(rows):
        properties = row.find(f"{W}trPr")
        hidden = properties is not None and is_on(properties.find(f"{W}hidden"))
        if hidden and not read_hidden:
            content.hidden += sum(len(text.text or "") for text in row.iter(f"{W}t"))
            continue
        heading = bold and number == 0
        column = 0
        if properties is not None:
            heading = heading or is_on(properties.find(f"{W}tblHeader"))
            column = min(number_of(properties.find(f"{W}gridBefore"), 0), _MAX_COLUMNS)
        cells = Row(Cell("") for _ in range(column))
        below: dict[int, Cell] = {}
        ahead, inside = "", ""
        for element in own_cells(row):
            text, inline = reader.cell_text(element)
            if inline.boxes or inline.drawings:
                content.hanging.append(inline)
            first, later = _breaks(text)
            ahead, inside = max(ahead, first, key=len), max(inside, later, key=len)
            text = text.replace(HARD_BREAK, " ").replace(SOFT_BREAK, " ")
            span = max(1, min(number_of(element.find(f"{W}tcPr/{W}gridSpan"), 1), _MAX_COLUMNS))
            merge, sideways = element.find(f"{W}tcPr/{W}vMerge"), element.find(f"{W}tcPr/{W}hMerge")
            if merge is not None and merge.get(VAL) != "restart" and column in above:
                above[column].rows += 1
                below[column] = above[column]
            elif sideways is not None and sideways.get(VAL) != "restart" and cells:
                cells[-1].columns += span
            else:
                cells.append(Cell(text, span, header=heading))
                if merge is not None:
                    below[column] = cells[-1]
            column += span
        cells.breaks = waiting + ahead
        waiting = inside
        above = below
        content.rows.append(cells)
    content.breaks_behind = waiting
    return content


def _breaks(text: str) -> tuple[str, str]:
    """Break marks ahead of a cell's text, and those behind its first word."""
    first = len(text) - len(text.lstrip(" \n\t" + HARD_BREAK + SOFT_BREAK))
    marks = (HARD_BREAK, SOFT_BREAK)
    return "".join(c for c in text[:first] if c in marks), "".join(c for c in text[first:] if c in marks)


def _bold_first(rows: list[Any]) -> bool:
    """The first row is in bold and the second one is not: a heading that somebody drew by hand."""
    return len(rows) > 1 and _is_bold(rows[0]) and not _is_bold(rows[1])


def _is_bold(row: Any) -> bool:
    runs = [run for run in row.iter(f"{W}r") if any((text.text or "").strip() for text in run.iter(f"{W}t"))]
    return bool(runs) and all(is_on(run.find(f"{W}rPr/{W}b")) for run in runs)
