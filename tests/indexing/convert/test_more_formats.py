"""The other formats: text, titles, tables, numbers of lists; what is no file of theirs is refused."""

import io
import random
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook
from pptx import Presentation
from reportlab.pdfgen.canvas import Canvas

from indexing.convert.dispatch import _CONVERTERS, Options, convert
from indexing.convert.extracted import Refusal
from indexing.convert.kinds import MIME_TYPES, kind_of
from indexing.convert.ocr import recognise, text_of
from indexing.convert.pool import ConverterPool, Limits
from tests.indexing.convert.made import PLACE, opendocument, samples
from tests.indexing.ole import outlook_message

ALL = Options(archives=True)


@pytest.mark.parametrize("name", samples())
def test_each_format_is_told_and_read(name):
    pages = convert(samples()[name], name[1:], ALL)
    assert any(PLACE in page.text for page in pages)


def test_every_kind_has_a_converter_and_a_type():
    assert set(MIME_TYPES) == set(_CONVERTERS)


def test_opendocument_text():
    styles = (
        '<style:style style:name="T"><style:text-properties style:text-position="super 58%"/></style:style>'
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" '
        'style:num-suffix="."/></text:list-style>'
    )
    row = "<table:table-row>" + "<table:table-cell><text:p>{}</text:p></table:table-cell>" * 2 + "</table:table-row>"
    body = (
        '<text:h text:outline-level="1">Head</text:h><text:p>10<text:span text:style-name="T">23</text:span><text:s/>m'
        "<text:note><text:note-body><text:p>Foot.</text:p></text:note-body></text:note></text:p>"
        '<text:list text:style-name="L"><text:list-item><text:p>one</text:p></text:list-item><text:list-item><text:p>two'  # noqa: E501
        "</text:p></text:list-item></text:list><table:table>"
        + row.format("Island", "Beds") + row.format("Hooge", "900") + "</table:table>"
    )  # fmt: skip
    page = convert(opendocument("text", body, styles), ".odt")[0]
    assert page.title == "Head"
    assert page.text.split("\n") == [
        "Head", "", "10^23 m", "1. one", "2. two", "", "Island | Beds", "Island: Hooge; Beds: 900", "", "Foot.",
    ]  # fmt: skip


def test_opendocument_sheets_are_called_by_their_names_and_repeat_in_bounds():
    cell = '<table:table-cell table:number-columns-repeated="16384"/>'
    far = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    row = "<table:table-row><table:table-cell><text:p>Hooge</text:p></table:table-cell></table:table-row>"
    body = f'<table:table table:name="Beds">{row}{far}</table:table>'
    page = convert(opendocument("spreadsheet", body), ".ods")[0]
    assert (page.text, page.page_kind, page.page_labels) == ("Beds\n\nHooge", "sheet", ["Beds"])


def test_rich_text_with_a_table_code_pages_and_powers():
    data = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset204 B;}}\f0 \'e9t\'e9 \u8364? 10{\super 23}\par"
        rb"\trowd\cellx1\cellx2 Island\cell Beds\cell\row\trowd Hooge\cell 900\cell\row\pard {\v no}\f1 \'cf\'f0\'e8\par}"  # noqa: E501
    )
    page = convert(data, ".rtf")[0]
    assert page.text == "été € 10^23\n\nIsland | Beds\nIsland: Hooge; Beds: 900\n\nПри"


def test_latex_as_it_is_printed():
    source = (
        r"\title{My \emph{paper}}\begin{document}\section{One} Text, $x^{23}$, 5\% caf\'e --- ``so'' \cite{k}. % no"
        "\n\n\\begin{tabular}{ll}Island & Beds \\\\ Hooge & 900\\end{tabular}\n\n"
        r"\begin{enumerate}\item Pay \item \textbf{Clean}\end{enumerate}\end{document}"
    )
    page = convert(source.encode(), ".tex")[0]
    assert page.title == "My paper"
    assert page.text.split("\n")[4:] == [
        "Text, x^23, 5% café — “so” .", "", "Island | Beds", "Island: Hooge; Beds: 900", "", "1. Pay", "2. Clean",
    ]  # fmt: skip


def test_old_sheets_are_read_and_damaged_ones_refused():
    with pytest.raises(Refusal) as refused:
        convert(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), ".xls")
    assert refused.value.reason == "damaged"


def test_a_show_whose_workbook_is_stored_uncompressed_is_a_show():
    import zipfile

    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        for number in range(40):
            z.writestr(f"xl/worksheets/sheet{number}.xml", "<x/>")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr(
            "[Content_Types].xml", '<Types><Override ContentType="application/vnd.ms-powerpoint.x.main+xml"/></Types>'
        )
        z.writestr("ppt/presentation.xml", "<x/>")
        z.writestr("ppt/embeddings/book.xlsx", inner.getvalue())
    assert kind_of(packed.getvalue(), ".pptx") == "pptx"


def test_objects_in_opendocument_are_told():
    names = 'xmlns:d="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:x="http://www.w3.org/1999/xlink"'
    held = f'<text:p>Beds</text:p><d:frame {names}><d:object x:href="./Object 1"/></d:frame>'
    (page,) = convert(opendocument("text", held), ".odt")
    assert (page.text, page.notes) == ("Beds", ["embedded objects not read: 1"])


@pytest.fixture
def fake_tesseract(tmp_path, monkeypatch):
    program = tmp_path / "tesseract"
    head = "level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext"
    rows = "5\\t1\\t1\\t1\\t1\\t1\\t10\\t20\\t30\\t12\\t96\\tBuilt\\n5\\t1\\t1\\t1\\t1\\t2\\t50\\t20\\t40\\t12\\t91\\t1907.\\n"  # noqa: E501
    rows += (
        "5\\t1\\t1\\t1\\t2\\t1\\t10\\t40\\t30\\t12\\t12\\t~~\\n5\\t1\\t2\\t1\\t1\\t1\\t10\\t80\\t30\\t12\\t95\\tEnd\\n"
    )
    program.write_text(
        f"#!/bin/sh\nif [ \"$1\" = --list-langs ]; then echo List; echo eng; exit; fi\ncat >/dev/null\nprintf '{head}\\n{rows}'\n"  # noqa: E501
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_pictures_are_recognised_by_the_one_program_that_converters_may_start(fake_tesseract, tmp_path):
    assert text_of(recognise(b"\x89PNG\r\n\x1a\n"))[0] == "Built 1907.\n\nEnd"
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    pool = ConverterPool(1)
    (converted,) = pool.convert([tmp_path / "a.png"])
    pool.close()
    assert converted.page is not None and converted.page.text == "Built 1907.\n\nEnd"
    assert converted.page.layout is not None


def test_without_the_program_a_picture_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refusal, match="install tesseract, or set `ocr: off`"):
        convert(b"\x89PNG\r\n\x1a\n", ".png")


def test_limits_grow_with_the_file():
    limits = Limits(seconds=30.0)
    assert limits.seconds_for(10_000) < 31
    assert limits.seconds_for(10_000_000) > 120
    assert limits.seconds_for(10**12) == 600


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, cut, doubled or moved."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(made) + 1)
        how = rng.randrange(5)
        if how == 0 and made:
            made[place % len(made)] = rng.randrange(256)
        elif how == 1:
            del made[place : place + rng.randint(1, 40)]
        elif how == 2:
            made[place:place] = made[max(0, place - 30) : place]
        elif how == 3:
            made[place:place] = rng.choice([b"\0", b"<", b"\xff\xfe", b"{" * 20, b"999999999", b"&#x0;", b"\\", b'"'])
        else:
            made = made[: max(1, place)]
    return bytes(made) or b"x"


def mutate_inside(data: bytes, rng: random.Random) -> bytes:
    """One part of a package changed: bytes changed outside are mostly seen by the ZIP's own checksums."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(packed, "w") as changed:
        chosen = rng.choice([name for name in whole.namelist() if name.endswith((".xml", ".rels"))])
        for name in whole.namelist():
            part = whole.read(name)
            changed.writestr(name, mutate(part, rng) if name == chosen else part)
    return packed.getvalue()


def binary_samples() -> dict[str, bytes]:
    """A file of each format that a library writes, every one with `PLACE` in it."""
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = PLACE
    slide.shapes.add_table(2, 2, 0, 0, 900_000, 900_000).table.cell(1, 1).text = "900"
    workbook = Workbook()
    workbook.active.append(["Built", "What"])
    workbook.active.append([1907, PLACE])
    page = io.BytesIO()
    canvas = Canvas(page)
    canvas.drawString(72, 700, PLACE)
    canvas.save()
    return {
        "a.pptx": saved(presentation),
        "a.xlsx": saved(workbook),
        "a.pdf": page.getvalue(),
        "a.msg": outlook_message("Ferry", PLACE),
    }


def saved(made: Any) -> bytes:
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("count", [6, pytest.param(150, marks=pytest.mark.slow)])
def test_mutated_files_end_in_text_or_a_reason_and_neighbours_are_whole(count, tmp_path):
    rng = random.Random(13)
    whole = {**samples(), **binary_samples()}
    for name, data in whole.items():
        (tmp_path / f"good-{name}").write_bytes(data)
        inside = name.endswith(("x", ".odt", ".epub")) and data.startswith(b"PK")
        for number in range(count):
            broken = mutate_inside(data, rng) if inside and number % 2 else mutate(data, rng)
            (tmp_path / f"bad-{number:03}-{name}").write_bytes(broken)
    pool = ConverterPool(2, Limits(seconds=20.0), ALL)
    results = list(pool.convert(sorted(tmp_path.iterdir())))
    pool.close()
    crashed = [(item.path, item.reason) for item in results if item.reason in ("crashed", "timeout", "memory")]
    assert not crashed
    assert all(item.page is not None or item.reason for item in results)
    good = [item for item in results if "/good-" in item.path]
    assert len(good) == len(whole)
    assert all(any(PLACE in page.text for page in (item.page, *item.members)) for item in good)
