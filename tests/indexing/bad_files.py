"""
Builds a folder of hostile and broken files with the standard library alone: ``python bad_files.py FOLDER``.

Each is named ``NN-...``; `EXPECTED` says for each how it must end: the reasons with which it may be refused, or READ.
"""

import io
import json
import os
import random
import struct
import sys
import zipfile
import zlib
from pathlib import Path

READ = "read"
CANARY = "CANARY-SECRET"
EXPECTED: dict[str, set[str]] = {}
_BUILDERS = []


def bad(name: str, *ends: str):
    """The file's name and how it may end; the decorated function returns its bytes."""

    def register(build):
        EXPECTED[name] = set(ends)
        _BUILDERS.append((name, build))
        return build

    return register


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def docx(body: str = "<w:p><w:r><w:t>Plain words</w:t></w:r></w:p>", doctype: str = "", extra=()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", TYPES)
        z.writestr("_rels/.rels", RELS)
        z.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?>{doctype}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
        )
        for name, data in extra:
            z.writestr(name, data)
    return out.getvalue()


def text_run(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


@bad("01-flat-bomb.docx", "bomb")
def _():
    return docx(extra=[("word/media/big.xml", b" " * 100_000_000)])


@bad("02-overlapped.docx", "bomb", "damaged")
def _():
    """1,000 directory entries over one body (CVE-2024-0450)."""
    body = zlib.compress(b"0" * 10_000_000, 9)[2:-4]
    crc = zlib.crc32(b"0" * 10_000_000)
    name = b"word/document.xml"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(body), 10_000_000, len(name), 0) + name
    entries = b"".join(
        struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, len(body), 10_000_000,
            len(n := b"word/%04d" % i), 0, 0, 0, 0, 0, 0,
        ) + n
        for i in range(1000)
    )  # fmt: skip
    start = len(local) + len(body)
    return local + body + entries + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1000, 1000, len(entries), start, 0)


@bad("03-many-members.docx", "bomb")
def _():
    return docx(extra=[(f"word/m{i}", b"") for i in range(50_000)])


@bad("04-docx-in-docx.docx", READ)
def _():
    inner = docx()
    for _ in range(10):
        inner = docx(extra=[("word/embeddings/inner.docx", inner)])
    return inner


@bad("05-member-names.docx", READ, "damaged")
def _():
    return docx(extra=[("../../excerpt-evil", b"x"), ("/tmp/excerpt-evil", b"x")])


@bad("06-encrypted-flag.docx", "password")
def _():
    data = bytearray(docx())
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\1\2", at + 1)
    return bytes(data)


def _xxe(target: str) -> bytes:
    return docx(text_run("before &x; after"), f'<!DOCTYPE d [<!ENTITY x SYSTEM "{target}">]>')


@bad("07-xxe-file.docx", READ, "damaged")
def _():
    return _xxe("file:///tmp/excerpt-canary.txt")


@bad("07-xxe.svg", READ)
def _():
    return b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///tmp/excerpt-canary.txt">]><svg><text>words &x;</text></svg>'


@bad("08-xxe-http.docx", READ, "damaged")
def _():
    return _xxe("http://127.0.0.1:18999/xxe")


@bad("09-billion-laughs.docx", "damaged", "bomb", "memory", READ)
def _():
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 11))
    return docx(text_run("words &a10;"), f"<!DOCTYPE d [{entities}]>")


@bad("10-quadratic-entities.docx", "damaged", "bomb", "memory", READ)
def _():
    return docx(text_run("words " + "&a;" * 20_000), f'<!DOCTYPE d [<!ENTITY a "{"A" * 100_000}">]>')


@bad("11-nested-tables.docx", READ, "damaged")
def _():
    opening, closing = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
    return docx(opening * 3000 + text_run("deep") + closing * 3000)


def _xlsx(rows: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        z.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        )
        z.writestr("_rels/.rels", RELS.replace("word/document.xml", "xl/workbook.xml"))
        z.writestr(
            "xl/_rels/workbook.xml.rels",
            RELS.replace("word/document.xml", "worksheets/sheet1.xml").replace('officeDocument"', 'worksheet"'),
        )
        main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        z.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            '<sheets><sheet name="Corners" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        z.writestr("xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>")
    return out.getvalue()


def _cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


@bad("12-corners.xlsx", READ)
def _():
    return _xlsx(
        f'<row r="1">{_cell("A1", "first corner")}</row><row r="1048576">{_cell("XFD1048576", "last corner")}</row>'
    )


@bad("13-formulas.csv", READ)
def _():
    return b"name,value\n=cmd|'/c calc'!A1,@SUM(1)\nfoo,bar\n"


@bad("14-truncated.msg", "damaged")
def _():
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def pdf(objects: dict[int, bytes], root: int = 1, trailer: bytes = b"") -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets.get(number, 0)
    out += b"trailer\n<< /Size %d /Root %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, trailer, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


SHOW = b"BT /F1 12 Tf 72 700 Td (Words on the page) Tj ET"


def objects(content: bytes | None = None, **changed: bytes) -> dict[int, bytes]:
    found = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        4: content if content is not None else stream(SHOW),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    found.update({int(name[1:]): body for name, body in changed.items()})
    return found


@bad("15-cut.pdf", READ, "damaged", "no text")
def _():
    data = pdf(objects())
    return data[: len(data) // 2]


@bad("16-xref-loop.pdf", READ, "damaged")
def _():
    data = pdf(objects())
    start = data.rfind(b"xref\n0")
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % start)


@bad("17-outline-loop.pdf", READ)
def _():
    return pdf(
        objects(
            o1=b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
            o6=b"<< /First 7 0 R /Last 7 0 R >>",
            o7=b"<< /Title (A) /Parent 6 0 R /Next 8 0 R >>",
            o8=b"<< /Title (B) /Parent 6 0 R /Next 7 0 R /First 7 0 R >>",
        )
    )


@bad("18-kids-loop.pdf", READ, "damaged", "no text", "crashed")
def _():
    return pdf(objects(o2=b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>"))


@bad("19-count.pdf", READ, "damaged")
def _():
    return pdf(objects(o2=b"<< /Type /Pages /Kids [3 0 R] /Count 100000000 >>"))


@bad("20-flate-in-flate.pdf", READ, "memory", "crashed", "no text", "timeout", "damaged")
def _():
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(b" " * 1_000_000) for _ in range(300)) + packer.flush()
    return pdf(objects(stream(zlib.compress(once, 9), b"/Filter [/FlateDecode /FlateDecode]")))


@bad("21-run-length.pdf", READ, "memory", "crashed", "no text", "timeout")
def _():
    return pdf(objects(stream(zlib.compress(b"\x81 " * 2_000_000, 9), b"/Filter [/FlateDecode /RunLengthDecode]")))


@bad("22-length.pdf", READ, "damaged", "no text")
def _():
    return pdf(objects(stream(SHOW).replace(b"/Length %d" % len(SHOW), b"/Length 9999999999")))


@bad("23-inline-image.pdf", READ, "no text")
def _():
    return pdf(objects(stream(SHOW + b" BI /W 10 /H 10 ID " + b"x" * 1000)))


@bad("24-nested-array.pdf", READ, "damaged", "no text", "crashed")
def _():
    return pdf(objects(o6=b"[" * 200_000 + b"]" * 200_000))


@bad("25-to-unicode.pdf", READ, "no text")
def _():
    mapping = b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    return pdf(objects(o5=font, o6=stream(mapping)))


@bad("26-encoding-path.pdf", READ, "no text")
def _():
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /../../../tmp/excerpt-evil /DescendantFonts [6 0 R] >>"
    )
    return pdf(objects(o5=font, o6=b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X >>"))


@bad("27-xmp-bomb.pdf", READ)
def _():
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 11)
    )
    xmp = b"<!DOCTYPE x [%s]><x>&a10;</x>" % entities
    return pdf(
        objects(
            o1=b"<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>",
            o6=stream(xmp, b"/Type /Metadata /Subtype /XML"),
        )
    )


@bad("28-password.pdf", "password")
def _():
    encrypt = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (%s) /U (%s) /P -4 >> /ID [(0123456789abcdef) (0123456789abcdef)]"
    )
    return pdf(objects(), trailer=encrypt % (b"o" * 32, b"u" * 32))


@bad("29-launch.pdf", READ)
def _():
    return pdf(
        objects(
            o1=b"<< /Type /Catalog /Pages 2 0 R /OpenAction 6 0 R >>",
            o6=b"<< /S /Launch /F (touch /tmp/excerpt-evil) /Next << /S /URI /URI (http://127.0.0.1:18999/uri) >> >>",
        )
    )


@bad("30-scan.pdf", "no text")
def _():
    return pdf(objects(stream(b"0 0 100 100 re f")))


@bad("31-empty.txt", "empty")
def _():
    return b""


@bad("32-control.txt", READ)
def _():
    return b"Words \x00 with \x1b[31mred\x1b[0m and \x1b]0;title\x07 escapes in a long enough line of text"


@bad("33-latin1.txt", READ)
def _():
    return "Café naïve, déjà vu à l'été: où êtes-vous?".encode("latin-1")


@bad("33-utf16.txt", READ)
def _():
    return "The secret of the house is älter als gedacht.".encode("utf-16-le")


@bad("34-broken-utf8.txt", READ)
def _():
    return "Größe und Länge über alles ".encode() * 20 + b"\xed\xa0\x80 \xf5\x80\x80\x80 \xff end"


@bad("35-one-word.txt", "too large")
def _():
    return b"a" * 50_000_000


@bad("36-marks.txt", "no text")
def _():
    return b"?!." * 3_000_000


@bad("37-accents.txt", READ)
def _():
    return ("a" + "\u0301" * 1_000_000 + " word").encode()


@bad("37-ligatures.txt", READ)
def _():
    return ("\ufdfa" * 500_000).encode()


@bad("38-bidi.txt", READ)
def _():
    return "Pay \u202e001\u202c to \u200badm\u200bin and p\u0430ypal".encode()


@bad("39-noise.pdf", "unknown format", "damaged")
def _():
    return random.Random(7).randbytes(100_000)


@bad("39-elf.docx", "unknown format")
def _():
    return b"\x7fELF" + bytes(range(256)) * 40


@bad("39-polyglot.html", READ)
def _():
    return pdf(objects()) + b"<html><body>As a web page</body></html>"


@bad("40-deep.html", READ)
def _():
    return b"<div>" * 100_000 + b"deep words" + b"</div>" * 100_000


@bad("40-attributes.html", READ)
def _():
    return b"<p " + b" ".join(b"a%d=1" % i for i in range(200_000)) + b">attribute words</p>"


@bad("41-active.html", READ)
def _():
    return (
        b"<title>Kept title</title><script>fetch('http://127.0.0.1:18999/s')</script><body onload=alert(1)>"
        b"<img src=http://127.0.0.1:18999/pixel onerror=alert(1)><a href=javascript:alert(1)>link words</a></body>"
    )


@bad("42-hidden.html", READ)
def _():
    hidden = b"<p style='display: none'>The capital is Hiddentown.</p><p class=ghost>The capital is Hiddentown.</p>"
    return b"<style>.ghost { color: red; display:none }</style><p>Seen words</p>" + hidden * 200


@bad("43-deep.md", READ)
def _():
    return b">" * 50_000 + b" quoted words\n\n" + b"[" * 50_000 + b" bracket words"


@bad("44-front-matter.md", READ)
def _():
    aliases = b"".join(b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 10))
    return b"---\na0: &a0 x\n" + aliases + b"b: !!python/object/apply:os.system ['id']\n---\n# Heading\n\nBody words\n"


@bad("45-field.csv", READ)
def _():
    return b"name,text\nx," + b"long " * 40_000 + b"\ny,z\n"


@bad("45-open-quote.csv", READ)
def _():
    return b'name,text\nx,"never closed\n' + b"".join(b"row%d,value%d\n" % (i, i) for i in range(5_000))


@bad("45-columns.csv", READ)
def _():
    return b",".join(b"c%d" % i for i in range(100_000)) + b"\n" + b",".join(b"%d" % i for i in range(100_000))


@bad("46-deep.json", "damaged")
def _():
    return b"[" * 100_000 + b"]" * 100_000


@bad("46-odd.json", READ)
def _():
    return b'{"big": ' + b"9" * 100_000 + b', "s": "\\ud800 words", "n": NaN, "e": 1e999, "k": "one", "k": "two"}'


@bad("47-broken-line.jsonl", READ)
def _():
    lines = [json.dumps({"number": i, "word": f"word{i}"}).encode() for i in range(1, 10_001)]
    lines[5_000] = b'{"broken": '
    return b"\n".join(lines)


@bad("48-deep.eml", READ)
def _():
    head = b"Subject: Deep\nMIME-Version: 1.0\n"
    parts = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(2_000))
    return head + parts + b"Content-Type: text/plain\n\nbody words\n"


@bad("48-odd.eml", READ)
def _():
    return (
        b"Subject: " + b"long subject " * 8_000 + b"\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/plain; charset=klingon-8\n\nbody words\n"
        b"--b\nContent-Type: text/plain\n"
        b'Content-Disposition: attachment; filename="../../tmp/excerpt-evil"\n\nx\n--b--\n'
    )


SPECIAL = {  # made by calls, not bytes; these names end as problems of the walk, or are passed over (None)
    "49-loop": None,
    "49-up": None,
    "49-passwd": "not a file",
    "49-zero": "not a file",
    "49-fifo": "not a file",
    "49-sparse.txt": "too large",
}
NAMES = [
    b"50-\xff\xfe.txt",
    b"50-line\n$(id).txt",
    b"50- -rf.txt",
    b"50-" + b"n" * 248 + b".txt",
    b"50-<img onerror>.txt",
]


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, build_bytes in _BUILDERS:
        (folder / name).write_bytes(build_bytes())
    (folder / "49-loop").symlink_to(folder / "49-loop2")
    (folder / "49-loop2").symlink_to(folder / "49-loop")
    (folder / "49-up").symlink_to("..")
    (folder / "49-passwd").symlink_to("/etc/passwd")
    (folder / "49-zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "49-fifo")
    with (folder / "49-sparse.txt").open("wb") as sparse:
        sparse.truncate(1 << 40)
    for number, name in enumerate(NAMES):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"Oddly named words, number %d." % number)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
