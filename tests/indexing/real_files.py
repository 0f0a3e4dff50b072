"""One small real file of each format, written by the libraries that people write such files with."""

import io
import json
from email.message import EmailMessage
from pathlib import Path

PARAGRAPH = "The lighthouse of Norderoog was built in 1907. Its keeper, Dr. Jens Wand, lived there until 1950."
SECOND = "Nobody has lived on the island since. Birds breed there in large numbers."
ROWS = [["Island", "Area", "People"], ["Hooge", "5.78 km2", "94"], ["Langeness", "9.56 km2", "118"]]


def text(path: Path) -> None:
    path.write_text(f"The Halligen\n\n{PARAGRAPH}\n\n{SECOND}\n", encoding="utf-8")


def markdown(path: Path) -> None:
    table = "\n".join("| " + " | ".join(row) + " |" for row in [ROWS[0], ["---"] * 3, *ROWS[1:]])
    body = PARAGRAPH.replace("Norderoog", "**Norderoog**").replace("1907", "[1907](https://example.org/1907)")
    path.write_text(f"# The Halligen\n\n## Lighthouse\n\n{body}\n\n## Islands\n\n{table}\n", encoding="utf-8")


def html(path: Path) -> None:
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    path.write_text(
        "<!doctype html><html><head><title>The Halligen</title><style>p { color: red }</style></head><body>"
        "<script>var hidden = 'scripted'</script><h1>The Halligen</h1><h2>Lighthouse</h2>"
        f"<p>{PARAGRAPH.replace('Norderoog', '<b>Norderoog</b>')}</p><ul><li>first item</li><li>second item</li></ul>"
        f"<h2>Islands</h2><table>{rows}</table><p hidden>invisible words</p></body></html>",
        encoding="utf-8",
    )


def pdf(path: Path) -> None:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    SimpleDocTemplate(str(path), title="The Halligen").build(
        [
            Paragraph("The Halligen", styles["Heading1"]),
            Paragraph("Lighthouse", styles["Heading2"]),
            Paragraph(PARAGRAPH, styles["BodyText"]),
            PageBreak(),
            Paragraph(SECOND, styles["BodyText"]),
        ]
    )


def docx(path: Path) -> None:
    import docx as library

    document = library.Document()
    document.core_properties.title = "The Halligen"
    document.add_heading("The Halligen", 0)
    document.add_heading("Lighthouse", 1)
    document.add_paragraph(PARAGRAPH)
    document.add_page_break()
    document.add_heading("Islands", 1)
    table = document.add_table(rows=0, cols=3)
    for row in ROWS:
        for cell, content in zip(table.add_row().cells, row, strict=True):
            cell.text = content
    document.add_paragraph(SECOND)
    document.save(str(path))


def pptx(path: Path) -> None:
    import pptx as library

    show = library.Presentation()
    for title, body in (("Lighthouse", PARAGRAPH), ("Islands", SECOND)):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    show.slides[1].notes_slide.notes_text_frame.text = "Say something about the birds."
    show.core_properties.title = "The Halligen"
    show.save(str(path))


def xlsx(path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.title = "The Halligen"
    book.active.title = "Islands"
    for row in ROWS:
        book.active.append(row)
    book.create_sheet("Lighthouse").append([PARAGRAPH])
    book.save(str(path))


def csv(path: Path) -> None:
    path.write_text("\n".join(";".join(row) for row in ROWS), encoding="utf-8")


def json_file(path: Path) -> None:
    path.write_text(json.dumps({"title": "The Halligen", "lighthouse": {"text": PARAGRAPH, "height": 1.50}}))


def jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(dict(zip(ROWS[0], row, strict=True))) for row in ROWS[1:]))


def eml(path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "The Halligen – übersehen"
    message["From"] = "Jens <jens@example.org>"
    message.set_content(PARAGRAPH)
    message.add_alternative(f"<p>{PARAGRAPH}</p>", subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="map.pdf")
    path.write_bytes(bytes(message))


def msg(path: Path) -> None:
    """There is no library that writes Outlook's format: see `ole.py`."""
    from tests.indexing.ole import outlook_message

    path.write_bytes(outlook_message("The Halligen", PARAGRAPH))


WRITERS = {
    "a.txt": text, "b.md": markdown, "c.html": html, "d.pdf": pdf, "e.docx": docx, "f.pptx": pptx, "g.xlsx": xlsx,
    "h.csv": csv, "i.json": json_file, "j.jsonl": jsonl, "k.eml": eml, "l.msg": msg,
}  # fmt: skip


def in_memory(write) -> bytes:
    """Bytes of one of these files (for the tests that damage them)."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path)
        return io.BytesIO(path.read_bytes()).getvalue()
