"""A scanned page: a picture of text, which tesseract recognises where the system has it."""

from typing import Any

from indexing.convert.extracted import Refusal, cleaned
from indexing.convert.ocr import recognise
from indexing.convert.pdf.fragments import Fragment, Token, make_fragments

_DOTS_PER_INCH = 300
_POINTS = 72.0  # an inch
_MAX_PIXELS = 40_000_000
_LEAST = 0.25  # of the page that a picture of it covers
_IMAGE = 3  # kind of page objects in PDFium


def is_picture(page: Any) -> bool:
    """Whether pictures cover a good part of the page: a scan, not a drawing and not an empty page."""
    import ctypes

    import pypdfium2.raw as pdfium_c

    width, height = page.get_size()
    edges = [ctypes.c_float() for _ in range(4)]
    area = 0.0
    for index in range(min(pdfium_c.FPDFPage_CountObjects(page), 2_000)):
        item = pdfium_c.FPDFPage_GetObject(page, index)
        if pdfium_c.FPDFPageObj_GetType(item) == _IMAGE and pdfium_c.FPDFPageObj_GetBounds(item, *edges):
            left, bottom, right, top = (edge.value for edge in edges)
            area += abs(right - left) * abs(top - bottom)
    return area >= _LEAST * width * height


def recognised_fragments(page: Any) -> list[Fragment]:
    """The words that tesseract sees on the page, at their places; none where it sees none."""
    width, height = page.get_size()
    scale = _DOTS_PER_INCH / _POINTS
    scale = min(scale, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    pixels = bytes(bitmap.buffer)
    rows = b"".join(pixels[y * bitmap.stride : y * bitmap.stride + bitmap.width] for y in range(bitmap.height))
    picture = b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + rows
    try:
        words = recognise(picture, dots_per_inch=round(scale * _POINTS))
    except Refusal:  # one page that it cannot read is no reason to lose the others
        return []
    tokens = []
    for word in words:
        x0, y0 = word.left / scale, word.top / scale
        box = (x0, y0, x0 + word.width / scale, y0 + word.height / scale)
        if text := "".join(cleaned(word.text).split()):
            tokens.append(Token(text, *box, max(1.0, box[3] - box[1]), box))
    return make_fragments(tokens)
