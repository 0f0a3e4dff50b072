"""Office files from before 2007: what is encrypted, or too old, is told by its name; texts are said once."""

import struct
from types import SimpleNamespace

import pytest

from indexing.convert.dispatch import convert
from indexing.convert.extracted import Refusal, TextBuilder
from indexing.convert.kinds import kind_of
from indexing.convert.office import legacy, old_word
from indexing.convert.office.containers import require_readable, with_usual_names
from tests.indexing.ole import compound_file, outlook_message


def word(identifier: int, flags: int = 0) -> bytes:
    return compound_file({"WordDocument": struct.pack("<HHHHHH", identifier, 193, 0, 0, 0, flags)})


def excel(*records: tuple[int, bytes], name: str = "Workbook") -> bytes:
    stream = b"".join(struct.pack("<HH", kind, len(data)) + data for kind, data in records)
    return compound_file({name: stream})


def powerpoint(token: bytes, **others: bytes) -> bytes:
    user = struct.pack("<HHII", 0, 0x0FF6, 32, 20) + token + bytes(16)
    return compound_file({"PowerPoint Document": b"x", "Current User": user, **others})


BEGIN, END, FILE_PASS = (0x809, bytes(16)), (0x0A, b""), (0x2F, bytes(6))
PLAIN, SECRET = b"\x5f\xc0\x91\xe3", b"\xdf\xc4\xd1\xf3"


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (word(0xA5EC), "doc", None),
        (word(0xA5EC, 0x0100), "doc", "an encrypted Word document"),
        (word(0xA5DC), "doc", None),
        (excel(BEGIN, END), "xls", None),
        (excel(BEGIN, FILE_PASS, END), "xls", "an encrypted Excel workbook"),
        (excel(BEGIN, (0x86, b""), FILE_PASS, name="Book"), "xls", "an encrypted Excel workbook"),
        (excel(BEGIN, END, FILE_PASS), "xls", None),  # behind the globals stand other sheets' records
        (powerpoint(PLAIN), "ppt", None),
        (powerpoint(SECRET), "ppt", "an encrypted PowerPoint presentation"),
        (powerpoint(PLAIN, Text_Content=b"x"), "ppt", "a presentation of PowerPoint 95: save it as PPTX"),
        (b"no container", "doc", "not a whole DOC"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_name(data, kind, reason):
    if reason is None:
        require_readable(data, kind)
        return
    with pytest.raises(Refusal) as refused:
        require_readable(data, kind)
    assert refused.value.detail.startswith(reason)


def document_97(pieces: list[tuple[str, bool]], counts: tuple[int, ...]) -> bytes:
    """Word 97: each piece in one byte a character or two, and the table of pieces in a stream of its own."""
    head = bytearray(2048)
    struct.pack_into("<HH", head, 0, 0xA5EC, 193)
    struct.pack_into(f"<{len(counts)}I", head, 0x4C, *counts)
    bounds, places, body = [0], b"", b""
    for text, narrow in pieces:
        start = len(head) + len(body)
        body += text.encode("cp1252" if narrow else "utf-16-le")
        bounds.append(bounds[-1] + len(text))
        places += struct.pack("<HIH", 0, start * 2 | 0x40000000 if narrow else start, 0)
    table = struct.pack(f"<{len(bounds)}I", *bounds) + places
    clx = b"\x01\x02\x00ab\x02" + struct.pack("<I", len(table)) + table
    struct.pack_into("<II", head, 0x1A2, 0, len(clx))
    return compound_file({"WordDocument": bytes(head) + body, "0Table": clx})


def test_a_document_in_two_encodings_with_a_field_and_a_table():
    prose = 'Ferries\rSee \x13HYPERLINK "http://a.b" \x14the list\x15.\r'
    table = "Island\x07Beds\x07\x07Hooge\x07900\x07\x07Oland\x07\x07\x07"
    behind, header = "Ends – здесь\r", "Head\rHead\r"
    counts = (len(prose + table + behind), 0, len(header))
    (page,) = convert(document_97([(prose + table, True), (behind + header, False)], counts), ".doc")
    rows = "Island | Beds\nIsland: Hooge; Beds: 900\nIsland: Oland"
    assert page.text.startswith(f"Ferries\n\nSee the list.\n\n{rows.rpartition('Island')[0]}")
    assert page.text.endswith("Oland\n\nEnds – здесь\n\nHead")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\x07b\x07\x07c\x07d\x07\x07", ["a | b", "c | d"]),
        ("a\x07\x07\x07b\x07c\x07\x07d\x07\x07\x07", ["a", "b | c", "d"]),  # a cell over two columns
        ("a\x07b\x07\x07Then:\rc\x07\x07d\x07\x07", ["a | b", "Then:", "c", "d"]),
        ("a\x07b\x07\x07c\x07\x07", ["a | b", "c"]),  # rows of their own lengths
    ],
)
def test_rows_end_where_an_empty_cell_lets_all_be_as_long(text, lines, monkeypatch):
    monkeypatch.setattr(
        old_word, "table_lines", lambda rows: [" | ".join(c.text for c in row if c.text) for row in rows]
    )
    builder = TextBuilder()
    old_word._write(text, builder)
    assert [line for line in builder.text().split("\n") if line] == lines


def test_word_95_is_read_in_the_likeliest_code_page():
    text = "Компания предлагает со склада в Москве следующие вина".encode("cp1251") + b"\r"
    head = bytearray(2048)
    struct.pack_into("<HHHH", head, 0, 0xA5DC, 104, 0, 0x0409)
    struct.pack_into("<II", head, 0x18, 2048, 2048 + len(text))
    struct.pack_into("<I", head, 0x34, len(text))
    (page,) = convert(compound_file({"WordDocument": bytes(head) + text}), ".doc")
    assert page.text == "Компания предлагает со склада в Москве следующие вина"


@pytest.mark.parametrize("clx", [b"", b"\x03", b"\x02" + b"\xff" * 40, b"\x01\xff\xff"])
def test_a_piece_table_that_lies_is_a_damaged_file(clx):
    head = bytearray(2048)
    struct.pack_into("<HH", head, 0, 0xA5EC, 193)
    struct.pack_into("<8I", head, 0x4C, *[0xFFFFFFFF] * 8)
    struct.pack_into("<II", head, 0x1A2, 0, len(clx))
    with pytest.raises(Refusal):
        convert(compound_file({"WordDocument": bytes(head), "0Table": clx}), ".doc")


def test_a_workbook_in_capitals_is_a_workbook():
    data = excel(BEGIN, END, name="WORKBOOK")
    assert kind_of(data, ".xls") == "xls"
    assert with_usual_names(data) == excel(BEGIN, END, name="Workbook")
    assert with_usual_names(word(0xA5EC)) == word(0xA5EC)


def test_slides_say_each_text_once_and_no_prompts_of_their_master(monkeypatch):
    text = "Ferries\n\nClick to edit Master title style\n\nSecond level\n\nDaily\n\nFerries\n\nSecond level of the dam"
    monkeypatch.setattr(legacy, "_extracted", lambda data, kind: SimpleNamespace(content=text, metadata={}))
    assert legacy.convert_ppt(b"").text == "Ferries\n\nDaily\n\nSecond level of the dam"


def test_a_sheet_shows_days_and_numbers_as_excel_does(monkeypatch):
    cells = [["Day", "Hour", "Depth"], ["1997-10-10 00:00:00", "1997-10-10 12:30:00", "3.4000000000000004"]]
    found = SimpleNamespace(
        content="", metadata={"sheet_names": ["A"]}, tables=[SimpleNamespace(cells=cells, page_number=1)]
    )
    monkeypatch.setattr(legacy, "_extracted", lambda data, kind: found)
    assert "Day: 1997-10-10; Hour: 1997-10-10 12:30:00; Depth: 3.4" in legacy.convert_xls(b"").text


def test_sheets_keep_their_names_and_their_tables_apart(monkeypatch):
    """The second sheet has no cells, and no table; rows come filled up to the width of the sheet."""
    prices = [["Island", "Beds", ""], ["Hooge", "900", ""], ["", "", ""], ["Ferry", "Daily", ""], ["Husum", "3", ""]]
    tables = [SimpleNamespace(cells=prices, page_number=1), SimpleNamespace(cells=[["Oland"]], page_number=3)]
    found = SimpleNamespace(content="", metadata={"sheet_names": ["Beds", "Empty", "More"]}, tables=tables)
    monkeypatch.setattr(legacy, "_extracted", lambda data, kind: found)
    page = legacy.convert_xls(b"")
    assert page.page_labels == ["Beds", "More"]
    assert "Island: Hooge; Beds: 900" in page.text and "Ferry: Husum; Daily: 3" in page.text
    assert page.text.endswith("\fMore\n\nOland")


def test_a_message_in_a_code_page_that_python_names_otherwise():
    import codecs

    convert(outlook_message("Ferry", "Daily"), ".msg")
    assert codecs.lookup("windows-950").name == "cp950"
