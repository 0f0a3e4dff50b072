"""Which format do these bytes have? What they begin with decides over what the file's name claims."""

import codecs
import re
from typing import Literal

from indexing.convert.encoding import wide_encoding
from indexing.convert.extracted import Refusal

Kind = Literal["pdf", "docx", "pptx", "xlsx", "msg", "eml", "html", "markdown", "csv", "json", "jsonl", "text"]

MIME_TYPES: dict[Kind, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "msg": "application/vnd.ms-outlook",
    "eml": "message/rfc822",
    "html": "text/html",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "text": "text/plain",
}
TEXT_KINDS: dict[str, Kind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".eml": "eml",
}
_OOXML: dict[bytes, Kind] = {b"word/": "docx", b"ppt/": "pptx", b"xl/": "xlsx"}
_HTML_START = re.compile(rb"\s*(<!--.{0,500}?-->\s*)?<(!doctype html|html[\s>])", re.IGNORECASE | re.DOTALL)
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN = (  # formats that may look like text at their start, named for the report
    (b"{\\rtf", "RTF"),
    (b"%!PS", "PostScript"),
)


def kind_of(data: bytes, suffix: str) -> Kind:
    """
    :param data: the whole file.
    :param suffix: of its name, with the dot, in lower case: chooses among the text formats.
    :raises Refusal: "empty", or "unknown format".
    """
    if not data:
        raise Refusal("empty", "0 bytes")
    start = data[:1024]
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in start):
        return "pdf"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _ooxml(data)
    if start.startswith(OLE_MAGIC):
        return "msg"  # or a look-alike: `mail.convert_msg` opens the container and says which
    for magic, name in _FOREIGN:
        if start.startswith(magic):
            raise Refusal("unknown format", f"{name} is not read; save it as PDF or DOCX")
    if not _is_text(data):
        raise Refusal("unknown format", "neither text nor a format that is read here")
    if suffix in TEXT_KINDS:
        return TEXT_KINDS[suffix]
    return "html" if _HTML_START.match(start) else "text"


def _ooxml(data: bytes) -> Kind:
    """Office formats are zips that differ by the folder of their parts; the directory stands at the end."""
    directory = data[-4_000_000:]
    found = [(directory.count(folder), kind) for folder, kind in _OOXML.items()]
    count, kind = max(found)
    if not count:
        raise Refusal("unknown format", "a zip that is no DOCX, PPTX or XLSX; unpack it")
    return kind


def _is_text(data: bytes) -> bool:
    """Text has hardly any control characters; UTF-16 is told by where its NULs stand."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    sample = data[:65536]
    if wide_encoding(data):
        return True
    control = sum(sample.count(byte) for byte in range(32) if byte not in (9, 10, 12, 13, 27))
    if control <= 0.02 * len(sample):
        return True
    if control > 0.1 * len(sample):
        return False
    try:  # text with escape sequences in it: binary formats are no UTF-8
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True
