"""
In which order are the parts of a page read? By its white space, however the file was written.

A gutter is a strip that the rows beside it leave free. What crosses it (a heading over both columns) parts what stands
above from what stands below; left is read before right. Whether two sides are columns of prose or cells of rows is told
by how full their rows are, whether sentences go on from row to row, and the order in which the file writes them.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from indexing.convert.pdf.fragments import Fragment, Row, make_rows, row_text

_LEAST_ROWS = 3  # of a column
_MAX_DEPTH = 8
_MAX_FRAGMENTS = 4_000  # of a page that is looked at for columns
_GUTTER = 0.8  # type sizes
_CANDIDATES = 4
_FULL = 0.45  # of a column's width that its rows fill on the average
_RUNS_ON = 0.2  # share of rows that end in mid-sentence, the next beginning with a small letter
_WORDS = 2.5  # a row of prose, at least: fewer are names, values, calls
_ORDERED = 0.9


def reading_order(fragments: Sequence[Fragment], depth: int = 0) -> list[list[Fragment]]:
    """Regions of one column each, in the order in which they are read."""
    if len(fragments) < 2 * _LEAST_ROWS or depth > _MAX_DEPTH or len(fragments) > _MAX_FRAGMENTS:
        return [list(fragments)] if fragments else []
    for gutter in _gutters(fragments):
        bands = _bands(fragments, gutter)
        if any(right for _, right in bands):
            regions: list[list[Fragment]] = []
            for left, right in bands:
                sides = (right, left) if right and _is_rtl(left) else (left, right)
                for side in sides:
                    if side is left and not right:
                        regions += reading_order(side, depth + 1) if len(side) < len(fragments) else [list(side)]
                    else:
                        regions += reading_order(side, depth + 1)
            return regions
    return [list(fragments)]


def _gutters(fragments: Sequence[Fragment]) -> list[tuple[float, float]]:
    """Strips between fragments that stand beside each other, those that part most of them first."""
    size = median(fragment.size for fragment in fragments)
    ordered = sorted(fragments, key=lambda one: one.x0)
    gaps: list[tuple[float, float]] = []
    by_top = sorted(fragments, key=lambda one: one.y0)
    for index, fragment in enumerate(by_top):
        nearest = None
        for other in _neighbours(by_top, index):
            if other.x0 >= fragment.x1 and (nearest is None or other.x0 < nearest):
                nearest = other.x0
        if nearest is not None and nearest - fragment.x1 >= _GUTTER * size:
            gaps.append((fragment.x1, nearest))
    if len(gaps) < _LEAST_ROWS:
        return []
    edges = sorted({edge for gap in gaps for edge in gap})
    votes = []
    for left, right in pairwise(edges):
        middle = (left + right) / 2
        count = sum(gap[0] < middle < gap[1] for gap in gaps)
        votes.append((count, right - left, left, right))
    votes.sort(reverse=True)
    found: list[tuple[float, float]] = []
    x0, x1 = ordered[0].x0, max(fragment.x1 for fragment in ordered)
    for count, _, left, right in votes:
        apart = all(right < other[0] - size or left > other[1] + size for other in found)
        inside = x0 + 2 * size < (left + right) / 2 < x1 - 2 * size
        if count >= _LEAST_ROWS and apart and inside:
            found.append((left, right))
        if len(found) == _CANDIDATES:
            break
    return found


def _neighbours(by_top: Sequence[Fragment], index: int) -> list[Fragment]:
    """Fragments that share some height with one, among those near it in the order of their tops."""
    fragment = by_top[index]
    found = []
    for step in (1, -1):
        at = index + step
        while 0 <= at < len(by_top) and abs(at - index) < 60:
            other = by_top[at]
            if min(fragment.y1, other.y1) - max(fragment.y0, other.y0) > 0.3 * min(
                fragment.y1 - fragment.y0, other.y1 - other.y0
            ):
                found.append(other)
            elif abs(other.y0 - fragment.y0) > 4 * max(fragment.y1 - fragment.y0, other.y1 - other.y0):
                break
            at += step
    return found


def _bands(fragments: Sequence[Fragment], gutter: tuple[float, float]) -> list[tuple[list[Fragment], list[Fragment]]]:
    """
    The region from top to bottom: (left, right) where it has two columns, (all, nothing) where it has not.
    """
    middle = (gutter[0] + gutter[1]) / 2
    crossing = sorted((one for one in fragments if one.x0 < middle < one.x1), key=lambda one: one.y0)
    borders = [(one.y0 + one.y1) / 2 for one in crossing]
    stripes: list[list[Fragment]] = [[] for _ in range(len(crossing) + 1)]
    for one in fragments:
        if not one.x0 < middle < one.x1:
            centre = (one.y0 + one.y1) / 2
            stripes[sum(border < centre for border in borders)].append(one)
    bands: list[tuple[list[Fragment], list[Fragment]]] = []
    single: list[Fragment] = []
    for number, stripe in enumerate(stripes):
        left = [one for one in stripe if (one.x0 + one.x1) / 2 < middle]
        right = [one for one in stripe if (one.x0 + one.x1) / 2 >= middle]
        if _are_columns(left, right):
            head, left, right = _header_rows(left, right)
            single += head
            if single:
                bands.append((single, []))
                single = []
            bands.append((left, right))
        else:
            single += stripe
        if number < len(crossing):
            single.append(crossing[number])
    if single:
        bands.append((single, []))
    return bands


def _header_rows(left: list[Fragment], right: list[Fragment]) -> tuple[list[Fragment], list[Fragment], list[Fragment]]:
    """What stands above both columns on one side only, far from them, is read before them."""
    size = median(one.size for one in [*left, *right])
    top_left, top_right = min(one.y0 for one in left), min(one.y0 for one in right)
    side, other_top = (left, top_right) if top_left < top_right else (right, top_left)
    rows = make_rows(side)
    head: list[Fragment] = []
    for row, following in pairwise(rows):
        bottom, top = max(one.y1 for one in row), min(one.y0 for one in following)
        if bottom < other_top and top - bottom > 1.5 * size:
            head = [one for done in rows[: rows.index(row) + 1] for one in done]
        if bottom >= other_top:
            break
    ids = {id(one) for one in head}
    return head, [one for one in left if id(one) not in ids], [one for one in right if id(one) not in ids]


def _are_columns(left: Sequence[Fragment], right: Sequence[Fragment]) -> bool:
    if len(left) < _LEAST_ROWS or len(right) < _LEAST_ROWS:
        return False
    rows_left, rows_right = make_rows(left), make_rows(right)
    if len(rows_left) < _LEAST_ROWS or len(rows_right) < _LEAST_ROWS:
        return False
    shared = min(rows_left[-1][0].y1, rows_right[-1][0].y1) - max(rows_left[0][0].y0, rows_right[0][0].y0)
    if shared <= 0:
        return False
    full = _fullness(rows_left), _fullness(rows_right)
    letters = [sum(letter.isalpha() for row in rows for letter in row_text(row)) for rows in (rows_left, rows_right)]
    if min(letters) < 12:
        return False
    runs_on = _runs_on(rows_left), _runs_on(rows_right)
    if _in_order(left, right):
        # a file that writes all of one side before the other has columns, unless one side are mere numbers or labels
        return min(full) > 0.25 and (min(full) > _FULL or max(runs_on) >= _RUNS_ON or _alike(rows_left, rows_right))
    prose = min(_words_a_row(rows_left), _words_a_row(rows_right)) >= _WORDS
    return prose and min(full) > _FULL and min(runs_on) >= _RUNS_ON


def _in_order(left: Sequence[Fragment], right: Sequence[Fragment]) -> bool:
    """Whether the file writes one side before the other."""
    border = median(one.order for one in [*left, *right])
    first = sum(one.order <= border for one in left), sum(one.order <= border for one in right)
    shares = first[0] / len(left), first[1] / len(right)
    switches = sum(a != b for a, b in pairwise(side for _, side in _sides(left, right)))
    return switches <= 2 or max(shares) - min(shares) > _ORDERED


def _sides(left: Sequence[Fragment], right: Sequence[Fragment]) -> list[tuple[int, bool]]:
    return sorted([*((one.order, False) for one in left), *((one.order, True) for one in right)])


def _fullness(rows: Sequence[Row]) -> float:
    x0 = min(one.x0 for row in rows for one in row)
    x1 = max(one.x1 for row in rows for one in row)
    widths = [max(one.x1 for one in row) - min(one.x0 for one in row) for row in rows]
    return sum(widths) / len(widths) / max(1.0, x1 - x0)


def _runs_on(rows: Sequence[Row]) -> float:
    """Share of rows whose sentence goes on in the next one."""
    count = 0
    for row, following in pairwise(rows):
        end, start = row_text(row)[-1:], row_text(following)[:1]
        count += end not in ".!?:;" and (start.islower() or not (start.isupper() or start.isascii()))
    return count / max(1, len(rows) - 1)


def _words_a_row(rows: Sequence[Row]) -> float:
    words = (word.strip(".,;:!?()\"'") for row in rows for word in row_text(row).split())
    return sum(word.isalpha() for word in words) / len(rows)


def _alike(rows_left: Sequence[Row], rows_right: Sequence[Row]) -> bool:
    """Two sides of about as many rows, as in an index or a glossary."""
    few, many = sorted((len(rows_left), len(rows_right)))
    return few > 5 and few > 0.6 * many


def _is_rtl(fragments: Sequence[Fragment]) -> bool:
    return 2 * sum(one.rtl for one in fragments) > len(fragments)
