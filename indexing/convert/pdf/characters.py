"""From PDFium's characters to tokens: where each stands, which are raised, which run another way."""

import ctypes
import re
from collections.abc import Callable
from typing import Any

from indexing.convert.pdf.fragments import Token
from indexing.convert.pdf.scripts import is_ordinal

Box = tuple[float, float, float, float]

_TOKEN = re.compile(r"\S+")
_HYPHEN = "\ufffe"  # PDFium joins a word that a line break hyphenated, and marks the place with this
_UNWELCOME = re.compile("[\x00\ud800-\udfff\uffff]")  # replaced one by one: indices must stay PDFium's
_SPACES = str.maketrans("\f\v\u00a0\u2007\u202f", "     ")
_LEAD = re.compile(r"[^\w]+(?=\w)")
_TRAIL = re.compile(r"(?<=\w)[^\w]+$")
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_FIXED_PITCH = 1  # bit of a font's flags
_RAISED = 0.18  # of the type size, above the line on which the others stand
_QUARTER = 1.5707963
_STANDARD = ((b"Helvetica", (0.718, 0.207)), (b"Times", (0.683, 0.217)), (b"Courier", (0.629, 0.157)))
_TALLEST, _DEEPEST = 1.0, 0.35  # type sizes above and below the line on which letters stand


class PageCharacters:
    """
    The characters of one page.

    :param page: an open page of PDFium, and `textpage` its text.
    """

    def __init__(self, page: Any, textpage: Any) -> None:
        import pypdfium2.raw as pdfium_c

        self._c = pdfium_c
        self._textpage = textpage
        self.raw = _characters(textpage)
        self.seen = placement(page)
        self._loose = pdfium_c.FS_RECTF()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        width, height = page.get_size()
        self._frames: list[Callable[[Box], Box]] = [
            lambda box: box,
            lambda box: (box[1], width - box[2], box[3], width - box[0]),  # down: read from the page's right side
            lambda box: (width - box[2], height - box[3], width - box[0], height - box[1]),
            lambda box: (height - box[3], box[0], height - box[1], box[2]),  # up: read from its left side
        ]
        self._back: list[Callable[[Box], Box]] = [
            lambda frame: frame,
            lambda frame: (width - frame[3], frame[0], width - frame[1], frame[2]),
            self._frames[2],
            lambda frame: (frame[1], height - frame[2], frame[3], height - frame[0]),
        ]
        self._spare = (0.0, 0.0)  # type sizes that boxes reach too high and too low
        self._rotation = page.get_rotation() // 90

    def tokens(self) -> tuple[list[list[Token]], list[str]]:
        """
        :returns: tokens in the file's order, apart by the way they run: right, down, left, up; and the tokens that run
            askew, as watermarks do, joined where they follow each other.
        """
        ways: list[list[Token]] = [[], [], [], []]
        askew: list[str] = []
        last_askew = -1
        fixed, turn, known = False, 0, -1.0
        for match in _TOKEN.finditer(self.raw):
            start, end = match.span()
            for first, last, hyphen in self._parts(start, end):
                size = self._c.FPDFText_GetFontSize(self._textpage, first) or 1.0
                line_start = first == 0 or self.raw[first - 1] in "\r\n" or size != known
                if line_start:  # the way and the face change with the line, if at all
                    fixed, known = self._is_fixed(first), size
                    turn = self._turn(first)
                    self._spare = self._spare_height(first)
                if turn < 0:
                    text = self.raw[first:last].replace(_HYPHEN, "-")
                    askew.append(text) if line_start or last_askew != first else None
                    if not line_start and askew:
                        askew[-1] = askew[-1] if askew[-1] == text else f"{askew[-1]} {text}"
                    last_askew = last
                    continue
                if token := self._token(first, last, size, turn, fixed, hyphen):
                    ways[turn].append(token)
        return ways, askew

    def _parts(self, start: int, end: int) -> list[tuple[int, int, bool]]:
        """A match cut where a line break hyphenates it: first, last + 1, whether a hyphen follows."""
        parts, first = [], start
        while (at := self.raw.find(_HYPHEN, first, end)) >= 0:
            if at > first:
                parts.append((first, at, True))
            first = at + 1
        if first < end:
            parts.append((first, end, False))
        return parts

    def _token(self, first: int, last: int, size: float, turn: int, fixed: bool, hyphen: bool) -> Token | None:
        text = self.raw[first:last]
        begin, stop = self._box(first), self._box(last - 1) if last - first > 1 else None
        box = begin if stop is None else _union(begin, stop)
        largest = size
        if last - first > 1:
            other = self._c.FPDFText_GetFontSize(self._textpage, last - 1) or 1.0
            largest = max(size, other)
            if abs(other - size) > 0.05 * largest or (stop and _apart(begin, stop, turn)) or _may_hide_scripts(text):
                text, box, largest = self._with_scripts(first, last, turn, box)
        if hyphen:
            text += "-"
        ends = (
            self._ends(text, first, last, turn) if not (text[0].isalnum() and text[-1].isalnum()) else (0, 0, 0.0, 0.0)
        )
        x0, y0, x1, y1 = self._frames[turn](box)
        if any(self._spare):
            y0, y1 = y0 + largest * self._spare[0], y1 - largest * self._spare[1]
            box = self._back[turn]((x0, y0, x1, y1))
        way = turn
        if _RTL.search(text):
            way = (turn + 2) % 4
        if x1 - x0 <= 0 and y1 - y0 <= 0:
            return None
        return Token(text, x0, y0, x1, y1, largest, box, way, hyphen, fixed, ends)

    def _with_scripts(self, first: int, last: int, turn: int, box: Box) -> tuple[str, Box, float]:
        """The token's text with a ^ ahead of what is raised and small; its box and largest type."""
        sizes = [self._c.FPDFText_GetFontSize(self._textpage, index) or 1.0 for index in range(first, last)]
        boxes = [self._box(index) for index in range(first, last)]
        largest = max(sizes)
        lines = [self._line(index, turn) for index in range(first, last)]
        base = next(line for line, size in zip(lines, sizes, strict=True) if size == largest)
        parts: list[str] = []
        raised = False
        for index, size in enumerate(sizes):
            small = size < 0.9 * largest
            up = (small and base - lines[index] > 0.1 * largest) or base - lines[index] > _RAISED * 1.5 * largest
            if up and not raised and index and parts[-1][-1].isalnum():
                rest = self.raw[first + index : last]
                if not is_ordinal(rest):
                    parts.append("^")
            raised = up
            parts.append(self.raw[first + index])
        for other in boxes:
            box = _union(box, other)
        return "".join(parts), box, largest

    def _line(self, index: int, turn: int) -> float:
        """Height of the line that a character stands on, in the frame it is read in (from the top)."""
        self._c.FPDFText_GetCharOrigin(self._textpage, index, self._x, self._y)
        x, y = self._x.value, self._y.value
        return self._frames[turn](self.seen(x, y, x, y))[1]

    def _ends(self, text: str, first: int, last: int, turn: int) -> tuple[int, int, float, float]:
        """How many characters of punctuation the token begins and ends with, and how long they are."""
        lead, trail = _LEAD.match(text), _TRAIL.search(text)
        ahead = len(lead.group()) if lead else 0
        behind = len(trail.group()) if trail else 0
        if len(text) != last - first or not (ahead or behind):
            return 0, 0, 0.0, 0.0
        whole = self._frames[turn](_union(self._box(first), self._box(last - 1)))
        left = self._frames[turn](self._box(first + ahead))[0] - whole[0] if ahead else 0.0
        right = whole[2] - self._frames[turn](self._box(last - behind - 1))[2] if behind else 0.0
        return ahead, behind, max(0.0, left), max(0.0, right)

    def _box(self, index: int) -> Box:
        """A character's box from ascender to descender, on the page as it is seen."""
        box = self._loose
        self._c.FPDFText_GetLooseCharBox(self._textpage, index, box)
        return self.seen(box.left, box.bottom, box.right, box.top)

    def _turn(self, index: int) -> int:
        """Which way a character runs on the page as it is seen, in quarter turns clockwise; -1: askew."""
        angle = self._c.FPDFText_GetCharAngle(self._textpage, index)
        if angle < 0:
            return 0
        turns = angle / _QUARTER
        if abs(turns - round(turns)) > 0.08:
            return -1
        return (round(turns) + self._rotation) % 4

    def _spare_height(self, index: int) -> tuple[float, float]:
        """
        A face that lies not in the file is drawn with another, whose height is not that of the letters: the standard
        faces' own measures are taken then (Adobe's font metrics), and of a wild face what a line holds.
        """
        item = self._c.FPDFText_GetTextObject(self._textpage, index)
        face = self._c.FPDFTextObj_GetFont(item) if item else None
        if not face:
            return 0.0, 0.0
        up, down = ctypes.c_float(), ctypes.c_float()
        self._c.FPDFFont_GetAscent(face, 1.0, up)
        self._c.FPDFFont_GetDescent(face, 1.0, down)
        wanted = (min(up.value, _TALLEST), min(-down.value, _DEEPEST))
        if not self._c.FPDFFont_GetIsEmbedded(face):
            name = ctypes.create_string_buffer(64)
            self._c.FPDFFont_GetBaseFontName(face, name, 64)
            wanted = next((size for start, size in _STANDARD if name.value.startswith(start)), wanted)
        return up.value - wanted[0], -down.value - wanted[1]

    def _is_fixed(self, index: int) -> bool:
        flags = ctypes.c_int()
        self._c.FPDFText_GetFontInfo(self._textpage, index, None, 0, flags)
        return bool(flags.value & _FIXED_PITCH)


def _characters(textpage: Any) -> str:
    """The page's characters, one for each of PDFium's, so that indices can be asked about."""
    import pypdfium2.raw as pdfium_c

    count = pdfium_c.FPDFText_CountChars(textpage)
    text = textpage.get_text_range() if count > 0 else ""
    if len(text) != count:  # characters beyond the first plane, or some that the range leaves out
        codes = (pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count))
        text = "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes).replace("\x02", _HYPHEN)
    return _UNWELCOME.sub("\ufffd", text.translate(_SPACES))


def placement(page: Any) -> Callable[[float, float, float, float], Box]:
    """From PDF space (origin bottom left, before rotation) to the page as it is seen (origin top left)."""
    x, y, x_end, y_end = page.get_cropbox()
    width, height, rotation = x_end - x, y_end - y, page.get_rotation()

    def seen(left: float, bottom: float, right: float, top: float) -> Box:
        left, right, bottom, top = left - x, right - x, bottom - y, top - y
        if rotation == 90:
            return bottom, left, top, right
        if rotation == 180:
            return width - right, bottom, width - left, top
        if rotation == 270:
            return height - top, width - right, height - bottom, width - left
        return left, height - top, right, height - bottom

    return seen


def _may_hide_scripts(text: str) -> bool:
    """Whether something inside may be raised although its ends are alike: ``(10^23)``."""
    return len(text) < 40 and any(letter.isdigit() for letter in text[1:-1]) and not text.isdigit()


def _apart(one: Box, other: Box, turn: int) -> bool:
    """Whether two characters do not stand on one line."""
    edge = 1 if turn % 2 == 0 else 0
    return abs(one[edge] - other[edge]) > 0.1 * (one[edge + 2] - one[edge])


def _union(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
