"""RTF: text with its paragraphs, tables, raised digits and characters of any code page (Rich Text Format 1.9)."""

import codecs
import re
from dataclasses import dataclass, replace

from indexing.convert.extracted import Extracted, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.raised import lowered, raised
from indexing.convert.tables import Cell, table_lines
from indexing.convert.tables.grid import Row

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)
_UNREAD = frozenset(
    [
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "themedata",
        "colorschememapping",
        "datastore",
        "latentstyles",
        "listtable",
        "listoverridetable",
        "rsidtbl",
        "generator",
        "xmlnstbl",
        "mmathPr",
        "fldinst",
        "bkmkstart",
        "bkmkend",
        "nonshppict",
        "filetbl",
        "revtbl",
        "pntext",
        "pnseclvl",
        "panose",
        "falt",
        "objdata",
        "atnid",
        "atnauthor",
        "template",
        "background",
        "ftnsep",
        "aftnsep",
        "wgrffmtfilter",
    ]
)
_SIGNS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "tab": "\t", "emdash": "—", "endash": "–", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "cell": "\x1f",
    "nestcell": "\x1f", "row": "\x1e", "nestrow": "\x1e",
}  # fmt: skip
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250",
}  # fmt: skip
_MAX_DEPTH = 1_000
_ROW_STARTS = "\x1d"


@dataclass
class _Group:
    read: bool = True
    skip: int = 1  # bytes that stand for a \\u character in old readers
    position: str = ""
    hidden: bool = False
    codec: str = "cp1252"


def convert_rtf(data: bytes) -> Extracted:
    """A character that no code page gives becomes U+FFFD; pictures, fields' codes and style tables are left out."""
    page = re.search(rb"\\ansicpg(\d{3,5})", data[:2000])
    codec = _codec(f"cp{page.group(1).decode()}") if page else "mac_roman" if b"\\mac" in data[:40] else "cp1252"
    fonts = _fonts(data)
    parts: list[str] = []
    raw = bytearray()  # bytes that wait to be decoded together: a character may take two
    group = _Group(codec=codec)
    stack: list[_Group] = []
    skipping = hidden = 0
    star = False

    def decoded() -> None:
        nonlocal raw
        if raw:
            _add(parts, raw.decode(group.codec, "replace"), group)
            raw = bytearray()

    for match in _TOKEN.finditer(data):
        word, number, hexed, sign, brace, text = match.groups()
        if hexed:
            if skipping:
                skipping -= 1
            elif group.read and not group.hidden:
                raw += bytes.fromhex(hexed.decode())
            continue
        if text is not None:
            if skipping:
                text, skipping = text[skipping:], max(0, skipping - len(text))
            if group.read and not group.hidden:
                raw += text
            elif group.hidden:
                hidden += len(text)
            continue
        decoded()
        if brace == b"{":
            stack.append(group)
            group = replace(group)
            if len(stack) > _MAX_DEPTH:
                break
        elif brace == b"}":
            group = stack.pop() if stack else group
            star = False
        elif word is not None:
            name = word.decode("ascii")
            value = int(number) if number else None
            if name in _UNREAD or (star and name not in ("shptxt", "shpinst", "nesttableprops")):
                group.read = False
            elif group.read:
                skipping = _control(name, value, group, parts, codec, fonts)
            star = False
        elif sign == b"*":
            star = True
        elif sign is not None and group.read and not group.hidden:
            parts.append(
                {b"~": "\xa0", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n"}.get(sign, sign.decode("latin-1"))
            )
    decoded()
    builder = TextBuilder()
    _blocks("".join(parts), builder)
    title = re.search(rb"\{\\title ([^{}\\]{1,300})\}", data[:50_000])
    notes = [f"hidden text left out: {hidden:,} characters"] if hidden else []
    name = one_line(title.group(1).decode(codec, "replace")) if title else None
    return Extracted(builder.text(), MIME_TYPES["rtf"], title=name, notes=notes)


def _control(name: str, value: int | None, group: _Group, parts: list[str], codec: str, fonts: dict[int, str]) -> int:
    """Do what a control word says; returns how many bytes behind it repeat it for old readers."""
    if name == "u" and value is not None:
        if not group.hidden:
            _add(parts, chr(value % 65536), group)
        return group.skip
    if name == "uc":
        group.skip = max(0, min(value if value is not None else 1, 10))
    elif name == "f" and value is not None:
        group.codec = fonts.get(value, codec)
    elif name in ("super", "sub", "nosupersub", "plain"):
        group.position = name if name in ("super", "sub") else ""
        group.hidden = group.hidden and name != "plain"
    elif name == "v":
        group.hidden = value != 0
    elif name == "trowd":
        parts.append(_ROW_STARTS)
    elif name in _SIGNS and not group.hidden:
        parts.append(_SIGNS[name])
    return 0


def _add(parts: list[str], text: str, group: _Group) -> None:
    before = "".join(parts[-3:])[-40:]
    if group.position == "super":
        text = raised(text, before)
    elif group.position == "sub":
        text = lowered(text, before)
    parts.append(text)


def _blocks(text: str, builder: TextBuilder) -> None:
    """Paragraphs, and rows of cells that follow each other as one table."""
    text = re.sub("[\ud800-\udbff][\udc00-\udfff]", _joined, text)
    rows: list[Row] = []
    for piece in re.split("(?<=\x1e)", text):
        if piece.endswith("\x1e"):
            cells = piece[:-1].split("\x1f")
            ahead, _, first = cells[0].partition(_ROW_STARTS) if _ROW_STARTS in cells[0] else cells[0].rpartition("\n")
            cells = [cell.replace(_ROW_STARTS, "") for cell in cells]
            if ahead.strip():
                builder.lines(table_lines(rows))
                rows = []
                _paragraphs(ahead, builder)
            rows.append(Row(map(Cell, [first.replace(_ROW_STARTS, ""), *cells[1:]][: max(1, len(cells) - 1)])))
        else:
            builder.lines(table_lines(rows))
            rows = []
            _paragraphs(piece.replace("\x1f", " ").replace(_ROW_STARTS, ""), builder)


def _paragraphs(text: str, builder: TextBuilder) -> None:
    for line in text.split("\n"):
        builder.block(line)


def _joined(match: "re.Match[str]") -> str:
    return match.group().encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _fonts(data: bytes) -> dict[int, str]:
    """Font number -> codec, from the character sets of the font table."""
    table = data[: data.find(b"\\stylesheet") if b"\\stylesheet" in data[:200_000] else 20_000]
    found = {}
    for match in re.finditer(rb"\\f(\d{1,5})(?=[\\ ])[^{};]{0,200}?\\fcharset(\d{1,3})", table[:200_000]):
        if int(match.group(2)) in _CHARSETS and int(match.group(2)) not in (0, 1, 2):
            found[int(match.group(1))] = _CHARSETS[int(match.group(2))]
    return found


def _codec(name: str) -> str:
    try:
        return codecs.lookup({"cp65001": "utf-8", "cp10000": "mac_roman", "cp936": "gb18030"}.get(name, name)).name
    except LookupError:
        return "cp1252"
