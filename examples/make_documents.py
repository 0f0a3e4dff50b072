"""
Makes the files of examples/documents out of articles of SQuAD dev-v1.1, the same bytes at every run.

    python examples/make_documents.py path/to/dev-v1.1.json.gz [folder]

The texts are Wikipedia's, CC BY-SA 4.0: see examples/LICENSE.
Needs the packages of `pip install -e .[test]`.
"""

import csv
import gzip
import html
import io
import itertools
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

Sections = list[tuple[str, list[str]]]

# Where a section begins (paragraph number) and its heading; articles without an entry get numbered parts.
HEADINGS = {
    "Super_Bowl_50": {
        0: "Overview",
        4: "Choosing the stadium",
        8: "The teams",
        15: "Play-offs",
        18: "Players and records",
        21: "Preparations",
        32: "Broadcasting",
        42: "Ceremonies",
        45: "The game",
    },
    "Black_Death": {0: "Origin and spread", 5: "The name", 6: "Causes", 17: "Deaths", 20: "Later outbreaks"},
    "Amazon_rainforest": {
        0: "Overview",
        1: "The forest in the past",
        5: "People",
        8: "Plants and animals",
        11: "Deforestation",
        15: "Climate and conservation",
        19: "Droughts",
    },
    "Nikola_Tesla": {
        0: "Overview",
        4: "Early life",
        9: "University and first work",
        15: "New York",
        19: "Alternating current",
        27: "Citizenship and X-rays",
        34: "Radio",
        38: "Colorado Springs",
        45: "Wardenclyffe",
        48: "Later inventions",
        56: "Last years",
        64: "Death and estate",
        69: "Habits",
        80: "Views",
        88: "Legacy",
    },
}


def sections(article: dict, size: int = 8) -> Sections:
    texts = [paragraph["context"] for paragraph in article["paragraphs"]]
    heads = HEADINGS.get(article["title"]) or {
        start: f"Part {start // size + 1}" for start in range(0, len(texts), size)
    }
    borders = [*heads, len(texts)]
    return [(heads[start], texts[start:end]) for start, end in itertools.pairwise(borders)]


def as_text(title: str, parts: Sections) -> str:
    return "\n\n".join([title, *(text for _, texts in parts for text in texts)]) + "\n"


def as_markdown(title: str, parts: Sections) -> str:
    return f"# {title}\n\n" + "\n\n".join("\n\n".join([f"## {head}", *texts]) for head, texts in parts) + "\n"


def as_html(title: str, parts: Sections) -> str:
    body = "\n".join(
        f"<h2>{html.escape(head)}</h2>\n" + "\n".join(f"<p>{html.escape(text)}</p>" for text in texts)
        for head, texts in parts
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f"<style>body {{ max-width: 40em }}</style></head>\n<body>\n<h1>{html.escape(title)}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    )


def as_pdf(title: str, parts: Sections) -> bytes:
    import reportlab
    from reportlab import rl_config
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    rl_config.invariant = 1  # no time of day in the file
    fonts = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont("Body", str(fonts / "Vera.ttf")))
    pdfmetrics.registerFont(TTFont("Head", str(fonts / "VeraBd.ttf")))
    body = ParagraphStyle("body", fontName="Body", fontSize=9.5, leading=13, spaceAfter=7)
    head = ParagraphStyle(
        "head", fontName="Head", fontSize=13, leading=17, spaceBefore=10, spaceAfter=6, keepWithNext=1
    )
    first = ParagraphStyle("first", parent=head, fontSize=19, leading=24)
    story: list = [Paragraph(html.escape(title), first), Spacer(1, 8)]
    for heading, texts in parts:
        story.append(Paragraph(html.escape(heading), head))
        story.extend(Paragraph(html.escape(text), body) for text in texts)
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title=title, author="Wikipedia", margin=64).build(story)
    return out.getvalue()


def as_docx(title: str, parts: Sections) -> bytes:
    import docx

    document = docx.Document()
    document.core_properties.title = title
    document.add_heading(title, 0)
    for head, texts in parts:
        document.add_heading(head, 1)
        for text in texts:
            document.add_paragraph(text)
    return _timeless(document)


def as_pptx(title: str, parts: Sections) -> bytes:
    import pptx
    from pptx.util import Pt

    slides = pptx.Presentation()
    slides.core_properties.title = title
    slides.slides.add_slide(slides.slide_layouts[0]).shapes.title.text = title
    for head, texts in parts:
        for text in texts:
            slide = slides.slides.add_slide(slides.slide_layouts[1])
            slide.shapes.title.text = head
            frame = slide.placeholders[1].text_frame
            frame.text = text
            frame.paragraphs[0].font.size = Pt(14)
    return _timeless(slides)


def as_xlsx(title: str, parts: Sections) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title[:30]
    sheet.append(["part", "text"])
    for head, texts in parts:
        for text in texts:
            sheet.append([head, text])
    return _timeless(book)


def _timeless(office: object) -> bytes:
    """Save an Office file with the same date on every member, and no time of saving inside."""
    saved, out = io.BytesIO(), io.BytesIO()
    office.save(saved)  # type: ignore[attr-defined]
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                for tag in (b"created", b"modified"):
                    start = data.find(b"<dcterms:" + tag)
                    if start >= 0:
                        data = data[:start] + data[data.index(b"</dcterms:" + tag + b">") + len(tag) + 11 :]
            info = zipfile.ZipInfo(name, (2016, 6, 16, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, data)
    return out.getvalue()


def as_csv(title: str, parts: Sections) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["article", "part", "text"])
    writer.writerows([title, head, text] for head, texts in parts for text in texts)
    return out.getvalue()


def as_jsonl(title: str, parts: Sections) -> str:
    rows = ({"article": title, "part": head, "text": text} for head, texts in parts for text in texts)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_eml(title: str, parts: Sections) -> bytes:
    message = EmailMessage()
    message["Subject"] = f"What I found about {title}"
    message["From"] = "Ada <ada@example.org>"
    message["To"] = "Grace <grace@example.org>"
    message["Date"] = "Thu, 16 Jun 2016 09:00:00 +0000"
    message.set_content("\n\n".join(text for _, texts in parts[:2] for text in texts) + "\n")
    return message.as_bytes()


PLAN = [
    ("Super_Bowl_50", "super-bowl-50.pdf", as_pdf),
    ("Black_Death", "black-death.pdf", as_pdf),
    ("Nikola_Tesla", "nikola-tesla.docx", as_docx),
    ("Apollo_program", "space/apollo-program.docx", as_docx),
    ("Amazon_rainforest", "amazon-rainforest.html", as_html),
    ("Harvard_University", "universities/harvard.html", as_html),
    ("University_of_Chicago", "universities/chicago.md", as_markdown),
    ("Steam_engine", "steam-engine.md", as_markdown),
    ("Warsaw", "warsaw.txt", as_text),
    ("Normans", "normans.txt", as_text),  # Latin-1, to show that encodings are found
    ("Huguenot", "huguenots.pptx", as_pptx),
    ("Packet_switching", "packet-switching.xlsx", as_xlsx),
    ("Kenya", "kenya.csv", as_csv),
    ("Pharmacy", "pharmacy.jsonl", as_jsonl),
    ("Victoria_(Australia)", "mail/victoria.eml", as_eml),
]


def documents(squad: Path) -> Iterator[tuple[str, bytes]]:
    with gzip.open(squad) as file:
        articles = {article["title"]: article for article in json.load(file)["data"]}
    for title, name, make in PLAN:
        content = make(title.replace("_", " "), sections(articles[title]))
        if isinstance(content, str):
            content = content.encode("latin-1", "replace") if name == "normans.txt" else content.encode("utf-8")
        yield name, content


def main() -> None:
    os.environ["SOURCE_DATE_EPOCH"] = "1466035200"
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent / "documents")
    for name, content in documents(Path(sys.argv[1])):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
