"""ODT, ODS, ODP and their flat forms: paragraphs, numbered lists, tables, sheets, slides (OpenDocument 1.3)."""

import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from indexing.convert.archive import checked_zip
from indexing.convert.extracted import Extracted, PageKind, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.package import local, parse_xml
from indexing.convert.raised import lowered, raised
from indexing.convert.tables import Cell, expand
from indexing.convert.tables.grid import Row
from indexing.convert.tables.several import sheet_lines
from indexing.convert.word.numbering import letters, roman

_MAX_REPEATED = 1_000
_MAX_DEPTH = 60
_UNREAD = {"tracked-changes", "forms", "sequence-decls", "variable-decls", "user-field-decls", "script",
           "event-listeners",
           "settings", "tracked-change", "dde-connection-decls", "shape", "page-number"}  # fmt: skip


def convert_odf(data: bytes) -> Extracted:
    """
    :raises Refusal: "password", "bomb", "damaged".
    """
    content, styles, meta = _parts(data)
    reader = _Reader([root for root in (content, styles) if root is not None])
    body = next((node for node in content.iter() if local(node) == "body"), None)
    kind = next((local(child) for child in body), "text") if body is not None else "text"
    builder = reader.builder
    labels: list[str] = []
    hidden = 0
    root = body[0] if body is not None and len(body) else content
    page_kind: PageKind = "page"
    if kind == "spreadsheet":
        page_kind = "sheet"
        for table in (child for child in root if local(child) == "table"):
            if reader.is_hidden(table):
                hidden += 1
                continue
            if labels:
                builder.page()
            labels.append(one_line(_get(table, "name")) or "Sheet")
            builder.heading(labels[-1], 1)
            reader.table(table, 0)
    elif kind == "presentation":
        page_kind = "slide"
        for number, slide in enumerate(child for child in root if local(child) == "page"):
            if number:
                builder.page()
            reader.slide(slide)
    else:
        reader.blocks(root)
    builder.lines(reader.footnotes)
    paged = kind in ("spreadsheet", "presentation") or reader.pages > 0
    described = (meta if meta is not None else content).iter("{http://purl.org/dc/elements/1.1/}title")
    title = next((one_line(node.text) for node in described), None)
    if title is None and kind != "spreadsheet":
        title = builder.headings[0][2] if builder.headings else None
    notes = [f"hidden sheets left out: {hidden}"] if hidden else []
    objects = sum(local(node) in ("object", "object-ole") and bool(_get(node, "href")) for node in content.iter())
    if objects:
        notes.append(f"embedded objects not read: {objects:,}")
    return Extracted(
        builder.text(), MIME_TYPES["odf"], title, builder.headings, paged, notes=notes, page_kind=page_kind,
        page_labels=labels,
    )  # fmt: skip


def _parts(data: bytes) -> tuple[Any, Any | None, Any | None]:
    """The roots of content, styles and properties."""
    try:
        if not data.startswith(b"PK"):
            return parse_xml(data), None, None
        opened = checked_zip(data)
        if "META-INF/manifest.xml" in opened.namelist() and b"encryption-data" in opened.read("META-INF/manifest.xml"):
            raise Refusal("password", "an encrypted OpenDocument file")
        roots = [
            parse_xml(opened.read(name)) if name in opened.namelist() else None
            for name in ("content.xml", "styles.xml", "meta.xml")
        ]
    except (etree.XMLSyntaxError, zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
        raise Refusal("damaged", f"not a whole OpenDocument file ({type(error).__name__})") from None
    if roots[0] is None:
        raise Refusal("damaged", "it has no part content.xml")
    return roots[0], roots[1], roots[2]


def _get(element: Any, name: str) -> str | None:
    return next((value for key, value in element.attrib.items() if key.rsplit("}", 1)[-1] == name), None)


def _count(element: Any, name: str) -> int:
    value = _get(element, name) or "1"
    return max(1, int(value)) if value.isdigit() and len(value) < 8 else 1


class _Reader:
    def __init__(self, roots: list[Any]) -> None:
        self.builder = TextBuilder()
        self.footnotes: list[str] = []
        self.pages = 0
        self._positions: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._numbers: dict[str, dict[int, tuple[str, str, str, int]]] = {}
        for root in roots:
            for style in root.iter():
                if local(style) == "style":
                    self._style(style)
                elif local(style) == "list-style":
                    self._numbers[_get(style, "name") or ""] = {
                        _count(level, "level"): (
                            _get(level, "num-format") or "", _get(level, "num-prefix") or "",
                            _get(level, "num-suffix") or "", _count(level, "display-levels"),
                        )
                        for level in style
                        if local(level) == "list-level-style-number"
                    }  # fmt: skip

    def _style(self, style: Any) -> None:
        name = _get(style, "name") or ""
        for properties in style:
            position = _get(properties, "text-position") or ""
            if position.startswith(("super", "sub")) or (position[:1].isdigit() and position[0] != "0"):
                self._positions[name] = "sub" if position.startswith("sub") else "super"
            if _get(properties, "display") in ("none", "false"):
                self._hidden.add(name)

    def is_hidden(self, element: Any) -> bool:
        return (_get(element, "style-name") or "") in self._hidden

    def blocks(self, parent: Any, depth: int = 0, separator: str = "\n\n") -> None:
        if depth > _MAX_DEPTH:
            raise Refusal("damaged", f"blocks nested deeper than {_MAX_DEPTH}")
        for child in parent:
            name = local(child)
            if name == "h":
                self._hanging(child, depth)
                self.builder.heading(self.text(child), _count(child, "outline-level"))
            elif name == "p":
                self.builder.block(self.text(child), separator)
                self._hanging(child, depth)
            elif name == "list":
                self._list(child, depth, [], None)
            elif name == "table":
                self.table(child, depth)
            elif name == "soft-page-break":
                self.builder.page()
                self.pages += 1
            elif name == "annotation":
                self.builder.block(f"Comment: {self.text(child)}")
            elif name not in _UNREAD and len(child) and not self.is_hidden(child):
                self.blocks(child, depth + 1)

    def slide(self, slide: Any) -> None:
        titles = [node for node in slide.iter() if local(node) == "frame" and _get(node, "class") in ("title",)]
        for frame in titles[:1]:
            self.builder.heading(" ".join(self.text(node) for node in frame.iter() if local(node) in ("p", "h")), 1)
        for child in slide:
            if child not in titles[:1]:
                self.blocks([child])

    def _list(self, element: Any, depth: int, counts: list[int], style: str | None, level: int = 1) -> None:
        if depth > _MAX_DEPTH:
            raise Refusal("damaged", f"lists nested deeper than {_MAX_DEPTH}")
        style = _get(element, "style-name") or style
        counts = [*counts, 0]
        for item in element:
            if local(item) not in ("list-item", "list-header"):
                continue
            started = _get(item, "start-value")
            counts[-1] = int(started) if started and started.isdigit() and len(started) < 7 else counts[-1] + 1
            label = self._label(style, level, counts) if local(item) == "list-item" else ""
            for child in item:
                name = local(child)
                if name == "list":
                    self._list(child, depth + 1, counts, style, level + 1)
                elif name in ("p", "h"):
                    text = self.text(child).strip()
                    self.builder.block(f"{label} {text}" if label and text else text, "\n")
                    self._hanging(child, depth)
                    label = ""
                else:
                    self.blocks([child], depth + 1)

    def _label(self, style: str | None, level: int, counts: list[int]) -> str:
        form, prefix, suffix, shown = self._numbers.get(style or "", {}).get(level, ("", "", "", 1))
        if not form:
            return ""
        written = {"a": letters, "i": roman}.get(form.lower(), str)
        numbers = [str(number) for number in counts[-shown:-1]] + [written(counts[-1])]
        text = ".".join(numbers)
        return prefix + (text.upper() if form in ("A", "I") else text) + suffix

    def table(self, table: Any, depth: int) -> None:
        self.builder.tables(sheet_lines(expand(self._rows(table))))
        for box in table.iter():
            if local(box) == "shapes":
                self.blocks(box, depth + 1)

    def _rows(self, table: Any) -> Iterator[Row]:
        gap = False
        for element in table.iter():
            if local(element) != "table-row" or next(_above(element, "table"), None) is not table:
                continue
            if _get(element, "visibility") in ("collapse", "filter"):
                continue
            heading = any(True for _ in _above(element, "table-header-rows", table))
            row = Row()
            for cell in element:
                if local(cell) not in ("table-cell", "covered-table-cell"):
                    continue
                times = min(_count(cell, "number-columns-repeated"), _MAX_REPEATED)
                if local(cell) == "covered-table-cell":
                    continue
                text = " ".join(self.text(node) for node in cell if local(node) in ("p", "h"))
                text += " ".join(self.text(node) for child in cell if local(child) == "list" for node in child.iter()
                                 if local(node) == "p")  # fmt: skip
                across, down = _count(cell, "number-columns-spanned"), _count(cell, "number-rows-spanned")
                row.extend(Cell(text, across, down, heading) for _ in range(times if text else min(times, 200)))
            while row and not row[-1].text and row[-1].columns == 1:
                row.pop()
            if not row:
                gap = True
                continue
            row.gap, gap = gap, False
            for _ in range(min(_count(element, "number-rows-repeated"), _MAX_REPEATED)):
                yield row

    def _hanging(self, paragraph: Any, depth: int) -> None:
        """Text boxes, notes and comments inside a paragraph."""
        for node in paragraph.iter():
            name = local(node)
            if name == "text-box" and next(_above(node, "p", "h"), None) is paragraph:
                self.blocks(node, depth + 1)
            elif name == "note-body":
                self.footnotes.append(" ".join(self.text(part) for part in node if local(part) == "p"))
            elif name == "annotation":
                text = " ".join(self.text(part) for part in node if local(part) == "p")
                self.builder.block(f"Comment: {text}")
            elif name == "soft-page-break":
                self.pages += 1

    def text(self, element: Any) -> str:
        """The text of a paragraph, without its notes, boxes and comments."""
        parts: list[str] = []
        stack: list[tuple[Any, str, bool]] = [(element, "", True)]  # element, position, whether it opens
        while stack:
            node, position, opens = stack.pop()
            if not opens:
                parts.append(node)
                continue
            name = local(node)
            if node is not element and (name in ("note", "annotation", "text-box", "tracked-changes", "ruby-text")):
                continue
            if name == "s":
                parts.append(" " * min(_count(node, "c"), 100))
            elif name in ("tab", "line-break"):
                parts.append("\t" if name == "tab" else "\n")
            elif name == "soft-page-break":
                parts.append(" ")
            elif name == "span" and self.is_hidden(node):
                continue
            own = self._positions.get(_get(node, "style-name") or "", position) if name == "span" else position
            before = "".join(parts[-3:])[-40:]
            if node.text:
                if own:
                    parts.append(raised(node.text, before) if own == "super" else lowered(node.text, before))
                else:
                    parts.append(node.text)
            for child in reversed(node):
                if child.tail:
                    stack.append((child.tail, own, False))
                stack.append((child, own, True))
        return "".join(parts)


def _above(element: Any, *names: Any) -> Iterator[Any]:
    """Ancestors of these names, nearest first; an element among `names` is where to stop."""
    stop = [name for name in names if not isinstance(name, str)]
    for ancestor in element.iterancestors():
        if ancestor in stop:
            return
        if local(ancestor) in names:
            yield ancestor
