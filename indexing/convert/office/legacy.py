"""XLS and PPT, the formats of Excel and PowerPoint before 2007, read by kreuzberg (MIT)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from indexing.convert.extracted import Extracted, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES, Kind
from indexing.convert.office.containers import require_readable, with_usual_names
from indexing.convert.tables import Cell
from indexing.convert.tables.grid import Row
from indexing.convert.tables.several import sheet_lines

_MIDNIGHT = re.compile(r"^(\d{4}-\d\d-\d\d) 00:00:00$")  # how a day without a time comes out
_LONG_NUMBER = re.compile(r"^-?\d+\.\d{10,}$")  # 3.4000000000000004: Excel keeps, and shows, 15 digits
_PROMPTS = re.compile(  # of a slide's master: nobody wrote them
    r"^(Click to edit Master (title|text|subtitle) styles?|(Second|Third|Fourth|Fifth) level|\*|‹#›)$"
)


def convert_ppt(data: bytes) -> Extracted:
    """A paragraph that stands in the outline and on its slide, in notes and on their master, is said once."""
    found = _extracted(data, "ppt")
    builder = TextBuilder()
    said: set[str] = set()
    for paragraph in found.content.split("\n\n"):
        text = paragraph.strip()
        if text in said or _PROMPTS.match(text):
            continue
        said.add(text)
        builder.block(paragraph)
    return Extracted(builder.text(), MIME_TYPES["ppt"], title=_title(found))


def convert_xls(data: bytes) -> Extracted:
    """Each sheet's cells as tables, under the sheet's name; sheets without a cell are left out, as in XLSX files."""
    found = _extracted(with_usual_names(data), "xls")
    builder = TextBuilder()
    labels: list[str] = []
    names = list((found.metadata or {}).get("sheet_names") or [])
    for table in found.tables or []:
        if labels:
            builder.page()
        number = table.page_number  # of the sheet, from 1
        labels.append(one_line(names[number - 1] if 0 < number <= len(names) else None) or f"Sheet{number}")
        builder.heading(labels[-1], 1)
        builder.tables(sheet_lines(_rows(table.cells)))
    if not labels:
        builder.block(found.content)
        return Extracted(builder.text(), MIME_TYPES["xls"])
    return Extracted(
        builder.text(), MIME_TYPES["xls"], headings=builder.headings, paged=True, page_kind="sheet", page_labels=labels
    )


def _rows(cells: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """Rows without the empty cells that fill them up to the sheet's width; empty rows become gaps."""
    gap = False
    for texts in cells:
        row = Row(Cell(_as_shown(str(text))) for text in texts)
        while row and not row[-1].text:
            row.pop()
        row.gap, gap = gap, not row
        if row:
            yield row


def _as_shown(text: str) -> str:
    return f"{float(text):.15g}" if _LONG_NUMBER.match(text) else _MIDNIGHT.sub(r"\1", text)


def _title(found: Any) -> str | None:
    title = (found.metadata or {}).get("title")
    return one_line(title if isinstance(title, str) else None)


def _extracted(data: bytes, kind: Kind) -> Any:
    require_readable(data, kind)
    try:
        import kreuzberg
    except ImportError:
        raise Refusal(
            "unknown format",
            f"{kind.upper()} is read by kreuzberg: pip install kreuzberg, or save it as {kind.upper()}X",
        ) from None
    try:
        config = kreuzberg.ExtractionConfig(use_cache=False, enable_quality_processing=False)
        return kreuzberg.extract_bytes_sync(data, MIME_TYPES[kind], config)
    except Exception as error:  # its errors quote the document
        raise Refusal("damaged", f"not a whole {kind.upper()} ({type(error).__name__})") from None
