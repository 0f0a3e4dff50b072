"""Paragraphs, lists, tables and text boxes of a DOCX part, in reading order."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from indexing.convert.extracted import Refusal, TextBuilder, one_line
from indexing.convert.office.drawings import drawing_lines
from indexing.convert.office.package import MC, Package, choice, is_on, local
from indexing.convert.tables import expand, table_lines
from indexing.convert.word.names import VAL, W, number_of
from indexing.convert.word.numbering import Numbering
from indexing.convert.word.runs import HARD_BREAK, SOFT_BREAK, Inline, InlineReader
from indexing.convert.word.styles import Styles
from indexing.convert.word.tables import is_layout, is_styled, own_cells, own_rows, read_rows

_MAX_DEPTH = 50
_SKIPPED = {"sectPr", "del", "moveFrom", "pPr", "rPr", "tblPr", "tblGrid", "sdtPr", "Fallback"}
_MADE_BY_MACHINE = ("automatically generated", "automatisch generiert", "générée automatiquement")


class BlockReader:
    """
    :param main: name of the part that is read first.
    :param read_hidden: hidden rows are read, too.
    """

    def __init__(
        self,
        package: Package,
        main: str,
        styles: Styles,
        inline: InlineReader,
        numbering: Numbering,
        read_hidden: bool = False,
    ) -> None:
        self.builder = TextBuilder()
        self.pages = 0  # breaks seen
        self.noted_pages = False  # some of them noted by Word
        self.sections: list[Any] = []
        self._package = package
        self._part = main
        self._styles = styles
        self._inline = inline
        self._numbering = numbering
        self._read_hidden = read_hidden
        self._waiting: list[str] = []  # breaks since the last text; they count when there is text behind them
        self._section = 0
        self._counts_pages = True
        self._hidden = self._objects = self._chunks = self._prompts = 0

    @contextmanager
    def inside(self, part: str) -> Iterator[None]:
        """Read another part than the main one: its breaks are no pages of the document."""
        before = self._part, self._counts_pages
        self._part, self._counts_pages = part, False
        yield
        self._part, self._counts_pages = before

    def notes(self) -> list[str]:
        """What was left out."""
        told = []
        if self._hidden:
            told.append(f"hidden text left out: {self._hidden:,} characters (setting hidden: read)")
        if self._prompts:
            told.append(f"empty fields, their prompts left out: {self._prompts:,}")
        if self._objects:
            told.append(f"embedded objects not read: {self._objects:,}")
        if self._chunks:
            told.append(f"embedded documents not read: {self._chunks:,}")
        return told

    def blocks(self, parent: Any, depth: int = 0) -> None:
        """Paragraphs and tables below `parent`; wrappers such as w:sdt and w:ins are looked through."""
        if depth > _MAX_DEPTH:
            raise Refusal("damaged", f"blocks nested deeper than {_MAX_DEPTH}")
        for child in parent:
            name = local(child)
            if name == "p":
                self._paragraph(child, depth)
            elif name == "tbl":
                self._table(child, depth)
            elif child.tag == f"{MC}AlternateContent":
                for chosen in choice(child):
                    self.blocks([chosen], depth + 1)
            elif name == "altChunk":
                self._chunks += 1
            elif is_on(child.find(f"{W}sdtPr/{W}showingPlcHdr")):
                self._prompts += 1
            elif name not in _SKIPPED and len(child):
                self.blocks(child, depth + 1)

    def plain_lines(self, parent: Any) -> Iterator[str]:
        """Text of all paragraphs below `parent`, a line each, also those of tables and text boxes."""
        for paragraph in parent.iter(f"{W}p"):
            if not any(ancestor.tag == f"{MC}Fallback" for ancestor in paragraph.iterancestors()):
                text = self._inline.read(paragraph).text.replace(HARD_BREAK, " ").replace(SOFT_BREAK, " ")
                if line := " ".join(text.split()):
                    yield line

    def _paragraph(self, paragraph: Any, depth: int) -> None:
        inline = self._read(paragraph)
        properties = paragraph.find(f"{W}pPr")
        style_element = properties.find(f"{W}pStyle") if properties is not None else None
        level = self._styles.of(style_element).level
        if properties is not None and (outline := number_of(properties.find(f"{W}outlineLvl"), 99)) != 99:
            level = outline + 1 if outline < 9 else None
        if properties is not None and is_on(properties.find(f"{W}pageBreakBefore")) and self.builder.text_length:
            self.end_page(HARD_BREAK)
        label, is_list = self._label(properties, style_element, inline.text)
        separator = "\n" if is_list else "\n\n"
        for piece in _pieces(inline.text):
            if piece in (HARD_BREAK, SOFT_BREAK):
                self.end_page(piece)
            elif piece.strip():
                self._begin_page()
                text, label = f"{label} {piece.strip()}" if label else piece, ""
                if level is not None:
                    self.builder.heading(text, level)
                else:
                    self.builder.block(text, separator)
        self._hanging(inline, depth)
        if properties is not None and properties.find(f"{W}sectPr") is not None:
            self._section += 1
            following = self.sections[self._section] if self._section < len(self.sections) else None
            kind = following.find(f"{W}type") if following is not None else None
            if following is not None and (kind is None or kind.get(VAL) in ("nextPage", "oddPage", "evenPage")):
                self.end_page(HARD_BREAK)

    def end_page(self, kind: str) -> None:
        """A hard break, or where Word last ended a page: the same one when no text lies between."""
        if self._counts_pages and not (kind == SOFT_BREAK and self._waiting[-1:] == [HARD_BREAK]):
            self._waiting.append(kind)
        self.noted_pages = self.noted_pages or (kind == SOFT_BREAK and self._counts_pages)

    def _begin_page(self) -> None:
        """Text follows: end the pages that are waiting, where it belongs to the document's own pages."""
        if self._counts_pages:
            for _ in self._waiting:
                self.builder.page()
            self.pages += len(self._waiting)
            self._waiting.clear()

    def cell_text(self, cell: Any) -> tuple[str, Inline]:
        """The text of a table cell's own paragraphs on one line, with its break marks, and what hangs on them."""
        all_of = Inline()
        parts = []
        for paragraph in cell.iter(f"{W}p"):
            if next(paragraph.iterancestors(f"{W}tc"), None) is cell and not _in_box(paragraph, cell):
                inline = self._read(paragraph)
                properties = paragraph.find(f"{W}pPr")
                style = properties.find(f"{W}pStyle") if properties is not None else None
                label, _ = self._label(properties, style, inline.text)
                parts.append(f"{label} {inline.text}" if label else inline.text)
                all_of.boxes += inline.boxes
                all_of.drawings += inline.drawings
        return " ".join(parts), all_of

    def _table(self, table: Any, depth: int) -> None:
        if is_layout(table, self):
            for row in own_rows(table):
                for cell in own_cells(row):
                    self.blocks(cell, depth + 1)
            return
        content = read_rows(table, self, self._read_hidden)
        self._hidden += content.hidden
        for line in table_lines(expand(content.rows), headed=is_styled(table)):
            if line in (HARD_BREAK, SOFT_BREAK):
                self.end_page(line)
            else:
                self._begin_page()
                self.builder.block(line, "\n" if self.builder.in_table else "\n\n")
                self.builder.in_table = True
        self.builder.in_table = False
        for inline in content.hanging:
            self._hanging(inline, depth)
        for kind in content.breaks_behind:
            self.end_page(kind)

    def _hanging(self, inline: Inline, depth: int) -> None:
        for drawing in inline.drawings:
            self.builder.lines(drawing_lines(drawing, self._part, self._package))
            for described in drawing.iter():
                text = one_line(described.get("descr"), 500) if local(described) == "docPr" else None
                if text and " " in text and not any(mark in text.lower() for mark in _MADE_BY_MACHINE):
                    self.builder.block(text)
        for box in inline.boxes:
            self.blocks(box, depth + 1)

    def _read(self, paragraph: Any) -> Inline:
        inline = self._inline.read(paragraph)
        self._hidden += inline.hidden
        self._objects += inline.objects
        self._prompts += inline.prompts
        return inline

    def _label(self, properties: Any | None, style_element: Any | None, text: str) -> tuple[str, bool]:
        """The number that Word draws ahead of the paragraph, and whether it is an item of a list."""
        style = self._styles.of(style_element)
        numbered = properties.find(f"{W}numPr") if properties is not None else None
        list_id, level = style.list_id, style.list_level
        if numbered is not None:
            own, depth = numbered.find(f"{W}numId"), numbered.find(f"{W}ilvl")
            list_id = own.get(VAL) if own is not None else list_id
            level = number_of(depth, 0) if depth is not None else level
        if not list_id or list_id == "0":
            return "", False
        if not text.strip():
            return "", True
        name = style_element.get(VAL, "") if style_element is not None else ""
        return self._numbering.label(list_id, level, name), style.level is None


def _pieces(text: str) -> Iterator[str]:
    """The text between break marks, and the marks."""
    start = 0
    for index, char in enumerate(text):
        if char in (HARD_BREAK, SOFT_BREAK):
            yield text[start:index]
            yield char
            start = index + 1
    yield text[start:]


def _in_box(paragraph: Any, cell: Any) -> bool:
    """Whether the paragraph belongs to a text box that hangs in the cell."""
    for ancestor in paragraph.iterancestors():
        if ancestor is cell:
            return False
        if ancestor.tag == f"{W}txbxContent":
            return True
    return False
