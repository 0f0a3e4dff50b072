"""DOCX: paragraphs, lists, tables, text boxes and notes in reading order, with headings and Word's last pages."""

import io
from collections.abc import Iterator
from typing import Any

from indexing.convert.archive import checked_zip
from indexing.convert.extracted import Extracted, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import Cell, expand, table_lines

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # says again what Choice says
_TEXT_BOX = f"{_W}txbxContent"
_NOTES = {"footnotes": f"{_W}footnote", "endnotes": f"{_W}endnote"}
_MAX_DEPTH = 50


def convert_docx(data: bytes) -> Extracted:
    """
    :raises Refusal: "password", "bomb", "damaged".
    """
    checked_zip(data).close()
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        levels = {style.style_id: level for style in document.styles if (level := _level(style)) is not None}
        title = one_line(document.core_properties.title)
    except Refusal:
        raise
    except Exception as error:  # python-docx raises whatever a broken part provokes
        raise Refusal("damaged", f"not a whole DOCX ({type(error).__name__})") from None
    reader = _Reader(levels)
    reader.blocks(document.element.body)
    paged = reader.pages > 0
    for notes in _note_parts(document):
        reader.blocks(notes)
    headings = reader.builder.headings
    top = min((level for _, level, _ in headings), default=1)
    if title in (None, "Word Document"):  # python-docx's own, where the file has none
        title = next((text for _, level, text in headings if level == top), None)
    return Extracted(reader.builder.text(), MIME_TYPES["docx"], title=title, headings=headings, paged=paged)


def _level(style: Any) -> int | None:
    name = (style.name or "").lower()
    if name == "title":
        return 1
    if name.startswith("heading ") and name[8:].isdigit():
        return int(name[8:])
    return None


def _note_parts(document: Any) -> Iterator[Any]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1]
        if kind in _NOTES and not relation.is_external:
            try:
                root = etree.fromstring(relation.target_part.blob, parser)
            except etree.XMLSyntaxError:
                continue
            for note in root.iter(_NOTES[kind]):
                if note.get(f"{_W}type") is None:  # separators have a type
                    yield note


class _Reader:
    def __init__(self, levels: dict[str, int]) -> None:
        self.builder = TextBuilder()
        self.pages = 0
        self._levels = levels

    def blocks(self, parent: Any, depth: int = 0) -> None:
        """Paragraphs and tables below `parent`; wrappers such as w:sdt and w:ins are looked through."""
        if depth > _MAX_DEPTH:
            raise Refusal("damaged", f"blocks nested deeper than {_MAX_DEPTH}")
        for child in parent:
            if child.tag == f"{_W}p":
                self._paragraph(child, depth)
            elif child.tag == f"{_W}tbl":
                self.builder.lines(table_lines(expand(self._rows(child))))
            elif child.tag not in (_FALLBACK, f"{_W}sectPr", f"{_W}del") and len(child):
                self.blocks(child, depth + 1)

    def _paragraph(self, paragraph: Any, depth: int) -> None:
        text, boxes = _text(paragraph)
        pieces = text.split("\f")
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        level = self._levels.get(style.get(f"{_W}val")) if style is not None else None
        if level is None and outline is not None and (value := outline.get(f"{_W}val", "9")).isdigit():
            level = int(value) + 1 if int(value) < 9 else None
        is_list = paragraph.find(f"{_W}pPr/{_W}numPr") is not None
        for number, piece in enumerate(pieces):
            if number:
                self.builder.page()
                self.pages += 1
            if level is not None:
                self.builder.heading(piece, level)
            else:
                self.builder.block(piece, "\n" if is_list else "\n\n")
        for box in boxes:
            self.blocks(box, depth + 1)

    def _rows(self, table: Any) -> list[list[Cell]]:
        rows: list[list[Cell]] = []
        above: dict[int, Cell] = {}  # cells that may go on below, by their first column
        for row in table.iter(f"{_W}tr"):
            if _owner(row, f"{_W}tbl") is not table:
                continue
            heading = row.find(f"{_W}trPr/{_W}tblHeader") is not None
            cells: list[Cell] = []
            open_cells: dict[int, Cell] = {}
            column = _number(row.find(f"{_W}trPr/{_W}gridBefore"), 0)
            cells.extend([Cell("")] * min(column, 100))
            for cell in row.iter(f"{_W}tc"):
                if _owner(cell, f"{_W}tr") is not row:
                    continue
                span = _number(cell.find(f"{_W}tcPr/{_W}gridSpan"), 1)
                merge = cell.find(f"{_W}tcPr/{_W}vMerge")
                if merge is not None and merge.get(f"{_W}val") != "restart" and column in above:
                    above[column].rows += 1
                    open_cells[column] = above[column]
                else:
                    text = " ".join(_text(part)[0] for part in cell.iter(f"{_W}p")).replace("\f", " ")
                    cells.append(Cell(text, span, header=heading))
                    if merge is not None:
                        open_cells[column] = cells[-1]
                column += span
            above = open_cells
            rows.append(cells)
        return rows


def _number(element: Any, default: int) -> int:
    value = element.get(f"{_W}val", "") if element is not None else ""
    return int(value) if value.isdigit() and len(value) < 5 else default


def _owner(element: Any, tag: str) -> Any:
    return next(element.iterancestors(tag), None)


def _text(paragraph: Any) -> tuple[str, list[Any]]:
    """Text of the runs, a form feed where a page ends, and the text boxes that hang on the paragraph."""
    parts: list[str] = []
    boxes: list[Any] = []
    stack = list(reversed(paragraph))
    while stack:
        node = stack.pop()
        tag = node.tag
        if tag == f"{_W}t":
            parts.append("".join(node.itertext()))
        elif tag == f"{_W}tab":
            parts.append("\t")
        elif tag == f"{_W}lastRenderedPageBreak" or (tag == f"{_W}br" and node.get(f"{_W}type") == "page"):
            if not parts or parts[-1] != "\f":  # Word notes a hard break a second time when it draws it
                parts.append("\f")
        elif tag in (f"{_W}br", f"{_W}cr"):
            parts.append("\n")
        elif tag in (f"{_W}noBreakHyphen", f"{_W}softHyphen"):
            parts.append("-" if tag.endswith("noBreakHyphen") else "")
        elif tag == _TEXT_BOX:
            boxes.append(node)
        elif tag not in (_FALLBACK, f"{_W}pPr", f"{_W}rPr", f"{_W}del", f"{_W}instrText"):
            stack.extend(reversed(node))
    return "".join(parts), boxes
