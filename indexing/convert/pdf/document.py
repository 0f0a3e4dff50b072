"""A PDF from its bytes to its text, page by page: memory holds a few pages at a time."""

import re
from collections import Counter
from typing import Any

from components.page_layout import pack
from indexing.convert.extracted import Extracted, Refusal, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.ocr import NO_TESSERACT, tesseract
from indexing.convert.pdf.hyphens import Vocabulary
from indexing.convert.pdf.layers import has_layers
from indexing.convert.pdf.page import PageContent, page_blocks, read_page
from indexing.convert.pdf.pictures import is_picture, recognised_fragments
from indexing.convert.pdf.running import WINDOW, Edges, edge_rows, page_label, running_rows
from indexing.convert.pdf.text import DocumentText
from indexing.convert.sandbox import allow_pages

_MAX_PAGES = 20_000
_MAX_HEADING = 120
_NO_TITLES = {"untitled", "(anonymous)"}  # what programs write when nobody chose a title
_PASSWORD_ERROR = 4
_PAGES_A_PICTURE = 100  # whose time a picture gets that is to be recognised
_MOST_NAMED = 3  # running heads that a note names


def convert_pdf(data: bytes, ocr: bool = True) -> Extracted:
    """
    :param ocr: pages that are pictures of text are recognised, where tesseract is installed.
    :raises Refusal: "password", "damaged", "no text".
    """
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR:
            raise Refusal("password", "the PDF asks for one") from None
        raise Refusal("damaged", "PDFium cannot open it") from None
    allow_pages(len(document))
    if len(document) == 0:
        raise Refusal("damaged", "no page of it can be read")
    reader = _Reader(document, has_layers(data), ocr)
    reader.read()
    if reader.damaged == len(document):
        raise Refusal("damaged", "no page of it can be read")
    text = reader.text.text()
    if not text.strip("\f \n"):
        raise Refusal("no text", reader.without_text())
    headings = find_headings(reader.text.lines)
    title = one_line(document.get_metadata_value("Title"))
    if title is None or title.lower() in _NO_TITLES:
        title = headings[0][2] if headings else None
    layout = pack(reader.text.words, reader.sizes, reader.labels)
    notes = [*reader.damages, *reader.remarks()]
    return Extracted(text, MIME_TYPES["pdf"], title, headings, paged=True, layout=layout, notes=notes[:10])


def _pages(count: int) -> str:
    return f"{count:,} page{'' if count == 1 else 's'}"


class _Reader:
    """Reads ahead by a window of pages, so that what repeats at their edges is known before a page is written."""

    def __init__(self, document: Any, layered: bool, ocr: bool) -> None:
        self.sizes: list[tuple[float, float]] = []
        self.labels: list[str | None] = []
        self.damaged = 0
        self.damages: list[str] = []
        self._vocabulary = Vocabulary()
        self.text = DocumentText(self._vocabulary)
        self._document, self._layered = document, layered
        self._recognise = ocr and tesseract() is not None
        self._ocr = ocr
        self._pictures = self._recognised = self._seen = 0
        self._pages = min(len(document), _MAX_PAGES)
        self._form = self._open_form()
        self._ahead: dict[int, PageContent] = {}
        self._edges: dict[int, Edges] = {}
        self._running: Counter[str] = Counter()
        self._marks: Counter[str] = Counter()
        self._hidden = 0
        self._noted: set[str] = set()

    def read(self) -> None:
        for number in range(1, self._pages + 1):
            self._read_ahead(number)
            if number > WINDOW:
                self._write(number - WINDOW)
        for number in range(max(1, self._pages - WINDOW + 1), self._pages + 1):
            self._write(number)

    def without_text(self) -> str:
        """Why nothing was read, and what to do."""
        pages = _pages(len(self._document))
        if not self._pictures or self._recognise:
            return f"{pages} without text"
        return f"only pictures on {pages}: " + (NO_TESSERACT.removeprefix("no text: ") if self._ocr else "ocr is off")

    def remarks(self) -> list[str]:
        """What of the document was not read, in words."""
        found = sorted(self._noted)
        if len(self._document) > _MAX_PAGES:
            found.append(f"pages behind {_MAX_PAGES:,} are left out")
        if self._recognised:
            found.append(f"text of {_pages(self._recognised)} recognised by tesseract")
        if self._pictures:
            told = "install tesseract, or set `ocr: off`" if self._ocr and not self._recognise else "nothing recognised"
            found.append(f"only pictures, without text, on {_pages(self._pictures)}: {told}")
        if self._hidden:
            found.append(f"text on hidden layers is left out ({_pages(self._hidden)})")
        for text, _ in self._marks.most_common(_MOST_NAMED):
            found.append(f"watermark left out: {one_line(text, 40)}")
        named = [f"“{one_line(text, 60)}”" for text, _ in self._running.most_common(_MOST_NAMED)]
        if named:
            found.append(f"running heads and feet left out: {', '.join(named)}")
        return found

    def _open_form(self) -> Any:
        """PDFium's form environment, without which values of fields are not told; it runs no scripts."""
        try:
            if self._document.get_formtype():
                self._document.init_forms()
                return self._document.formenv
        except Exception:  # a broken form is no reason to lose the text
            return None
        return None

    def _read_ahead(self, number: int) -> None:
        import pypdfium2 as pdfium

        try:
            page = self._document[number - 1]
            try:
                content = read_page(page, number, self._form, self._layered, self._noted)
                if not any(content.ways) and is_picture(page):
                    self._see(page, content)
            finally:
                page.close()
        except pdfium.PdfiumError:
            self.damages.append(f"page {number} is damaged and left out")
            self.damaged += 1
            content = PageContent(number, (0.0, 0.0))
        self._ahead[number] = content
        self._edges[number] = edge_rows(content.ways[0], content.size[1])
        self._vocabulary.add(fragment.text for way in content.ways for fragment in way)

    def _see(self, page: Any, content: PageContent) -> None:
        """Recognise the text of a page that is a picture."""
        if self._recognise:
            self._seen += 1
            allow_pages(self._pages + _PAGES_A_PICTURE * self._seen)
            content.ways[0] = recognised_fragments(page)
        if any(content.ways):
            self._recognised += 1
        else:
            self._pictures += 1

    def _write(self, number: int) -> None:
        content = self._ahead.pop(number)
        window = {other: edges for other, edges in self._edges.items() if abs(other - number) <= WINDOW}
        rows = running_rows(number, window, self._pages)
        running = frozenset(member for row in rows for member in row.members)
        self._running.update(row.text for row in rows if re.search(r"[^\W\d_]{3}", row.text))
        self._marks.update(content.askew)
        self._hidden += content.hidden
        self.sizes.append(content.size)
        self.labels.append(page_label(number, rows, window) or self._own_label(number))
        self.text.page(number, page_blocks(content, running))
        self._edges.pop(number - WINDOW, None)

    def _own_label(self, number: int) -> str | None:
        """What the file says that the page is called."""
        try:
            return one_line(self._document.get_page_label(number - 1), 20)
        except Exception:  # labels are a courtesy
            return None


def find_headings(lines: list[tuple[int, float, int, str]]) -> list[tuple[int, int, str]]:
    """
    Short lines in larger type than most of the text: the larger, the higher; at most four levels.

    :param lines: (offset, type size, characters, text).
    """
    by_size: Counter[float] = Counter()
    for _, size, count, _ in lines:
        by_size[size] += count
    if not by_size:
        return []
    body = max(by_size, key=lambda size: by_size[size])
    chosen = [
        (offset, size, line)
        for offset, size, count, text in lines
        if size > 1.15 * body and count <= _MAX_HEADING and (line := one_line(text)) and re.search(r"[^\W\d_]", line)
    ]
    if len(chosen) > 0.3 * len(lines) and len(lines) > 10:
        return []  # type sizes mean something else here
    sizes = sorted({size for _, size, _ in chosen}, reverse=True)[:4]
    return [(offset, sizes.index(size) + 1, line) for offset, size, line in chosen if size in sizes]
