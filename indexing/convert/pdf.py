"""PDF: text of each page by PDFium, paragraphs and headings by spacing and type size, and where each word stands."""

import ctypes
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from components.page_layout import Word, pack
from indexing.convert.extracted import MAX_CHARACTERS, Extracted, Refusal, one_line
from indexing.convert.kinds import MIME_TYPES

_MAX_PAGES = 20_000
_LINE = re.compile(r"[^\r\n]+")
_WORD = re.compile(r"\S+")
_HYPHEN = "\ufffe"  # PDFium joins a word that a line break hyphenated, and marks the place with this
_REAL_HYPHEN = re.compile(f"{_HYPHEN}(?![a-zß-öø-ÿ])")  # Anglo-|Saxon, 1939-|45
_MAX_HEADING = 120
_UNWELCOME = re.compile("[\x00\ud800-\udfff\uffff]")  # replaced one by one: indices must stay PDFium's
_NO_TITLES = {"untitled", "(anonymous)"}  # what programs write when nobody chose a title
_PASSWORD_ERROR = 4


@dataclass
class _Line:
    start: int  # offsets in PDFium's characters of the page, which are the page's text
    end: int
    top: float
    bottom: float
    size: float


def convert_pdf(data: bytes) -> Extracted:
    """
    :raises Refusal: "password", "damaged", "no text".
    """
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR:
            raise Refusal("password", "the PDF asks for one") from None
        raise Refusal("damaged", "PDFium cannot open it") from None
    if len(document) == 0:
        raise Refusal("damaged", "no page of it can be read")
    reader = _Reader()
    notes = []
    for number in range(min(len(document), _MAX_PAGES)):
        try:
            reader.page(document[number])
        except pdfium.PdfiumError:
            notes.append(f"page {number + 1} is damaged and left out")
            reader.empty_page()
    if len(document) > _MAX_PAGES:
        notes.append(f"pages behind {_MAX_PAGES:,} are left out")
    if len(notes) == len(document):
        raise Refusal("damaged", "no page of it can be read")
    text = reader.text()
    if not text.strip("\f \n"):
        raise Refusal("no text", f"{len(document):,} pages without text: scanned? Run a text recogniser over it first")
    headings = reader.headings()
    title = one_line(document.get_metadata_value("Title"))
    if title is None or title.lower() in _NO_TITLES:
        title = headings[0][2] if headings else None
    layout = pack(reader.words, reader.sizes)
    return Extracted(text, MIME_TYPES["pdf"], title, headings, paged=True, layout=layout, notes=notes[:10])


class _Reader:
    def __init__(self) -> None:
        self.words: list[Word] = []
        self.sizes: list[tuple[float, float]] = []
        self._pages: list[str] = []
        self._offset = 0
        self._candidates: list[tuple[int, float, int, str]] = []  # offset, type size, characters, text

    def text(self) -> str:
        return "\f".join(self._pages)

    def empty_page(self) -> None:
        self._close("", (0.0, 0.0))

    def page(self, page: Any) -> None:
        textpage = page.get_textpage()
        raw = _characters(textpage)
        lines = _lines(textpage, raw)
        spacing = _usual_spacing(lines)
        parts: list[str] = []
        kept = [0] * (len(raw) + 1)  # where PDFium's character i comes to stand in our page
        length = 0
        for index, line in enumerate(lines):
            if index:
                parts.append("\n\n" if _ends_paragraph(lines[index - 1], line, spacing) else "\n")
                length += len(parts[-1])
            begin = length
            for position in range(line.start, line.end):
                kept[position] = length
                length += raw[position] != _HYPHEN
            kept[line.end] = length
            parts.append(raw[line.start : line.end].replace(_HYPHEN, ""))
            self._candidates.append((self._offset + begin, line.size, length - begin, parts[-1]))
        place = _placement(page)
        for line in lines:
            for match in _WORD.finditer(raw, line.start, line.end):
                start, end = self._offset + kept[match.start()], self._offset + kept[match.end()]
                if end > start:
                    for box in _boxes(textpage, *match.span()):
                        self.words.append(Word(len(self._pages) + 1, start, end, *place(*box)))
        self._close("".join(parts), page.get_size())

    def _close(self, text: str, size: tuple[float, float]) -> None:
        self._pages.append(text)
        self.sizes.append(size)
        self._offset += len(text) + 1
        if self._offset > MAX_CHARACTERS:
            raise Refusal("too large", f"its text passes {MAX_CHARACTERS:,} characters; split the file")

    def headings(self) -> list[tuple[int, int, str]]:
        """Short lines in larger type than most of the text: the larger, the higher; at most four levels."""
        if not self._candidates:
            return []
        by_size: dict[float, int] = {}
        for _, size, count, _ in self._candidates:
            by_size[size] = by_size.get(size, 0) + count
        body = max(by_size, key=lambda size: by_size[size])
        chosen = [
            (offset, size, line)
            for offset, size, count, text in self._candidates
            if size > 1.15 * body
            and count <= _MAX_HEADING
            and (line := one_line(text))
            and re.search(r"[^\W\d_]", line)
        ]
        if len(chosen) > 0.3 * len(self._candidates) and len(self._candidates) > 10:
            return []  # type sizes mean something else here
        sizes = sorted({size for _, size, _ in chosen}, reverse=True)[:4]
        return [(offset, sizes.index(size) + 1, line) for offset, size, line in chosen if size in sizes]


def _characters(textpage: Any) -> str:
    """The page's characters, one for each of PDFium's, so that indices can be asked about."""
    import pypdfium2.raw as pdfium_c

    count = pdfium_c.FPDFText_CountChars(textpage)
    text = textpage.get_text_range() if count > 0 else ""
    if len(text) != count:  # characters beyond the first plane, or some that the range leaves out
        codes = (pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count))
        text = "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes).replace("\x02", _HYPHEN)
    text = _REAL_HYPHEN.sub("-", text)
    return _UNWELCOME.sub("\ufffd", text.replace("\f", " ").replace("\v", " "))


def _boxes(textpage: Any, start: int, end: int) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right, top of a word: one box, or two where a line break divides it."""
    import pypdfium2.raw as pdfium_c

    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    boxes = []
    for index in range(min(pdfium_c.FPDFText_CountRects(textpage, start, end - start), 2)):
        pdfium_c.FPDFText_GetRect(textpage, index, left, top, right, bottom)
        boxes.append((left.value, bottom.value, right.value, top.value))
    return boxes


def _placement(page: Any) -> Callable[[float, float, float, float], tuple[float, float, float, float]]:
    """From PDF space (origin bottom left, before rotation) to the page as it is seen (origin top left)."""
    x, y, x_end, y_end = page.get_cropbox()
    width, height, rotation = x_end - x, y_end - y, page.get_rotation()

    def seen(left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        left, right, bottom, top = left - x, right - x, bottom - y, top - y
        if rotation == 90:
            return bottom, left, top, right
        if rotation == 180:
            return width - right, bottom, width - left, top
        if rotation == 270:
            return height - top, width - right, height - bottom, width - left
        return left, height - top, right, height - bottom

    return seen


def _lines(textpage: Any, raw: str) -> list[_Line]:
    import pypdfium2.raw as pdfium_c

    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    lines = []
    for match in _LINE.finditer(raw):
        if match.group().isspace():
            continue
        stripped = match.end() - (len(match.group()) - len(match.group().rstrip()))
        first = match.start() + len(match.group()) - len(match.group().lstrip())
        pdfium_c.FPDFText_GetCharBox(textpage, first, left, right, bottom, top)
        size = round(pdfium_c.FPDFText_GetFontSize(textpage, first), 1)
        lines.append(_Line(first, stripped, top.value, bottom.value, size))
    return lines


def _usual_spacing(lines: list[_Line]) -> float:
    gaps = [before.bottom - after.bottom for before, after in pairwise(lines)]
    return statistics.median([gap for gap in gaps if gap > 0] or [0.0])


def _ends_paragraph(before: _Line, after: _Line, spacing: float) -> bool:
    """Type of another size, more room than usual between the lines, or a new column."""
    gap = before.bottom - after.bottom
    return abs(before.size - after.size) > 0.1 * max(before.size, after.size) or gap > 1.3 * spacing or gap < -spacing
