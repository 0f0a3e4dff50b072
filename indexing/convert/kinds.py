"""Which format do these bytes have? What they begin with decides over what the file's name claims."""

import codecs
import io
import re
import zipfile
from typing import Literal

from indexing.convert.encoding import wide_encoding
from indexing.convert.extracted import Refusal

# fmt: off
Kind = Literal[
    "pdf", "docx", "pptx", "xlsx", "odf", "epub", "rtf", "doc", "xls", "ppt", "msg", "eml", "mbox", "mhtml", "html",
    "xml", "markdown", "latex", "rst", "org", "notebook", "csv", "json", "jsonl", "image", "zip", "code", "text",
]
MIME_TYPES: dict[Kind, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odf": "application/vnd.oasis.opendocument",
    "epub": "application/epub+zip",
    "rtf": "application/rtf",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
    "eml": "message/rfc822",
    "mbox": "application/mbox",
    "mhtml": "multipart/related",
    "html": "text/html",
    "xml": "application/xml",
    "markdown": "text/markdown",
    "latex": "application/x-latex",
    "rst": "text/x-rst",
    "org": "text/x-org",
    "notebook": "application/x-ipynb+json",
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "image": "image/*",
    "zip": "application/zip",
    "code": "text/x-source",
    "text": "text/plain",
}
TEXT_KINDS: dict[str, Kind] = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".qmd": "markdown", ".rmd": "markdown",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".shtml": "html",
    ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".json": "json", ".geojson": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".ipynb": "notebook",
    ".eml": "eml", ".mbox": "mbox", ".mbx": "mbox", ".mhtml": "mhtml", ".mht": "mhtml",
    ".xml": "xml", ".svg": "xml", ".fodt": "odf", ".fods": "odf", ".fodp": "odf", ".rtf": "text",
    ".tex": "latex", ".ltx": "latex", ".rst": "rst", ".org": "org",
}
_CODE = frozenset(
    [".py", ".pyi", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".java", ".kt", ".kts", ".scala", ".c", ".h", ".cc",
     ".cpp", ".cxx", ".hpp", ".hh", ".cs", ".go", ".rs", ".rb", ".php", ".pl", ".pm", ".lua", ".r", ".jl", ".swift",
     ".m", ".mm", ".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".sql", ".css", ".scss", ".less", ".vue",
     ".svelte", ".hs", ".ml", ".mli", ".ex", ".exs", ".erl", ".clj", ".lisp", ".el", ".vim", ".asm", ".s", ".f90",
     ".f", ".pas", ".d", ".dart", ".groovy", ".gradle", ".cmake", ".mk", ".tf", ".proto", ".thrift", ".toml", ".ini",
     ".cfg", ".conf", ".properties", ".yaml", ".yml", ".diff", ".patch", ".log", ".out", ".err"]
)
# fmt: on
_OOXML: dict[str, Kind] = {"word": "docx", "ppt": "pptx", "xl": "xlsx"}
_OLE_STREAMS: dict[str, Kind] = {
    "WordDocument": "doc",
    "Workbook": "xls",
    "Book": "xls",
    "PowerPoint Document": "ppt",
    "__properties_version1.0": "msg",
}
_HTML_START = re.compile(rb"\s*(<!--.{0,500}?-->\s*)?<(!doctype html|html[\s>])", re.IGNORECASE | re.DOTALL)
_XML_START = re.compile(rb"\s*<\?xml\b")
_MAIL_HEADER = re.compile(
    rb"(?mi)^(from|to|subject|date|received|return-path|message-id|mime-version|delivered-to|content-type):"
)
_MBOX_START = re.compile(rb"From \S+[^\n]{0,200}\r?\n[!-9;-~]+:")
_IMAGES = (
    *(
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF87a",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"P4\n",
        b"P5\n",
        b"P6\n",
    ),
)
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOREIGN = (  # formats that may look like text at their start, named for the report
    (b"%!PS", "PostScript"),
)


def kind_of(data: bytes, suffix: str) -> Kind:
    """
    :param data: the whole file.
    :param suffix: of its name, with the dot, in lower case: chooses among the text formats.
    :raises Refusal: "empty", "password" or "unknown format".
    """
    if not data:
        raise Refusal("empty", "0 bytes")
    start = data[:1024]
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in start):
        return "pdf"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data)
    if start.startswith(OLE_MAGIC):
        return _in_ole(data)
    if start.startswith(b"{\\rtf"):
        return "rtf"
    if (start.startswith(_IMAGES) and not (start.startswith(b"BM") and _is_text(data))) or start[8:12] == b"WEBP":
        return "image"
    for magic, name in _FOREIGN:
        if start.startswith(magic):
            raise Refusal("unknown format", f"{name} is not read; save it as PDF or DOCX")
    if not _is_text(data):
        raise Refusal("unknown format", "neither text nor a format that is read here")
    return _text_kind(data, start, suffix)


def _text_kind(data: bytes, start: bytes, suffix: str) -> Kind:
    kind = TEXT_KINDS.get(suffix)
    if kind not in (None, "text", "xml"):
        return "xml" if kind == "html" and _is_opendocument(start) else kind
    if _MBOX_START.match(start):
        return "mbox"
    if suffix in ("", ".txt", ".msg", ".mail") and _looks_like_mail(data):
        return "mhtml" if b"Saved by Blink" in start[:200] else "eml"
    if _HTML_START.match(start):
        return "html"
    if kind == "xml" or (_XML_START.match(start) and suffix not in _CODE):
        return "odf" if _is_opendocument(start) else "html" if b"<html" in start.lower() else "xml"
    return "code" if suffix in _CODE else "text"


def _is_opendocument(start: bytes) -> bool:
    return b"<office:document" in start or b"urn:oasis:names:tc:opendocument:xmlns:office" in start


def _looks_like_mail(data: bytes) -> bool:
    """At least three of the usual headers, from the first line on."""
    head = re.split(rb"\r?\n\r?\n", data[:20_000], maxsplit=1)[0]
    found = {match.group(1).lower() for match in _MAIL_HEADER.finditer(head)}
    told = found & {b"received", b"return-path", b"message-id", b"mime-version", b"delivered-to"}
    return bool(told) and len(found) >= 3 and re.match(rb"[!-9;-~]+:[ \t]?\S", data) is not None


def _zipped(data: bytes) -> Kind:
    """Which of the formats that are zips; the names of the members say, however they are packed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            names = opened.namelist()[:20_000]
            if "mimetype" in names and opened.getinfo("mimetype").file_size < 200:
                declared = opened.read("mimetype").strip()
                if declared.startswith(b"application/vnd.oasis.opendocument"):
                    return "odf"
                if declared == b"application/epub+zip":
                    return "epub"
            types = opened.read("[Content_Types].xml")[:200_000] if "[Content_Types].xml" in names else b""
    except Exception:  # the directory is broken: what of it can be read as text says what the file was
        names, types = _names_in_ruins(data), b""
    if "META-INF/container.xml" in names and any(name.endswith(".opf") for name in names):
        return "epub"
    for mark, kind in ((b"wordprocessingml", "docx"), (b"ms-word.", "docx"), (b"presentationml", "pptx"),
                       (b"ms-powerpoint.", "pptx"), (b"spreadsheetml", "xlsx"), (b"ms-excel.", "xlsx")):  # fmt: skip
        if re.search(rb"(?i)" + re.escape(mark) + rb"[^\"']{0,60}main\+xml", types):
            return kind  # type: ignore[return-value]
    folders = [name.partition("/")[0].lower() for name in names if "/" in name]
    count, folder = max((folders.count(folder), folder) for folder in _OOXML)
    if count and (types or "_rels" in folders or count == len(folders)):
        return _OOXML[folder]
    return "zip"


def _names_in_ruins(data: bytes) -> list[str]:
    directory = data[-4_000_000:]
    return [f"{folder}/x" for folder in _OOXML for _ in range(directory.count(folder.encode() + b"/"))]


def _in_ole(data: bytes) -> Kind:
    """
    Outlook messages and the office files of the time before 2007 share a container.

    :raises Refusal: "password" for encrypted new files, which wear it too; "damaged", "unknown format".
    """
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            streams = {"/".join(path) for path in container.listdir()}
    except Exception as error:  # olefile raises whatever the bytes provoke
        raise Refusal("damaged", f"not a whole OLE container ({type(error).__name__})") from None
    if {"EncryptedPackage", "EncryptionInfo"} & streams:
        raise Refusal("password", "an encrypted Office file")
    names = {stream.lower() for stream in streams}  # readers of this container heed no case
    for stream, kind in _OLE_STREAMS.items():
        if stream.lower() in names:
            return kind
    raise Refusal("unknown format", "an OLE container that is no Outlook message and no office file")


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
