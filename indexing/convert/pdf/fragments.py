"""What a page is read from: tokens with their places, side by side in fragments, above each other in rows."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_WORD_GAP = 0.75  # type sizes: a wider gap may part columns or cells, so it ends a fragment
_SAME_ROW = 0.5  # of the lower one's height that two fragments of one row share


@dataclass(slots=True)
class Token:
    """
    Characters without white space between them.

    :param x0: left edge in points in the frame in which its page is read, from the left and the top, text upright; y0
        is the top edge.
    :param size: of the type, in points.
    :param box: the same on the page as it is seen: left, top, right, bottom.
    :param turn: which way it runs there: 0 to the right, 1 down, 2 to the left, 3 up.
    :param hyphen: its last character is a hyphen that PDFium found at a line's end.
    :param fixed: set in a typewriter face.
    :param ends: characters of punctuation ahead and behind, and the points that they take.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    box: tuple[float, float, float, float]
    turn: int = 0
    hyphen: bool = False
    fixed: bool = False
    ends: tuple[int, int, float, float] = (0, 0, 0.0, 0.0)


@dataclass(slots=True)
class Fragment:
    """Tokens of one row, side by side. `order` is its number in the file."""

    tokens: list[Token]
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    order: int

    @property
    def text(self) -> str:
        return " ".join(token.text for token in self.tokens)

    @property
    def rtl(self) -> bool:
        return bool(_RTL.search(self.tokens[0].text))


Row = list[Fragment]


def make_fragments(tokens: Iterable[Token]) -> list[Fragment]:
    """Join tokens that follow each other in the file and stand side by side."""
    fragments: list[Fragment] = []
    last: Fragment | None = None
    for token in tokens:
        if last is not None and _side_by_side(last, token):
            last.tokens.append(token)
            last.x0, last.x1 = min(last.x0, token.x0), max(last.x1, token.x1)
            last.y0, last.y1 = min(last.y0, token.y0), max(last.y1, token.y1)
            last.size = max(last.size, token.size)
        else:
            last = Fragment([token], token.x0, token.y0, token.x1, token.y1, token.size, len(fragments))
            fragments.append(last)
    return fragments


def _side_by_side(fragment: Fragment, token: Token) -> bool:
    before = fragment.tokens[-1]
    size = max(before.size, token.size, 1.0)
    if _shared(before, token) < _SAME_ROW * min(before.y1 - before.y0, token.y1 - token.y0):
        return False
    backward = bool(_RTL.search(token.text))
    gap = before.x0 - token.x1 if backward else token.x0 - before.x1
    return -0.6 * size <= gap <= _WORD_GAP * size


def make_rows(fragments: Sequence[Fragment]) -> list[Row]:
    """Fragments that stand beside each other, rows from top to bottom, in each row in the direction of reading."""
    rows: list[Row] = []
    tops: list[float] = []
    bottoms: list[float] = []
    for fragment in sorted(fragments, key=lambda one: (one.y0 + one.y1, one.order)):
        height = fragment.y1 - fragment.y0
        place = None
        for index in range(len(rows) - 1, max(-1, len(rows) - 4), -1):
            shared = min(fragment.y1, bottoms[index]) - max(fragment.y0, tops[index])
            if shared >= _SAME_ROW * min(height, bottoms[index] - tops[index]):
                place = index
                break
        if place is None:
            rows.append([fragment])
            tops.append(fragment.y0)
            bottoms.append(fragment.y1)
        else:
            rows[place].append(fragment)
            biggest = max(rows[place], key=lambda one: one.x1 - one.x0)
            tops[place], bottoms[place] = biggest.y0, biggest.y1
    for row in rows:
        row.sort(key=lambda one: one.x0, reverse=sum(one.rtl for one in row) * 2 > len(row))
    return rows


def row_text(row: Row) -> str:
    return " ".join(fragment.text for fragment in row)


def _shared(one: Token, other: Token) -> float:
    return min(one.y1, other.y1) - max(one.y0, other.y0)
