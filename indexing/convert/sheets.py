"""XLSX: one page a sheet; its name is a heading, each row a line beside the names of its columns."""

import datetime
import io
from collections.abc import Iterator
from typing import Any

from indexing.convert.archive import checked_zip
from indexing.convert.extracted import Extracted, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import Cell, table_lines


def convert_xlsx(data: bytes) -> Extracted:
    """
    Values as the spreadsheet last computed them, not formulas.

    :raises Refusal: "password", "bomb", "damaged".
    """
    checked_zip(data).close()
    import openpyxl

    builder, notes = TextBuilder(), []
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for number, sheet in enumerate(book.worksheets):
            if number:
                builder.page()
            if sheet.sheet_state != "visible":
                notes.append(f"hidden sheet read: {one_line(sheet.title, 40)}")
            builder.heading(sheet.title, 1)
            builder.lines(table_lines([Cell(text) for text in row] for row in _rows(sheet)))
        title = one_line(book.properties.title)
    except Refusal:
        raise
    except Exception as error:  # openpyxl raises whatever a broken part provokes
        raise Refusal("damaged", f"not a whole XLSX ({type(error).__name__})") from None
    return Extracted(
        builder.text(), MIME_TYPES["xlsx"], title=title, headings=builder.headings, paged=True, notes=notes
    )


def _rows(sheet: Any) -> Iterator[list[str]]:
    """
    Rows with their cells in columns from the first used one on.

    openpyxl's own `iter_rows` fills the sheet's whole rectangle: two cells in opposite corners make 17 thousand
    million. Its parser, which that is built on, yields the cells that exist.
    """
    from openpyxl.worksheet._reader import WorkSheetParser

    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=sheet.parent.epoch,
            date_formats=sheet.parent._date_formats,
            timedelta_formats=sheet.parent._timedelta_formats,
        )
        first = None
        for _, cells in parser.parse():
            used = {cell["column"]: _shown(cell["value"]) for cell in cells if cell["value"] is not None}
            if not used:
                continue
            first = min(used) if first is None else first
            if max(used) - min(first, min(used)) > 4 * len(used) + 50:  # sparse: columns say nothing here
                yield list(used.values())
            else:
                yield [used.get(column, "") for column in range(min(first, min(used)), max(used) + 1)]


def _shown(value: Any) -> str:
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
