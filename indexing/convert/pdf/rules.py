"""The lines drawn on a page, and the grids of cells that they make."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from indexing.convert.pdf.characters import placement

_MAX_OBJECTS = 6_000  # of a page that are looked at: drawings have no tables
_MAX_SEGMENTS = 400  # of one path
_THIN = 3.0  # points: a filled rectangle as thin as this is a line
_TOUCH = 3.0  # points between lines that meet
_SHORTEST = 6.0
_MAX_LINES = 3_000
_PATH, _FORM = 2, 5  # kinds of page objects in PDFium
_LINE_TO, _MOVE_TO = 0, 2


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line: at `at` across the other direction, from `start` to `end` along its own, in points, as seen."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class RuledGrid:
    """Lines that meet each other: `xs` and `ys` are where columns and rows are parted."""

    xs: list[float]
    ys: list[float]
    across: list[Rule]
    down: list[Rule]

    def holds(self, x: float, y: float) -> bool:
        return self.xs[0] - 1 < x < self.xs[-1] + 1 and self.ys[0] - 1 < y < self.ys[-1] + 1

    def parted_right(self, column: int, row: int) -> bool:
        """Whether a line stands between a place and the one to its right."""
        middle = (self.ys[row] + self.ys[row + 1]) / 2
        return _covered(self.down, self.xs[column + 1], middle)

    def parted_below(self, column: int, row: int) -> bool:
        middle = (self.xs[column] + self.xs[column + 1]) / 2
        return _covered(self.across, self.ys[row + 1], middle)


def ruled_grids(page: Any) -> list[RuledGrid]:
    """Grids of at least two columns and two rows, from top to bottom."""
    across, down = _rules(page)
    if len(across) < 2 or len(down) < 2:
        return []
    grids = []
    for group_across, group_down in _groups(across, down):
        xs, ys = _places(group_down), _places(group_across)
        if len(xs) > 2 and len(ys) > 2 and (len(xs) - 1) * (len(ys) - 1) <= 20_000:
            grids.append(RuledGrid(xs, ys, group_across, group_down))
    return sorted(grids, key=lambda grid: grid.ys[0])


def _rules(page: Any) -> tuple[list[Rule], list[Rule]]:
    import pypdfium2.raw as pdfium_c

    across: list[Rule] = []
    down: list[Rule] = []
    count = pdfium_c.FPDFPage_CountObjects(page)
    if count > _MAX_OBJECTS:
        return [], []
    seen = placement(page)
    edges = [ctypes.c_float() for _ in range(4)]
    for index in range(count):
        item = pdfium_c.FPDFPage_GetObject(page, index)
        if pdfium_c.FPDFPageObj_GetType(item) != _PATH:
            continue
        if not pdfium_c.FPDFPageObj_GetBounds(item, *edges):
            continue
        left, top, right, bottom = seen(*(edge.value for edge in edges))
        if right - left <= _THIN or bottom - top <= _THIN:
            _add_line(left, top, right, bottom, across, down)
        else:
            for line in _segments(item):
                corners = seen(*line)
                x0, x1 = sorted((corners[0], corners[2]))
                y0, y1 = sorted((corners[1], corners[3]))
                if x1 - x0 <= 0.5 or y1 - y0 <= 0.5:
                    _add_line(x0, y0, x1, y1, across, down)
        if len(across) + len(down) > _MAX_LINES:
            return [], []
    return across, down


def _add_line(left: float, top: float, right: float, bottom: float, across: list[Rule], down: list[Rule]) -> None:
    if right - left >= bottom - top:
        if right - left >= _SHORTEST:
            across.append(Rule((top + bottom) / 2, left, right))
    elif bottom - top >= _SHORTEST:
        down.append(Rule((left + right) / 2, top, bottom))


def _segments(item: Any) -> list[tuple[float, float, float, float]]:
    """The straight segments of a path in PDF space: x, y, x, y."""
    import pypdfium2.raw as pdfium_c

    count = pdfium_c.FPDFPath_CountSegments(item)
    if not 2 <= count <= _MAX_SEGMENTS:
        return []
    matrix = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(item, matrix):
        return []
    x, y = ctypes.c_float(), ctypes.c_float()
    lines: list[tuple[float, float, float, float]] = []
    start = last = (0.0, 0.0)
    for index in range(count):
        segment = pdfium_c.FPDFPath_GetPathSegment(item, index)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == _MOVE_TO:
            start = point
        elif kind == _LINE_TO:
            lines.append((*last, *point))
        last = point
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            lines.append((*last, *start))
            last = start
    return lines


def _groups(across: Sequence[Rule], down: Sequence[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Lines that touch, directly or by others: one group a table."""
    parent = list(range(len(across) + len(down)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    ordered = sorted(range(len(across)), key=lambda index: across[index].at)
    for number, line in enumerate(down):
        for index in ordered:
            other = across[index]
            if other.at < line.start - _TOUCH:
                continue
            if other.at > line.end + _TOUCH:
                break
            if other.start - _TOUCH <= line.at <= other.end + _TOUCH:
                parent[root(index)] = root(len(across) + number)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for index, rule in enumerate([*across, *down]):
        groups.setdefault(root(index), ([], []))[0 if index < len(across) else 1].append(rule)
    return [group for group in groups.values() if len(group[0]) > 1 and len(group[1]) > 1]


def _places(rules: Sequence[Rule]) -> list[float]:
    """Where lines stand, those closer than two line widths as one."""
    places: list[float] = []
    for at in sorted(rule.at for rule in rules):
        if not places or at - places[-1] > _TOUCH:
            places.append(at)
    return places


def _covered(rules: Sequence[Rule], at: float, middle: float) -> bool:
    return any(abs(rule.at - at) <= _TOUCH and rule.start - 1 <= middle <= rule.end + 1 for rule in rules)
