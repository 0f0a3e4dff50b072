"""Lines and tables become text: paragraphs whole, words whole, and the place of every word kept."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from components.page_layout import Word
from indexing.convert.extracted import MAX_CHARACTERS, Refusal
from indexing.convert.pdf.fragments import Token
from indexing.convert.pdf.hyphens import Vocabulary
from indexing.convert.pdf.page import Line
from indexing.convert.pdf.tables import Table

_ENDS_SENTENCE = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*$")
_ITEM = re.compile(r"(?:[•◦▪●○■□–—*‣⁃-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\[\d+\])(?:\s|$)")
_DIVIDED = re.compile(r"\w[-\u00ad\u2010]$")
_FEW = 3  # distances of lines, which say little about what is usual
_FULL = 0.85  # of a column's width: a line that ends there was broken for want of room


class DocumentText:
    """
    Grows the text of a document page by page.

    :param vocabulary: the words seen so far, which tell hyphens that belong to a word.
    :raises Refusal: "too large" as soon as the text passes `MAX_CHARACTERS`.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.words: list[Word] = []
        self.lines: list[tuple[int, float, int, str]] = []  # offset, type size, characters, text
        self._vocabulary = vocabulary
        self._parts: list[str] = []
        self._length = 0
        self._waiting: tuple[int, list[Line | Table]] | None = None

    def page(self, number: int, blocks: list[Line | Table]) -> None:
        """Add a page. It is written when the next one comes, since a word may go on there."""
        if self._waiting is not None:
            before, waiting = self._waiting
            moved = self._divided_word(waiting, blocks)
            self._write(before, waiting, number, moved)
            self._grow("\f")
        self._waiting = number, blocks

    def text(self) -> str:
        if self._waiting is not None:
            self._write(*self._waiting, 0, None)
            self._waiting = None
        return "".join(self._parts)

    def _divided_word(self, blocks: Sequence[Line | Table], following: Sequence[Line | Table]) -> Token | None:
        """The rest of a word that a page's end divides: taken from the next page, so that the word is whole."""
        last, first = (blocks[-1] if blocks else None), (following[0] if following else None)
        if not isinstance(last, Line) or not isinstance(first, Line) or not _divides(last, first):
            return None
        return first.tokens.pop(0)

    def _write(self, number: int, blocks: Sequence[Line | Table], next_number: int, moved: Token | None) -> None:
        blocks = [block for block in blocks if isinstance(block, Table) or block.tokens]
        spacing = _spacing([block for block in blocks if isinstance(block, Line)])
        before: Line | Table | None = None
        joined = False
        for index, block in enumerate(blocks):
            if isinstance(block, Table):
                if before is not None:
                    self._grow("\n\n")
                self._write_table(number, block)
                before, joined = block, False
                continue
            if before is not None and not joined:
                self._grow("\n\n" if isinstance(before, Table) or _ends_paragraph(before, block, spacing) else "\n")
            after = blocks[index + 1] if index + 1 < len(blocks) else None
            begin = self._length
            joined = self._write_line(number, block, after, next_number, moved if after is None else None)
            text = block.text
            self.lines.append((begin, block.size, self._length - begin, text))
            before = block

    def _write_line(
        self, number: int, line: Line, after: Line | Table | None, next_number: int, moved: Token | None
    ) -> bool:
        """:returns: whether the line's last word goes on in the next line, which then follows without a break."""
        for token in line.tokens[:-1]:
            self._write_token(number, token, token.text)
            self._grow(" ")
        last = line.tokens[-1]
        rest = moved or (after.tokens[0] if isinstance(after, Line) and _divides(line, after) else None)
        if rest is None:
            self._write_token(number, last, last.text)
            return False
        kept = self._vocabulary.keeps_hyphen(last.text, rest.text)
        self._write_token(number, last, last.text if kept else last.text[:-1])
        if moved is not None:
            self._write_token(next_number, moved, moved.text)
        return moved is None

    def _write_token(self, number: int, token: Token, text: str) -> None:
        if not text:
            return
        start = self._length
        self._grow(text)
        whole = len(text) == len(token.text)
        ends = token.ends if whole else (0, 0, 0.0, 0.0)
        x0, y0, x1, y1 = token.box
        self.words.append(Word(number, start, self._length, x0, y0, x1, y1, token.turn, *ends))

    def _write_table(self, number: int, table: Table) -> None:
        text = "\n".join(table.lines())
        start = self._length
        self._grow(text)
        position = 0
        for cell, tokens in table.cells():
            if not cell.text:
                continue
            place = _find_cell(text, cell.text, position)
            if place < 0:
                continue
            self._note_cell(number, start + place, cell.text, tokens)
            position = place + len(cell.text)

    def _note_cell(self, number: int, start: int, text: str, tokens: Sequence[Token]) -> None:
        at = 0
        for token in tokens:
            found = text.find(token.text, at, at + len(token.text) + 2)
            length = len(token.text)
            if found < 0 and token.text.endswith("-"):
                found, length = text.find(token.text[:-1], at, at + len(token.text) + 2), length - 1
            if found < 0:
                continue
            x0, y0, x1, y1 = token.box
            ends = token.ends if length == len(token.text) else (0, 0, 0.0, 0.0)
            self.words.append(Word(number, start + found, start + found + length, x0, y0, x1, y1, token.turn, *ends))
            at = found + length

    def _grow(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)
        if self._length > MAX_CHARACTERS:
            raise Refusal("too large", f"its text passes {MAX_CHARACTERS:,} characters; split the file")


def _find_cell(text: str, cell: str, position: int) -> int:
    """Where a cell's text stands in the table's lines: at the beginning of a cell, not inside the name of a column."""
    place = text.find(cell, position)
    first = place
    while place >= 0:
        ahead, behind = text[:place], text[place + len(cell) : place + len(cell) + 3]
        if (not ahead or ahead.endswith(("\n", ": ", "| ", "; "))) and (
            not behind or behind[0] in "\n;:" or behind == " | "
        ):
            return place
        place = text.find(cell, place + 1)
    return first


def _divides(line: Line, after: Line) -> bool:
    """Whether a word seems to go on from one line to the next."""
    if not line.tokens or not after.tokens:
        return False
    end, start = line.tokens[-1].text, after.tokens[0].text
    alike = abs(line.size - after.size) <= 0.15 * max(line.size, after.size)
    return alike and bool(_DIVIDED.search(end)) and start[:1].isalnum() and not _ITEM.match(start + " ")


def _spacing(lines: Sequence[Line]) -> dict[int, float]:
    """The usual distance of lines for each size of type, in points."""
    distances: dict[int, list[float]] = {}
    for before, after in pairwise(lines):
        distance = after.y1 - before.y1
        if before.region == after.region and 0 < distance < 4 * before.size and _alike(before, after):
            distances.setdefault(round(after.size), []).append(distance)
    return {
        size: median(found) if len(found) > _FEW else min(median(found), 1.5 * size)
        for size, found in distances.items()
    }


def _alike(before: Line, after: Line) -> bool:
    return abs(before.size - after.size) <= 0.1 * max(before.size, after.size)


def _ends_paragraph(before: Line, after: Line, spacing: dict[int, float]) -> bool:
    """Type of another size, more room than usual, an indent, a short last line, a new column; never in mid-sentence."""
    ended = bool(_ENDS_SENTENCE.search(before.text))
    start = after.tokens[0].text.lstrip("\"'“‘«([")[:1]
    runs_on = not ended and start.islower() and not _ITEM.match(after.text)
    if not _alike(before, after):
        return True
    if before.region != after.region:
        full = before.x1 - before.left >= _FULL * (before.right - before.left)
        return not (runs_on or (not ended and full and before.right - before.left > 15 * before.size))
    usual = spacing.get(round(after.size), 1.2 * after.size)
    distance = after.y1 - before.y1
    if distance < -0.5 * usual:
        return True
    if distance > 1.3 * usual:
        return not (runs_on and distance < 3.0 * usual)
    if runs_on:
        return False
    indent = after.x0 - before.x0
    if ended and indent > 0.8 * after.size and before.x0 - before.left < 0.5 * before.size:
        return not _ITEM.match(before.text)
    width = before.right - before.left
    return ended and before.x1 < before.right - 0.25 * width and after.x0 - after.left < 2 * after.size
