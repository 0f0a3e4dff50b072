"""Charts and SmartArt, whose words and figures lie in parts of their own, in whichever office file they stand."""

import bisect
from collections.abc import Iterator
from typing import Any

from indexing.convert.office.package import A, Package, R, local
from indexing.convert.tables import Cell, table_lines
from indexing.convert.tables.grid import Row

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_MAX_POINTS = 5_000


def drawing_lines(element: Any, part: str, package: Package) -> Iterator[str]:
    """
    Lines of the charts and diagrams that `element` (a w:drawing, a p:graphicFrame) points at.

    :param part: name of the part that `element` stands in.
    """
    ids = {}
    for node in element.iter():
        if node.tag == f"{_DGM}relIds":
            ids[node.get(f"{R}dm")] = "diagram"
        elif local(node) == "chart" and node.get(f"{R}id"):
            ids[node.get(f"{R}id")] = "chart"
    for relation in package.relations(part) if ids else ():
        kind = ids.get(relation.id)
        root = package.xml(relation.target) if kind and not relation.external else None
        if root is not None:
            yield from diagram_lines(root) if kind == "diagram" else chart_lines(root)


def diagram_lines(root: Any) -> Iterator[str]:
    """The texts of a SmartArt diagram's data, in its order."""
    for point in root.iter(f"{_DGM}pt"):
        if point.get("type", "node") in ("node", "asst"):
            for paragraph in point.iter(f"{A}p"):
                if text := "".join(node.text or "" for node in paragraph.iter(f"{A}t")).strip():
                    yield text


def chart_lines(root: Any) -> Iterator[str]:
    """A chart as the table it shows: titles, then a row a category, a column a series."""
    chart = root.find(f"{C}chart") if root.tag != f"{C}chart" else root
    if chart is None:
        return
    captions = [_rich(title) for title in chart.iter(f"{C}title")]
    series = list(chart.iter(f"{C}ser"))
    names = [_title(one) or f"Series {number}" for number, one in enumerate(series, 1)]
    values = [_points(one, "val") or _points(one, "yVal") for one in series]
    labels: dict[int, str] = {}
    for one in series:
        for index, text in (_points(one, "cat") or _points(one, "xVal")).items():
            labels.setdefault(index, text)
    rows = [Row([Cell(""), *map(Cell, names)])]
    for index in sorted({*labels, *(index for column in values for index in column)})[:_MAX_POINTS]:
        rows.append(Row([Cell(labels.get(index, "")), *(Cell(column.get(index, "")) for column in values)]))
    yield from table_lines(rows if series else [], headers=1, captions=captions)


def _rich(title: Any) -> str:
    texts = [node.text or "" for node in title.iter(f"{A}t")] or [node.text or "" for node in title.iter(f"{C}v")]
    return "".join(texts)


def _title(series: Any) -> str:
    node = series.find(f"{C}tx")
    return " ".join(value.text or "" for value in node.iter(f"{C}v")) if node is not None else ""


def _points(series: Any, name: str) -> dict[int, str]:
    """Values by their index; of categories in several levels the innermost, behind the outer ones."""
    node = series.find(f"{C}{name}")
    if node is None:
        return {}
    levels = list(node.iter(f"{C}lvl"))
    if levels:
        return _in_levels(levels)
    percent = any("%" in (code.text or "") for code in node.iter(f"{C}formatCode"))
    found: dict[int, str] = {}
    for point in node.iter(f"{C}pt"):
        value = point.find(f"{C}v")
        index = point.get("idx", "")
        if value is not None and value.text and index.isdigit() and len(index) < 7:
            text = _number(value.text.strip(), percent) if name != "cat" else value.text.strip()
            found[int(index)] = f"{text} {found[int(index)]}" if int(index) in found else text
    return found


def _in_levels(levels: list[Any]) -> dict[int, str]:
    """Categories in several levels, innermost first in the file: an outer one goes on until the next of its level."""
    read = []
    for level in levels:
        points = {}
        for point in level.iter(f"{C}pt"):
            value, index = point.find(f"{C}v"), point.get("idx", "")
            if value is not None and value.text and index.isdigit() and len(index) < 7:
                points[int(index)] = value.text.strip()
        read.append(points)
    starts = [sorted(points) for points in read[1:]]
    found = {}
    for index, label in read[0].items():
        outer = []
        for places, points in zip(starts, read[1:], strict=True):
            at = bisect.bisect_right(places, index)
            outer += [points[places[at - 1]]] if at else []
        found[index] = " ".join([*reversed(outer), label])
    return found


def _number(text: str, percent: bool) -> str:
    """Without the noise of binary fractions (0.30000000000000004)."""
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{100 * number:.10g}%" if percent else f"{number:.12g}" if "." in text or "e" in text.lower() else text
