"""An XLSX as a whole: one page a sheet, whose name is a heading; notes and text boxes follow the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from indexing.convert.extracted import Extracted, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.drawings import drawing_lines
from indexing.convert.office.package import A, Package, R, local
from indexing.convert.sheets.rows import Counts, SheetRows, range_of, rich_text
from indexing.convert.sheets.styles import CellStyles
from indexing.convert.slides.words import paragraph_text
from indexing.convert.tables.several import sheet_lines

_MAX_NOTES = 20_000


@dataclass
class _Book:
    package: Package
    strings: list[str]
    styles: CellStyles
    from_1904: bool
    read_hidden: bool
    counts: Counts


def convert_xlsx(data: bytes, read_hidden: bool = False) -> Extracted:
    """
    Values as the spreadsheet program last computed and showed them; a formula that none has computed is told as such.

    :param read_hidden: hidden sheets, rows and columns are read, too.
    :raises Refusal: "password", "bomb", "damaged".
    """
    package = Package(data)
    main = package.main("xl")
    root = package.required(main)
    relations = [relation for relation in package.relations(main) if not relation.external]
    by_kind = {relation.kind: relation.target for relation in relations}
    strings_root = package.xml(by_kind.get("sharedStrings", "xl/sharedStrings.xml"))
    strings = [rich_text(item) for item in strings_root] if strings_root is not None else []
    styles = CellStyles(package.xml(by_kind.get("styles", "xl/styles.xml")))
    from_1904 = any(local(node) == "workbookPr" and node.get("date1904") in ("1", "true") for node in root)
    book = _Book(package, strings, styles, from_1904, read_hidden, Counts())
    targets = {relation.id: relation.target for relation in relations}
    builder = TextBuilder()
    labels: list[str] = []
    hidden: list[str] = []
    for entry in root.iter():
        if local(entry) != "sheet":
            continue
        name = one_line(entry.get("name")) or "Sheet"
        part = targets.get(entry.get(f"{R}id", ""), "")
        if entry.get("state", "visible") != "visible" and not read_hidden:
            hidden.append(one_line(name, 40) or "")
            continue
        if labels:
            builder.page()
        labels.append(name)
        builder.heading(name, 1)
        _sheet(part, book, builder)
    return Extracted(
        builder.text(),
        MIME_TYPES["xlsx"],
        package.title(),
        builder.headings,
        paged=True,
        page_kind="sheet",
        page_labels=labels,
        notes=[*_notes(book.counts, hidden), *package.notes()],
    )


def _notes(counts: Counts, hidden: list[str]) -> list[str]:
    left = [
        *([f"sheets {', '.join(hidden[:10])}"] if hidden else []),
        *([f"{counts.hidden_rows:,} rows"] if counts.hidden_rows else []),
        *([f"{counts.hidden_columns:,} cells of hidden columns"] if counts.hidden_columns else []),
    ]
    notes = [f"hidden, left out: {'; '.join(left)} (setting hidden: read)"] if left else []
    if counts.uncomputed:
        notes.append(f"formulas that no program has computed, read as formulas: {counts.uncomputed:,}")
    return notes


def _sheet(part: str, book: _Book, builder: TextBuilder) -> None:
    data = book.package.read(part)
    if data is None:
        if part not in book.package.damaged:
            book.package.damaged.append(part or "a sheet")
        return
    relations = [relation for relation in book.package.relations(part) if not relation.external]
    headings = []
    for relation in relations:
        if relation.kind == "table" and (table := book.package.xml(relation.target)) is not None:
            place = range_of(table.get("ref", ""))
            if place and table.get("headerRowCount", "1") != "0":
                headings.append((place[1], place[0], place[2]))
    rows = SheetRows(data, book.strings, book.styles, book.from_1904, book.read_hidden, headings, book.counts)
    builder.tables(sheet_lines(rows))
    for relation in relations:
        if relation.kind == "drawing":
            _drawing(relation.target, book.package, builder)
    threaded = [relation for relation in relations if relation.kind == "threadedComment"]
    for relation in threaded or [one for one in relations if one.kind == "comments"]:
        builder.lines(_cell_notes(book.package.xml(relation.target)))


def _cell_notes(root: Any | None) -> Iterator[str]:
    read = 0
    for note in root.iter() if root is not None else ():
        kind = local(note)
        if kind not in ("comment", "threadedComment") or read >= _MAX_NOTES:
            continue
        inner = next((child for child in note if local(child) == "text"), None)
        text = (inner.text if kind == "threadedComment" else rich_text(inner)) if inner is not None else ""
        if text and text.strip():
            read += 1
            yield f"Note on {note.get('ref', '')}: {' '.join(text.split())}"


def _drawing(part: str, package: Package, builder: TextBuilder) -> None:
    root = package.xml(part)
    if root is None:
        return
    for element in root.iter():
        if local(element) == "txBody":
            builder.lines(paragraph_text(one) for one in element.iter(f"{A}p"))
    builder.lines(drawing_lines(root, part, package))
