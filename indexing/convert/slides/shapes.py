"""The shapes of a slide in the order in which people read them: titles, texts, tables, charts, diagrams, groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from indexing.convert.extracted import Refusal, TextBuilder, one_line
from indexing.convert.office.drawings import drawing_lines
from indexing.convert.office.package import MC, A, Package, choice, local
from indexing.convert.slides.words import paragraph_text, paragraphs
from indexing.convert.tables import Cell, expand, table_lines
from indexing.convert.tables.grid import Row

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_MAX_DEPTH = 50
_TITLES = ("title", "ctrTitle")
_UNREAD = ("sldNum", "dt")


@dataclass(frozen=True)
class _Place:
    """Where a shape stands, in English Metric Units; None where nothing says."""

    left: int
    top: int
    height: int


class SlideReader:
    """
    :param read_hidden: hidden shapes are read, too.
    """

    def __init__(self, package: Package, builder: TextBuilder, read_hidden: bool = False) -> None:
        self.builder = builder
        self._package = package
        self._read_hidden = read_hidden
        self._footers: set[str] = set()  # said once in a show
        self._hidden = self._objects = 0
        self._part = ""
        self._layout: dict[tuple[str, str], _Place] = {}

    def notes(self) -> list[str]:
        told = [f"hidden shapes left out: {self._hidden:,} (setting hidden: read)"] if self._hidden else []
        return told + ([f"embedded objects not read: {self._objects:,}"] if self._objects else [])

    def slide(self, slide: Any, part: str, layout: Any | None) -> None:
        self._part = part
        self._layout = _layout_places(layout)
        tree = slide.find(f"{P}cSld/{P}spTree")
        if tree is None:
            return
        shapes = list(_shapes(tree))
        title = next((shape for shape in shapes if placeholder_type(shape) in _TITLES), None)
        if title is not None:
            body = title.find(f"{P}txBody")
            lines = [paragraph_text(one) for one in body.iter(f"{A}p")] if body is not None else []
            self.builder.heading(" ".join(lines).replace("\n", " "), 1)
        self._read([shape for shape in shapes if shape is not title])

    def _read(self, shapes: list[Any], depth: int = 0) -> None:
        if depth > _MAX_DEPTH:
            raise Refusal("damaged", f"shapes grouped deeper than {_MAX_DEPTH}")
        for shape in self._in_order(shapes):
            if not self._read_hidden and any(
                one.get("hidden") in ("1", "true") for child in shape for one in child if local(one) == "cNvPr"
            ):
                self._hidden += 1
                continue
            name = local(shape)
            if name == "grpSp":
                self._read(list(_shapes(shape)), depth + 1)
            elif name == "graphicFrame":
                self._frame(shape)
            elif name == "pic":
                self._picture(shape)
            else:
                self._text(shape)

    def _text(self, shape: Any) -> None:
        kind = placeholder_type(shape)
        if kind in _UNREAD:
            return
        for body in shape.iter(f"{P}txBody"):
            lines = list(paragraphs(body))
            if kind == "ftr":
                lines = [line for line in lines if line not in self._footers]
                self._footers.update(lines)
            self.builder.lines(lines)

    def _frame(self, frame: Any) -> None:
        for table in frame.iter(f"{A}tbl"):
            properties = table.find(f"{A}tblPr")
            headed = properties is not None and properties.get("firstRow") in ("1", "true")
            self.builder.lines(table_lines(expand(_cells(table)), headed=headed))
        self.builder.lines(drawing_lines(frame, self._part, self._package))
        if any(local(node) == "oleObj" for node in frame.iter()):
            self._objects += 1

    def _picture(self, picture: Any) -> None:
        for described in picture.iter(f"{P}cNvPr"):
            text = one_line(described.get("descr"), 500)
            if text and " " in text and "generated" not in text.lower() and "generiert" not in text.lower():
                self.builder.block(text)

    def _in_order(self, shapes: list[Any]) -> list[Any]:
        """Top to bottom, in a row left to right; shapes of no known place where they stand in the file."""
        placed = [(self._place(shape), shape) for shape in shapes]
        if any(place is None for place, _ in placed):
            return shapes
        rows: list[list[tuple[_Place, Any]]] = []
        for place, shape in sorted(placed, key=lambda pair: pair[0].top):  # type: ignore[union-attr]
            assert place is not None  # noqa: S101 - looked at above, for mypy
            first = rows[-1][0][0] if rows else None
            if first is not None and place.top < first.top + min(first.height, place.height or first.height) // 2:
                rows[-1].append((place, shape))
            else:
                rows.append([(place, shape)])
        return [shape for row in rows for _, shape in sorted(row, key=lambda pair: pair[0].left)]

    def _place(self, shape: Any) -> _Place | None:
        if place := _own_place(shape):
            return place
        for holder in shape.iter(f"{P}ph"):
            kind, index = holder.get("type", ""), holder.get("idx", "")
            return self._layout.get(("idx", index)) or self._layout.get(("type", kind))
        return None


def placeholder_type(shape: Any) -> str:
    """The type of its placeholder ("obj" where it has none written); "" for other shapes."""
    for child in shape:
        if local(child).startswith("nv"):
            for holder in child.iter(f"{P}ph"):
                return holder.get("type", "obj")
    return ""


def _shapes(tree: Any) -> Iterator[Any]:
    for child in tree:
        if child.tag == f"{MC}AlternateContent":
            yield from (shape for shape in choice(child) if local(shape) in ("sp", "grpSp", "graphicFrame", "pic"))
        elif local(child) in ("sp", "grpSp", "graphicFrame", "pic", "contentPart"):
            yield child


def _own_place(shape: Any) -> _Place | None:
    for frame in shape.iter(f"{A}xfrm", f"{P}xfrm"):
        offset, extent = frame.find(f"{A}off"), frame.find(f"{A}ext")
        if offset is not None and extent is not None:
            try:
                return _Place(int(offset.get("x", "")), int(offset.get("y", "")), max(1, int(extent.get("cy", ""))))
            except ValueError:
                return None
    return None


def _layout_places(layout: Any | None) -> dict[tuple[str, str], _Place]:
    places = {}
    for shape in layout.iter(f"{P}sp") if layout is not None else ():
        for holder in shape.iter(f"{P}ph"):
            if place := _own_place(shape):
                places[("type", holder.get("type", ""))] = place
                if holder.get("idx"):
                    places[("idx", holder.get("idx"))] = place
    return places


def _cells(table: Any) -> Iterator[Row]:
    for row in table.iter(f"{A}tr"):
        cells = Row()
        for cell in row.iter(f"{A}tc"):
            if cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true"):
                continue
            text = " ".join(line for body in cell.iter(f"{A}txBody") for line in paragraphs(body))
            cells.append(Cell(text, _span(cell.get("gridSpan")), _span(cell.get("rowSpan"))))
        yield cells


def _span(value: str | None) -> int:
    return int(value) if value and value.isdigit() and len(value) < 5 else 1
