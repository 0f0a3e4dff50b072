"""Small files of many formats, made here: what a test changes in them stays in view."""

import io
import zipfile
from email.message import EmailMessage

PLACE = "The lighthouse of Norderoog was built in 1907."
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMES = (
    f'xmlns:w="{WORD}" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
)
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
        ("presentation", "presentation"),
    )
)  # fmt: skip


def docx(body: str, parts: tuple[tuple[str, str, str], ...] = ()) -> bytes:
    """A DOCX of this body; parts: (file, kind of relation, XML), related as r0, r1, ..."""
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{_R}/{kind}" Target="{file}"/>' for n, (file, kind, _) in enumerate(parts)
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="d" Type="{_R}/officeDocument" Target="word/document.xml"/></Relationships>',
        )
        z.writestr("word/document.xml", f"<w:document {NAMES}><w:body>{body}<w:sectPr/></w:body></w:document>")
        z.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}'
            "</Relationships>",
        )
        for file, _, xml in parts:
            z.writestr(f"word/{file}", xml)
    return packed.getvalue()


def p(text: str, properties: str = "") -> str:
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def opendocument(kind: str, body: str, styles: str = "") -> bytes:
    """An ODT (text), ODS (spreadsheet) or ODP (presentation)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        z.writestr(
            "content.xml",
            f"<office:document-content {_ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
    return packed.getvalue()


def epub() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("mimetype", "application/epub+zip")
        z.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="O/book.opf"/></rootfiles></container>',
        )
        z.writestr(
            "O/book.opf",
            '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The Halligen</dc:title></metadata>'  # noqa: E501
            '<manifest><item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="a" href="a%20a.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
        )
        z.writestr("O/a a.xhtml", "<html><body><h1>One</h1><p>First chapter.</p></body></html>")
        z.writestr("O/b.xhtml", f"<html><body><h1>Two</h1><p>{PLACE}</p></body></html>")
    return packed.getvalue()


def mail(subject: str = "Ferry") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", subject
    return message


def samples() -> dict[str, bytes]:
    """A small whole file of each format that is made here, by its name."""
    attached = mail()
    attached.set_content(PLACE)
    attached.add_attachment(b"Island;Beds\nHooge;900\n", maintype="text", subtype="csv", filename="beds.csv")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("notes/a.txt", PLACE)
    return {
        "a.docx": docx(p(PLACE)),
        "a.odt": opendocument("text", f"<text:p>{PLACE}</text:p>"),
        "a.epub": epub(),
        "a.rtf": b"{\\rtf1\\ansi " + PLACE.encode() + b"\\par}",
        "a.eml": bytes(attached),
        "a.mbox": b"From a@b.c Mon Jan  1 00:00:00 2024\n" + bytes(attached),
        "a.mhtml": b'MIME-Version: 1.0\nContent-Type: text/html\n\n<p class="a">' + PLACE.encode() + b"</p>",
        "a.html": f"<table><tr><th>Built</th><td>{PLACE}</td></tr></table><p>{PLACE}</p>".encode(),
        "a.xml": f"<doc><para>{PLACE}</para></doc>".encode(),
        "a.md": f"# Title\n\n{PLACE}\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n".encode(),
        "a.tex": f"\\begin{{document}}\\section{{One}} {PLACE} \\end{{document}}".encode(),
        "a.rst": f"One\n===\n\n{PLACE}\n\n== ==\nA  B\n== ==\n1  2\n== ==\n".encode(),
        "a.org": f"* One\n{PLACE}\n| a | b |\n".encode(),
        "a.ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["' + PLACE.encode() + b'"]}]}',
        "a.csv": f"built;what\n1907;{PLACE}\n".encode(),
        "a.json": f'{{"built": "{PLACE}"}}'.encode(),
        "a.txt": PLACE.encode(),
        "a.py": f"# {PLACE}\n".encode(),
        "a.zip": archive.getvalue(),
    }
