"""PDFs in which it is known where each word was drawn: to measure whether an answer is marked where it stands."""

import io
import random
from dataclasses import dataclass, field
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

KINDS = (
    "one column", "two columns", "rows of two columns", "rotated 90", "rotated 180", "rotated 270", "turned text",
    "hyphenated", "ligatures", "superscripts", "crop box", "over two pages",
)  # fmt: skip
FONTS = ("Helvetica", "Times-Roman", "Vera")
_SYLLABLES = [first + second for first in "bcdfghlmn" for second in "aeio"]
_ENDS = ("ster", "ling", "ward", "mond", "tion", "berg", "land", "ness", "field")
_LIGATURES = ("of\ufb01ce", "\ufb02oor", "\ufb01sh", "re\ufb02ect", "pro\ufb01le")
_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Drawn:
    """A word, or the part of one on a line: its text as it is to be read, page from 1, box as the page is seen."""

    text: str
    page: int
    box: _Box
    glued: bool = False  # the word goes on: the next part follows without a space


@dataclass
class PlantedPdf:
    """
    :param data: the file.
    :param flow: every word in the order of reading.
    """

    data: bytes
    kind: str
    flow: list[Drawn] = field(default_factory=list)


def planted_pdf(kind: str, seed: int) -> PlantedPdf:
    """
    :param kind: one of `KINDS`.
    :param seed: of the words, the font and its size.
    """
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")))
    return _Writer(kind, random.Random(f"{kind} {seed}")).write()


class _Writer:
    def __init__(self, kind: str, chance: random.Random) -> None:
        self.kind, self.chance = kind, chance
        self.font = "Vera" if kind == "ligatures" else chance.choice(FONTS)
        self.size = chance.choice((8.0, 9.0, 10.0, 11.0, 12.0))
        self.width = 595.0 if kind.startswith("rotated") else 420.0  # reportlab turns the box of a turned page
        self.height = 595.0
        self.crop = (30.0, 20.0, 400.0, 570.0) if kind == "crop box" else (0.0, 0.0, self.width, self.height)
        self.rotation = int(kind.split()[1]) if kind.startswith("rotated") else 0
        self.buffer = io.BytesIO()
        self.canvas = Canvas(self.buffer, pagesize=(self.width, self.height), invariant=1)
        self.page = 1
        self.flow: list[Drawn] = []

    def write(self) -> PlantedPdf:
        columns = [(50.0, 330.0)]
        lines = 24
        if self.kind in ("two columns", "rows of two columns"):
            columns = [(40.0, 160.0), (222.0, 160.0)]
        if self.kind == "turned text":
            columns = [(60.0, 420.0)]
        words = self._words(len(columns) * lines * 12)
        placed: list[list[tuple[float, float, list[tuple[str, float, float, bool]]]]] = []
        for x, width in columns:
            column = []
            for number in range(lines):
                line = self._line(words, x, width)
                column.append((x, 520.0 - number * 1.35 * self.size - (4 if x > 200 else 0), line))
            placed.append(column)
        self._draw(placed, lines)
        if self.kind == "over two pages":
            self._end_page()
            column = [(50.0, 520.0 - n * 1.35 * self.size, self._line(words, 50.0, 330.0)) for n in range(lines)]
            self._draw([column], lines)
        self._end_page()
        self.canvas.save()
        return PlantedPdf(self.buffer.getvalue(), self.kind, self.flow)

    def _words(self, count: int) -> list[str]:
        words, since = [], 0
        for _ in range(count):
            word = "".join(self.chance.choices(_SYLLABLES, k=self.chance.choice((1, 2, 2, 3)))) + self.chance.choice(
                ("", "", "r", "n", *_ENDS)
            )
            since += 1
            if self.kind == "ligatures" and self.chance.random() < 0.3:
                word = self.chance.choice(_LIGATURES)
            if self.kind == "superscripts" and self.chance.random() < 0.12:
                word = f"{self.chance.randint(2, 10)}^{self.chance.randint(2, 30)}"
            if since == 1:
                word = word.capitalize()
            if since > 8 and self.chance.random() < 0.2:
                word, since = word + self.chance.choice((".", ".", "?")), 0
            elif self.chance.random() < 0.06:
                word += ","
            words.append(word)
        return words[::-1]  # taken from the end

    def _advance(self, word: str) -> float:
        base, _, raised = word.partition("^")
        small = 0.6 * self.size
        return pdfmetrics.stringWidth(base, self.font, self.size) + (
            pdfmetrics.stringWidth(raised, self.font, small) if raised else 0.0
        )

    def _line(self, words: list[str], x: float, width: float) -> list[tuple[str, float, float, bool]]:
        """(word, x, x end, whether it goes on in the next line)."""
        line: list[tuple[str, float, float, bool]] = []
        space = pdfmetrics.stringWidth(" ", self.font, self.size)
        position = x
        while words:
            word = words[-1]
            end = position + self._advance(word)
            if end <= x + width:
                line.append((words.pop(), position, end, False))
                position = end + space
                continue
            core = word.rstrip(".,?")
            if self.kind == "hyphenated" and len(core) >= 8 and core.islower():
                part = core[: len(core) // 2]
                end = position + pdfmetrics.stringWidth(part + "-", self.font, self.size)
                if end <= x + width + 0.1:
                    line.append((part + "-", position, end, True))
                    words[-1] = word[len(part) :]
            break
        return line

    def _draw(self, columns: list, lines: int) -> None:
        order = [(c, n) for c in range(len(columns)) for n in range(lines)]
        for c, n in order:  # the order of reading
            _, y, line = columns[c][n]
            for word, x, end, divided in line:
                self.flow.append(
                    Drawn(_read(word[:-1] if divided else word), self.page, self._seen(x, y, end), divided)
                )
        if self.kind == "rows of two columns":
            order.sort(key=lambda place: (place[1], place[0]))
        if self.kind == "turned text":
            self.canvas.saveState()
            self.canvas.translate(self.width - 60, 0)
            self.canvas.rotate(90)
        for c, n in order:
            _, y, line = columns[c][n]
            for word, x, _, _ in line:
                base, _, raised = word.partition("^")
                self.canvas.setFont(self.font, self.size)
                self.canvas.drawString(x, y if self.kind != "turned text" else y - 250, base)
                if raised:
                    after = x + pdfmetrics.stringWidth(base, self.font, self.size)
                    self.canvas.setFont(self.font, 0.6 * self.size)
                    self.canvas.drawString(after, y + 0.35 * self.size, raised)
        if self.kind == "turned text":
            self.canvas.restoreState()

    def _seen(self, x0: float, y: float, x1: float) -> _Box:
        ascent, descent = pdfmetrics.getAscentDescent(self.font, self.size)
        bottom, top = y + descent, y + ascent
        if self.kind == "turned text":  # a quarter to the left, so that it runs up
            shift = self.width - 60
            x0, x1, bottom, top = shift - (top - 250), shift - (bottom - 250), x0, x1
        left, low, right, high = self.crop
        width, height = right - left, high - low
        x0, x1, bottom, top = x0 - left, x1 - left, bottom - low, top - low
        if self.rotation == 90:
            return bottom, x0, top, x1
        if self.rotation == 180:
            return width - x1, bottom, width - x0, top
        if self.rotation == 270:
            return height - top, width - x1, height - bottom, width - x0
        return x0, height - top, x1, height - bottom

    def _end_page(self) -> None:
        if self.rotation:
            self.canvas.setPageRotation(self.rotation)
        if self.kind == "crop box":
            self.canvas.setCropBox(self.crop)
        self.canvas.showPage()
        self.page += 1


def _read(word: str) -> str:
    return word.replace("\ufb01", "fi").replace("\ufb02", "fl")
