"""Pictures of text by the real tesseract, inside the converters' sandbox: text, pages and rectangles."""

import io
import shutil

import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from components.page_layout import PageLayout
from components.places import locate
from indexing.convert.pool import ConverterPool, Limits
from indexing.page_image import page_image

pytestmark = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
LINES = ("The lighthouse of Kaltwasser", "was built in 1871 by Ada Brunner.")


@pytest.fixture
def picture(tmp_path):
    """A page of two lines, 200 points high and 300 wide, as it comes out of a scanner with 200 dots an inch."""
    path = tmp_path / "typed.pdf"
    canvas = Canvas(str(path), pagesize=(300, 200))
    for number, line in enumerate(LINES):
        canvas.drawString(30, 150 - 20 * number, line)
    canvas.save()
    return page_image(path, 1, dots_per_inch=200)


def converted(path):
    pool = ConverterPool(1, Limits(seconds=60.0))
    try:
        (found,) = pool.convert([path])
    finally:
        pool.close()
    assert found.page is not None, found.detail
    return found.page


def test_a_picture_is_read(picture, tmp_path):
    (tmp_path / "scan.png").write_bytes(picture)
    page = converted(tmp_path / "scan.png")
    assert page.text.split() == " ".join(LINES).split()
    assert page.notes == ["text recognised by tesseract"]


def test_a_scanned_page_between_typed_ones_is_read_and_marked(picture, tmp_path):
    canvas = Canvas(str(tmp_path / "scan.pdf"), pagesize=(300, 200))
    canvas.drawString(30, 100, "A typed page about ferries and islands.")
    canvas.showPage()
    canvas.drawImage(ImageReader(io.BytesIO(picture)), 0, 0, 300, 200)
    canvas.save()
    page = converted(tmp_path / "scan.pdf")
    assert page.notes == ["text of 1 page recognised by tesseract"]
    start = page.text.index("Ada Brunner")
    assert page.text.count("\f", 0, start) == 1
    (mark,) = locate(PageLayout(page.layout), start, start + len("Ada Brunner")).rectangles
    # The line stands 200 - 130 points below the top, 12 points high; the name ends it, before a full stop.
    assert mark.page == 2
    assert 58 < mark.y0 < mark.y1 < 74
    assert 120 < mark.x0 < mark.x1 < 215
