"""Text on a layer that is switched off (optional content) is not seen, so not read: told by whether it leaves ink."""

import re
import zlib
from collections.abc import Sequence
from typing import Any

from indexing.convert.pdf.fragments import Token

_OBJECT_STREAM = re.compile(rb"/ObjStm\b[^>]{0,200}?>>\s*stream\r?\n", re.DOTALL)
_MAX_UNPACKED = 1 << 20
_MAX_STREAMS = 2_000
_INVISIBLE = 3  # text render mode of a recognised scan: never drawn, always read


def has_layers(data: bytes) -> bool:
    """Whether a PDF speaks of optional content at all, in its plain or its packed objects."""
    if b"/OCProperties" in data or b"/OCG" in data:
        return True
    for number, match in enumerate(_OBJECT_STREAM.finditer(data)):
        if number >= _MAX_STREAMS:
            break
        try:
            unpacked = zlib.decompressobj().decompress(data[match.end() : match.end() + _MAX_UNPACKED], _MAX_UNPACKED)
        except zlib.error:
            continue
        if b"/OCProperties" in unpacked:
            return True
    return False


def visible_tokens(page: Any, tokens: Sequence[Token]) -> list[Token]:
    """
    The tokens that leave ink where they stand when the page is drawn, and those that are never drawn on any layer.
    """
    import pypdfium2.raw as pdfium_c

    bitmap = page.render(scale=2.0, grayscale=True)
    pixels, stride, width, height = bytes(bitmap.buffer), bitmap.stride, bitmap.width, bitmap.height
    scale = 2.0
    modes = {
        pdfium_c.FPDFTextObj_GetTextRenderMode(item)
        for index in range(min(pdfium_c.FPDFPage_CountObjects(page), 2_000))
        if pdfium_c.FPDFPageObj_GetType(item := pdfium_c.FPDFPage_GetObject(page, index)) == pdfium_c.FPDF_PAGEOBJ_TEXT
    }
    if _INVISIBLE in modes:
        return list(tokens)
    kept = []
    for token in tokens:
        left, top = max(0, int(scale * token.box[0])), max(0, int(scale * token.box[1]))
        right, bottom = min(width, int(scale * token.box[2]) + 1), min(height, int(scale * token.box[3]) + 1)
        rows = [pixels[y * stride + left : y * stride + right] for y in range(top, bottom)] if right > left else []
        shades = {shade for row in rows for shade in row}
        if not rows or max(shades) - min(shades) > 8:
            kept.append(token)
    return kept
