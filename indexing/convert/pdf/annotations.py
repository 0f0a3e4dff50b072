"""What people added to a page: values typed into a form, and text boxes written over it (FreeText)."""

import ctypes
from collections.abc import Iterator
from typing import Any

from indexing.convert.extracted import cleaned
from indexing.convert.pdf.characters import Box, placement
from indexing.convert.pdf.fragments import Fragment, Token

_FREE_TEXT, _WIDGET = 3, 20  # subtypes in PDFium
_REMARKS = {1: "comment", 13: "stamp"}  # not part of the page's text: said in the notes
_HIDDEN, _NO_VIEW = 1 << 1, 1 << 5  # flags
_PUSH_BUTTON, _CHECK_BOX, _RADIO, _COMBO, _LIST, _TEXT, _SIGNATURE = range(1, 8)
_PASSWORD = 1 << 13  # flag of a text field
_MAX_ANNOTATIONS = 5_000
_MAX_TEXT = 100_000
_TYPE_SIZE = 11.0


def added_text(page: Any, form: Any, notes: set[str]) -> list[Fragment]:
    """
    One fragment for each line of a value or text box, at its place on the page as it is seen.

    :param form: PDFium's form environment; None where the document has no form.
    :param notes: gets what is on the page and not read.
    """
    import pypdfium2.raw as pdfium_c

    fragments: list[Fragment] = []
    seen = placement(page)
    for number in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
            if pdfium_c.FPDFAnnot_GetFlags(annotation) & (_HIDDEN | _NO_VIEW):
                continue
            if kind in _REMARKS:
                notes.add(f"{_REMARKS[kind]}s on its pages are left out")
                continue
            text = ""
            if kind == _FREE_TEXT:
                text = _string(annotation, b"Contents")
            elif kind == _WIDGET:
                text = _value(form, annotation)
            rectangle = pdfium_c.FS_RECTF()
            if text.strip() and pdfium_c.FPDFAnnot_GetRect(annotation, rectangle):
                left, right = sorted((rectangle.left, rectangle.right))
                bottom, top = sorted((rectangle.bottom, rectangle.top))
                fragments += _lines(cleaned(text[:_MAX_TEXT]), seen(left, bottom, right, top))
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)
    return fragments


def _value(form: Any, annotation: Any) -> str:
    import pypdfium2.raw as pdfium_c

    if form is None:
        return _string(annotation, b"V")
    kind = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (_CHECK_BOX, _RADIO):
        return "[x]" if pdfium_c.FPDFAnnot_IsChecked(form, annotation) else ""
    if kind == _TEXT and pdfium_c.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        return ""
    if kind in (_PUSH_BUTTON, _SIGNATURE):
        return ""
    if kind in (_COMBO, _LIST):
        chosen = [
            _wide(pdfium_c.FPDFAnnot_GetOptionLabel, form, annotation, index)
            for index in range(min(pdfium_c.FPDFAnnot_GetOptionCount(form, annotation), 1_000))
            if pdfium_c.FPDFAnnot_IsOptionSelected(form, annotation, index)
        ]
        if chosen:
            return ", ".join(chosen)
    return _wide(pdfium_c.FPDFAnnot_GetFormFieldValue, form, annotation) or _string(annotation, b"V")


def _string(annotation: Any, key: bytes) -> str:
    import pypdfium2.raw as pdfium_c

    return _wide(pdfium_c.FPDFAnnot_GetStringValue, annotation, key)


def _wide(function: Any, *arguments: Any) -> str:
    """A text that PDFium writes as UTF-16 into a buffer whose size it names first."""
    import pypdfium2.raw as pdfium_c

    size = function(*arguments, None, 0)
    if not 2 < size <= 4 * _MAX_TEXT:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _lines(text: str, box: Box) -> Iterator[Fragment]:
    """Lines of a text spread over its box: where each word stands is the program's to choose that draws it."""
    lines = [line.split() for line in text.split("\n") if line.strip()]
    height = min((box[3] - box[1]) / max(1, len(lines)), 1.3 * _TYPE_SIZE)
    top = box[1] if len(lines) > 1 else (box[1] + box[3] - height) / 2
    for number, words in enumerate(lines):
        y0 = top + number * height
        step = min(0.5 * _TYPE_SIZE, (box[2] - box[0]) / max(1, sum(len(word) + 1 for word in words)))
        tokens, x = [], box[0] + min(2.0, step)
        for word in words:
            end = x + step * len(word)
            place = (x, y0, end, y0 + height)
            tokens.append(Token(word, *place, _TYPE_SIZE, place))
            x = end + step
        yield Fragment(tokens, tokens[0].x0, y0, tokens[-1].x1, y0 + height, _TYPE_SIZE, 1_000_000 + number)
