"""
A page of a PDF as a PNG, with rectangles marked on it: what `excerpt show` and the search page draw.

PDFium is not thread-safe and reads hostile files, so each page is rendered in a process of its own, under the limits of
the converters: ``python -m indexing.page_image``, a JSON request on stdin, a PNG or a reason on stdout. Nothing that a
document does reaches the process that asks.
"""

import hashlib
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from components.places import Rectangle

_ROOT = Path(__file__).resolve().parents[1]
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_PIXELS = 40_000_000
_POINTS = 72.0  # an inch
_MARK = (255, 221, 51)  # what is white under a mark becomes; black stays black
_MEMORY = 1 << 30
_MAX_BYTES = 256 << 20


class PageImageError(Exception):
    """No picture of this page: the file is gone, has changed, is no PDF, or is damaged. The message names it."""


def page_image(
    path: str | Path,
    page: int,
    rectangles: Iterable[Rectangle | Sequence[float]] = (),
    *,
    content_hash: str | None = None,
    dots_per_inch: float = 110.0,
    timeout: float = 20.0,
) -> bytes:
    """
    Render a page as PNG.

    :param path: of the file as it was indexed (`Source.path`).
    :param page: from 1.
    :param rectangles: to mark: `Rectangle`s (those of other pages are left out), or (x0, y0, x1, y1) in points from the
        left and the top of the page as it is seen.
    :param content_hash: sha256 of the file's bytes when it was indexed (`Source.content_hash`): the marks of another
        version would lie. None draws all the same.
    :param timeout: seconds it may take.
    :raises PageImageError: when there is no such page to be drawn.
    """
    boxes = [
        [box.x0, box.y0, box.x1, box.y1] if isinstance(box, Rectangle) else [float(edge) for edge in box]
        for box in rectangles
        if not isinstance(box, Rectangle) or box.page == page
    ]
    request = {
        "path": os.fspath(path),
        "page": page,
        "rectangles": boxes,
        "content_hash": content_hash,
        "dots_per_inch": max(10.0, min(600.0, dots_per_inch)),
        "seconds": timeout,
    }
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    try:
        ended = subprocess.run(
            [sys.executable, "-X", "utf8", "-m", "indexing.page_image"],
            input=json.dumps(request).encode("ascii"),
            capture_output=True,
            env=environment | {"PYTHONPATH": str(_ROOT)},
            timeout=timeout + 5.0,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PageImageError(f"{path}: page {page} was not drawn within {timeout:g} seconds") from None
    if ended.stdout.startswith(_PNG):
        return ended.stdout
    try:
        reason = str(json.loads(ended.stdout)["error"])
    except (ValueError, KeyError, TypeError):
        reason = "its page could not be drawn (the drawing process ended)"
    raise PageImageError(f"{path}: {reason}")


def _serve() -> None:
    from indexing.convert.sandbox import restrict

    request = json.loads(sys.stdin.buffer.read())
    answer = os.dup(1)
    import pypdfium2  # noqa: F401 - before the limits, since loading a library takes address space

    restrict(request["seconds"], _MEMORY, keep=answer)
    try:
        result = _drawn(request)
    except PageImageError as error:
        result = json.dumps({"error": str(error)}).encode("ascii")
    except Exception as error:  # whatever a broken file provokes; its message may quote the file
        result = json.dumps({"error": f"cannot be drawn ({type(error).__name__})"}).encode("ascii")
    view = memoryview(result)
    while view:
        view = view[os.write(answer, view) :]


def _drawn(request: dict[str, Any]) -> bytes:
    import pypdfium2 as pdfium

    data = _read(request["path"], request["content_hash"])
    try:
        document = pdfium.PdfDocument(data)
        count = len(document)
        if not 1 <= request["page"] <= count:
            raise PageImageError(f"has {count:,} pages, so there is no page {request['page']}")
        page = document[request["page"] - 1]
        width, height = page.get_size()
        scale = request["dots_per_inch"] / _POINTS
        scale = min(scale, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    except pdfium.PdfiumError:
        raise PageImageError("is no PDF that can be drawn") from None
    pixels = bytearray(bitmap.buffer)
    stride, channels = bitmap.stride, bitmap.n_channels
    for box in request["rectangles"]:
        _mark(pixels, stride, channels, (bitmap.width, bitmap.height), [edge * scale for edge in box])
    return _png(pixels, stride, channels, bitmap.width, bitmap.height)


def _read(path: str, content_hash: str | None) -> bytes:
    try:
        with open(os.open(os.fsencode(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PageImageError(f"cannot be opened ({error.strerror})") from None
    if len(data) > _MAX_BYTES:
        raise PageImageError(f"is larger than {_MAX_BYTES:,} bytes")
    if content_hash is not None and hashlib.sha256(data).hexdigest() != content_hash:
        raise PageImageError("has changed since it was indexed; run excerpt index again")
    return data


def _mark(pixels: bytearray, stride: int, channels: int, size: tuple[int, int], box: Sequence[float]) -> None:
    """Multiply the pixels of a rectangle with the mark's colour, as a felt pen does: writing stays readable."""
    left, top = max(0, int(box[0] - 1)), max(0, int(box[1] - 1))
    right, bottom = min(size[0], int(box[2] + 2)), min(size[1], int(box[3] + 2))
    if left >= right:
        return
    tables = [bytes(value * colour // 255 for value in range(256)) for colour in _MARK]
    for row in range(top, bottom):
        for channel, table in enumerate(tables if channels >= 3 else tables[:0]):
            first, last = row * stride + left * channels + channel, row * stride + right * channels
            pixels[first:last:channels] = pixels[first:last:channels].translate(table)


def _png(pixels: bytearray, stride: int, channels: int, width: int, height: int) -> bytes:
    """The simplest PNG: 8 bits a channel, no filter (https://www.w3.org/TR/png-3/)."""
    rows = b"".join(b"\0" + pixels[row * stride : row * stride + width * channels] for row in range(height))
    colour = {1: 0, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return _PNG + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


if __name__ == "__main__":
    _serve()
