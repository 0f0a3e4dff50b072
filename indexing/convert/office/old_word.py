"""
The text of a Word document from before 2007 (Word 6, 95, 97 to 2003), with its cells and rows.

Only what [MS-DOC] 2.4.1 "Retrieving Text" needs: the piece table says where in the file each stretch of text lies, and
in which of two encodings. Word 6 and 95 have the same table elsewhere, and one byte a character.
"""

import io
import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from indexing.convert.charsets import guess_encoding
from indexing.convert.encoding import known_encoding
from indexing.convert.extracted import Extracted, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.office.containers import require_readable
from indexing.convert.tables import Cell, table_lines
from indexing.convert.tables.grid import Row

_WORD_97, _WORD_6 = 0xA5EC, (0xA5DC, 0xA699)
_COMPLEX, _TABLE_1, _EIGHT_BIT = 0x0004, 0x0200, 0x40000000
_PIECES, _PROPERTIES = 2, 1  # kinds of what the piece table's part holds
_Text = TypeVar("_Text", str, bytes)
_CELL = "\x07"
_MOST_COLUMNS = 64
_MOST_CELLS = 20_000  # that are looked at to tell where rows end
_FIELD_BEGIN, _FIELD_RESULT, _FIELD_END = "\x13", "\x14", "\x15"
_WRITTEN = str.maketrans({"\x1e": "-", "\x1f": None, "\xa0": " ", "\x0b": "\n", "\x0e": "\r", "\x0c": "\r"})
_MARKS = re.compile("[\x00-\x06\x08\x0f-\x12\x16-\x1d]")  # pictures, footnotes' numbers and other anchors


def convert_doc(data: bytes) -> Extracted:
    """
    Paragraphs and tables, then footnotes, comments and text boxes, headers and footers once.

    :raises Refusal: "password", "damaged".
    """
    import olefile

    require_readable(data, "doc")
    builder = TextBuilder()
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            parts = _parts(container)
            title = _title(container)
    except Exception as error:  # olefile raises whatever the bytes provoke; lengths may lie
        raise Refusal("damaged", f"not a whole DOC ({type(error).__name__})") from None
    main, footnotes, headers, _, comments, endnotes, boxes, _ = parts
    _write(_plain(main), builder)
    for part in (footnotes, endnotes, comments, boxes):
        _write(_plain(part), builder)
    for line in dict.fromkeys(re.split(r"[\r\x07]", _plain(headers))):
        builder.block(line)
    return Extracted(builder.text(), MIME_TYPES["doc"], title=title)


def _title(container: Any) -> str | None:
    properties = container.get_metadata()
    title, page = properties.title, properties.codepage
    if not isinstance(title, bytes):
        return None
    encoding = known_encoding("utf-8" if page == 65001 else f"cp{page}") or "cp1252"
    return one_line(title.decode(encoding, "replace"))


def _parts(container: Any) -> list[str]:
    """The eight texts that lie behind each other: main, footnotes, headers, macros, comments, endnotes, boxes, ..."""
    head = container.openstream("WordDocument").read()
    (identifier,), (flags,) = struct.unpack_from("<H", head), struct.unpack_from("<H", head, 10)
    if identifier == _WORD_97:
        table = container.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
        places = _pieces(table, *struct.unpack_from("<II", head, 0x1A2))
        text = "".join(_decode_97(head, *piece) for piece in places)
        return list(_divided(text, struct.unpack_from("<8I", head, 0x4C)))
    if identifier not in _WORD_6:
        raise ValueError("neither Word 97 nor Word 6")
    begin, end = struct.unpack_from("<II", head, 0x18)
    fast_saved = flags & _COMPLEX
    pieces = _pieces(head, *struct.unpack_from("<II", head, 0x160)) if fast_saved else [(begin, end - begin)]
    raw = b"".join(head[place : place + count] for place, count in pieces)
    encoding = guess_encoding(raw)  # what it says of its language is that of the program
    return [part.decode(encoding, "replace") for part in _divided(raw, struct.unpack_from("<8I", head, 0x34))]


def _divided(whole: _Text, counts: Iterable[int]) -> Iterator[_Text]:
    start = 0
    for count in counts:
        yield whole[start : start + count]
        start += count


def _pieces(data: bytes, offset: int, length: int) -> Iterator[tuple[int, int]]:
    """Offset as it is written (with its sign of eight bits) and number of characters of each piece."""
    table = data[offset : offset + length]
    at = 0
    while table[at] == _PROPERTIES:
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    if table[at] != _PIECES:
        raise ValueError("no piece table")
    (size,) = struct.unpack_from("<I", table, at + 1)
    count = (min(size, len(table) - at - 5) - 4) // 12
    bounds = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    first = at + 5 + 4 * (count + 1)
    for number in range(count):
        (place,) = struct.unpack_from("<I", table, first + 8 * number + 2)
        yield place, max(0, bounds[number + 1] - bounds[number])


def _decode_97(head: bytes, place: int, count: int) -> str:
    if place & _EIGHT_BIT:
        start = (place & ~_EIGHT_BIT) // 2
        return head[start : start + count].decode("cp1252", "replace")
    return head[place : place + 2 * count].decode("utf-16-le", "replace")


def _plain(text: str) -> str:
    """Results of fields without their instructions; what only marks a place is left out."""
    kept: list[str] = []
    reading = [True]  # of the text around, of each open field
    for part in re.split("([\x13-\x15])", text):
        if part == _FIELD_BEGIN:
            reading.append(False)
        elif part == _FIELD_RESULT:
            reading[-1] = len(reading) == 1 or reading[-2]
        elif part == _FIELD_END:
            if len(reading) > 1:
                reading.pop()
        elif reading[-1]:
            kept.append(part)
    return _MARKS.sub("", "".join(kept)).translate(_WRITTEN)


def _write(text: str, builder: TextBuilder) -> None:
    """Cells end with a mark, and so do rows: an empty cell behind the last one."""
    *cells, behind = text.split(_CELL)
    rows: list[Row] = []
    at = columns = 0
    while at < len(cells):
        ahead, _, first = cells[at].rpartition("\r")
        if ahead or not rows:
            _write_table(rows, builder)
            rows, columns = [], 0
            _write_paragraphs(ahead, builder)
        columns = _count_columns(cells, at, columns)
        row = [first, *cells[at + 1 : at + columns]]
        rows.append(Row(Cell(cell.replace("\r", " ")) for cell in row))
        at += columns + 1
    _write_table(rows, builder)
    _write_paragraphs(behind, builder)


def _count_columns(cells: list[str], at: int, before: int) -> int:
    """
    As many as the row before has, if it ends there; else as many as let all rows up to the table's end be equally long
    (cells that were merged stay, empty); else up to the first end behind which another row ends alike.
    """
    if before and _is_end(cells, at + before):
        return before
    ends = [count for count in range(1, _MOST_COLUMNS) if _is_end(cells, at + count)]
    for fits in (_fits_all, _fits_next):
        for count in ends:
            if fits(cells, at, count):
                return count
    return ends[0] if ends else min(_MOST_COLUMNS, len(cells) - at)


def _fits_all(cells: list[str], at: int, count: int) -> bool:
    rows = 0
    for place in range(at, min(len(cells), at + _MOST_CELLS), count + 1):
        if rows and "\r" in cells[place]:
            break  # paragraphs lie behind the table
        if not _is_end(cells, place + count):
            return False
        rows += 1
    return rows > 1


def _fits_next(cells: list[str], at: int, count: int) -> bool:
    following = at + count + 1
    return following < len(cells) and ("\r" in cells[following] or _is_end(cells, following + count))


def _is_end(cells: list[str], place: int) -> bool:
    return place < len(cells) and not cells[place]


def _write_table(rows: list[Row], builder: TextBuilder) -> None:
    builder.lines(table_lines(rows))


def _write_paragraphs(text: str, builder: TextBuilder) -> None:
    for paragraph in text.split("\r"):
        builder.block(paragraph)
