"""A page is drawn with its marks in a process of its own; what cannot be drawn is said."""

import hashlib
import struct
import zlib

import pytest
from reportlab.pdfgen.canvas import Canvas

from components.places import Rectangle
from indexing.page_image import PageImageError, page_image


@pytest.fixture
def pdf(tmp_path):
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path), pagesize=(200, 100))
    canvas.rect(20, 40, 10, 10, stroke=0, fill=1)
    canvas.save()
    return path


def pixels(png):
    width, height, _, colour = struct.unpack(">IIBB", png[16:26])
    assert colour == 2
    start = png.index(b"IDAT") + 4
    raw = zlib.decompress(png[start : start + struct.unpack(">I", png[start - 8 : start - 4])[0]])
    rows = [raw[row * (1 + 3 * width) + 1 : (row + 1) * (1 + 3 * width)] for row in range(height)]
    return width, height, lambda x, y: tuple(rows[y][3 * x : 3 * x + 3])


def test_marks_lie_where_the_rectangle_says_and_leave_ink_readable(pdf):
    digest = hashlib.sha256(pdf.read_bytes()).hexdigest()
    boxes = [Rectangle(1, 20, 40, 60, 60), Rectangle(2, 100, 0, 200, 100)]
    png = page_image(pdf, 1, boxes, content_hash=digest, dots_per_inch=72)
    width, height, at = pixels(png)
    assert (width, height) == (200, 100)
    assert at(50, 50) == (255, 221, 51)
    assert at(25, 55) == (0, 0, 0)
    assert at(100, 50) == at(50, 80) == (255, 255, 255)


def test_what_cannot_be_drawn_is_said(pdf, tmp_path):
    with pytest.raises(PageImageError, match=r"a\.pdf: has 1 pages, so there is no page 2"):
        page_image(pdf, 2)
    with pytest.raises(PageImageError, match="has changed since it was indexed; run excerpt index again"):
        page_image(pdf, 1, content_hash="0" * 64)
    with pytest.raises(PageImageError, match="cannot be opened"):
        page_image(tmp_path / "gone.pdf", 1)
    broken = tmp_path / "b.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(PageImageError, match="is no PDF that can be drawn"):
        page_image(broken, 1)
