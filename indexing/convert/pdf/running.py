"""Running heads, feet and page numbers: what stands at the edge of page after page, and what label a page has of it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from indexing.convert.pdf.fragments import Fragment, Row, make_rows, row_text

WINDOW = 8  # pages before and behind that a page is compared with
_EDGE = 0.14  # of a page's height, at the top and at the bottom
_NEARBY = 0.3  # where the rows stand that they are parted from
_APART = 0.45  # type sizes between a running row and the text, beyond what parts two lines
_SENTENCE = re.compile(r"(?:\S+\s+){3}\S+[.!?]$")
_ROWS = 3
_NEAR = 5.0  # points that the same row may stand higher or lower on another page
_SLOT = 1.5  # points: the height of a running row whose words are not those of another page
_LEAST_SLOTS = 5
_LONGEST = 200
_NUMBERS = re.compile(r"\d+|\b[ivxlcdm]+\b", re.I)
_ROMAN = re.compile(r"(?=[ivxlcdm])m{0,3}(cm|cd|d?c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})", re.I)
_LABEL = re.compile(r"(?:[A-Za-z][-.–]?)?\d{1,5}(?:[-.–]\d{1,4})*|[ivxlcdm]{1,8}|[IVXLCDM]{1,8}")
_SHARE = 0.25  # of the window's pages that have a running row; fewer, where the title of a short chapter stands
_EDGES = "|·•–—[]()"
_AROUND = re.compile(
    r"^[\W_]*(?:page|seite|pagina|página|side|p\.|s\.)?[\s.:]*|[\s]*(?:of|/|von|de|sur)\s+\d+[\W_]*$|[\W_]+$", re.I
)


@dataclass(slots=True)
class EdgeRow:
    """
    A row near the top or the bottom of a page, the outer ones of an edge first.

    :param key: its text with numbers made alike.
    :param members: identities of its fragments.
    :param apart: more room than between lines parts it from what stands further in.
    """

    text: str
    key: str
    middle: float
    members: frozenset[int]
    numbers: tuple[int, ...]
    top: bool
    apart: bool


@dataclass(slots=True)
class Edges:
    """:param inner: whether anything stands on the page besides these rows."""

    rows: list[EdgeRow] = field(default_factory=list)
    inner: bool = False


def edge_rows(fragments: Sequence[Fragment], height: float) -> Edges:
    """The rows of a page that may be running ones."""
    rows = make_rows([one for one in fragments if one.y1 < _NEARBY * height or one.y0 > (1 - _NEARBY) * height])
    upper = [row for row in rows if row[0].y1 < 0.5 * height]
    lower = [row for row in rows if row[0].y1 >= 0.5 * height][::-1]
    found: list[EdgeRow] = []
    for side, top in ((upper, True), (lower, False)):
        for index, row in enumerate(side[:_ROWS]):
            text = row_text(row)
            edge = max(one.y1 for one in row) if top else height - min(one.y0 for one in row)
            if edge > _EDGE * height or len(text) > _LONGEST:
                break
            key = _NUMBERS.sub("#", text.lower())
            numbers = tuple(value for match in _NUMBERS.findall(text) if (value := _number(match)) is not None)
            middle = (row[0].y0 + row[0].y1) / 2
            apart = index + 1 >= len(side) or _distance(row, side[index + 1]) > _APART * max(one.size for one in row)
            found.append(EdgeRow(text, key, middle, frozenset(map(id, row)), numbers, top, apart))
    return Edges(found, sum(len(row.members) for row in found) < len(fragments))


def _distance(row: Row, inner: Row) -> float:
    """Between two rows, whichever is the upper one."""
    above, below = (row, inner) if row[0].y0 < inner[0].y0 else (inner, row)
    return min(one.y0 for one in below) - max(one.y1 for one in above)


def running_rows(number: int, window: dict[int, Edges], pages: int) -> list[EdgeRow]:
    """
    The rows of page `number` that other pages of the window have at the same height: the same words, or, at a height
    where most pages have such a row, other words (the title of a short chapter).

    :param window: edges by page, this one's among them.
    :param pages: of the document: where there are two or three, one other page is enough.
    """
    found: list[EdgeRow] = []
    for top in (True, False):
        outer: list[EdgeRow] = []
        for row in window[number].rows:
            if row.top is top:
                if not _repeats(number, row, window, 1 if pages <= 3 else 2):
                    break  # what stands further in is the page's own
                outer.append(row)
        while outer and not outer[-1].apart:
            outer.pop()  # the first line of a paragraph, although other pages begin with the same
        found += outer
    if not window[number].inner and len(found) == len(window[number].rows):
        return [row for row in found if not _has_words(row)]  # a page of nothing else
    return found


def _repeats(number: int, row: EdgeRow, window: dict[int, Edges], needed: int) -> bool:
    alike = _alike(number, row, window)
    if _SENTENCE.search(row.text):  # prose with numbers in it is alike only where they are, too
        alike = [(other_number, other) for other_number, other in alike if other.text == row.text]
    if len({other for other, _ in alike}) < max(needed, _SHARE * (len(window) - 1)):
        return _in_a_slot(number, row, window)
    return _has_words(row) or _counted(number, row, alike) is not None


def _has_words(row: EdgeRow) -> bool:
    return any(letter.isalpha() for letter in row.key.replace("#", ""))


def _alike(number: int, row: EdgeRow, window: dict[int, Edges]) -> list[tuple[int, EdgeRow]]:
    return [
        (other_number, other)
        for other_number, edges in window.items()
        if other_number != number
        for other in edges.rows
        if other.key == row.key and abs(other.middle - row.middle) < _NEAR
    ]


def page_label(number: int, rows: Sequence[EdgeRow], window: dict[int, Edges]) -> str | None:
    """What the running rows of a page say that it is called: its number as printed."""
    for row in rows:
        counted = _counted(number, row, _alike(number, row, window))
        if counted is None:
            counted = _counted(number, row, _same_height(number, row, window))
        if counted is None:
            continue
        whole = _AROUND.sub("", row.text.strip())
        words = row.text.split()
        for label in (whole, words[-1].strip(_EDGES), words[0].strip(_EDGES)):
            if _LABEL.fullmatch(label) and counted in [_number(part) for part in _NUMBERS.findall(label)][-1:]:
                return label
    return None


def _same_height(number: int, row: EdgeRow, window: dict[int, Edges]) -> list[tuple[int, EdgeRow]]:
    return [
        (other_number, other)
        for other_number, edges in window.items()
        if other_number != number
        for other in edges.rows
        if abs(other.middle - row.middle) < _NEAR
    ]


def _in_a_slot(number: int, row: EdgeRow, window: dict[int, Edges]) -> bool:
    """
    Whether two thirds of the other pages have a running row at this very height: one that counts the pages, as this one
    does, or whose words stand on another page too.
    """
    others = _same_height(number, row, window)
    exact = [(other_number, other) for other_number, other in others if abs(other.middle - row.middle) < _SLOT]
    repeated = Counter(other.key for _, other in exact)
    running = {other_number for other_number, other in exact if repeated[other.key] > 1 and other.apart}
    many = len(window) > _LEAST_SLOTS and 3 * len(running) >= 2 * (len(window) - 1)
    return many and row.apart and (not row.numbers or _counted(number, row, exact) is not None)


def _counted(number: int, row: EdgeRow, others: Sequence[tuple[int, EdgeRow]]) -> int | None:
    """The number in the row, counted from its beginning or its end, that goes up by one from page to page."""
    for index in (*range(len(row.numbers)), -1):
        values = [
            (n, other.numbers[index]) for n, other in others if -1 <= index < len(other.numbers) and other.numbers
        ]
        same = [n - number == value - row.numbers[index] for n, value in values] if row.numbers else []
        if same and sum(same) >= max(1, 0.5 * len(same)):
            return row.numbers[index]
    return None


def _number(text: str) -> int | None:
    if text.isdecimal():
        return int(text[:9])
    if not _ROMAN.fullmatch(text):
        return None
    values = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
    numbers = [values[letter] for letter in text.lower()]
    following = [*numbers[1:], 0]
    return sum(-value if value < after else value for value, after in zip(numbers, following, strict=True))
