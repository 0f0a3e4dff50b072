"""PDFs are read as a person reads them: columns, words, paragraphs, running heads, tables, forms, layers."""

import pytest

from components.page_layout import PageLayout
from indexing.convert.extracted import Refusal
from indexing.convert.ocr import SeenWord
from indexing.convert.pdf import convert_pdf
from indexing.convert.pdf.hyphens import Vocabulary
from tests.indexing.pdf.raw import line, raw_pdf

LEFT = ["The lighthouse was", "built in the year", "of the great flood."]
RIGHT = ["Its keeper left the", "island with his dog", "a long time after."]


TABLE = [
    ["Island", "Area", "People"],
    ["Hooge", "5.78 km2", "94"],
    ["Langeness", "9.56 km2", "118"],
    ["Oland", "2.01 km2", "16"],
]


def cells(table, width, height):
    places = ((r, c, cell) for r, row in enumerate(table) for c, cell in enumerate(row))
    return "".join(line(cell, 55 + width * c, 685 - height * r) for r, c, cell in places)


def flat(data: bytes) -> str:
    return " ".join(convert_pdf(data).text.split())


def rows(lines, x=50.0, top=700.0, size=12.0):
    return "".join(line(text, x, top - 1.2 * size * number, size) for number, text in enumerate(lines))


@pytest.mark.parametrize("interleaved", [True, False])
def test_two_columns_however_the_file_was_written(interleaved):
    pieces = [
        line(a, 50, 700 - 14 * n) + line(b, 320, 700 - 14 * n) for n, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True))
    ]
    content = "".join(pieces) if interleaved else rows(LEFT) + rows(RIGHT, 320)
    text = flat(raw_pdf(content))
    assert " ".join(LEFT + RIGHT) == text


def test_a_heading_over_both_columns_stays_above_them():
    content = (
        line("A history of the lighthouse of Norderoog and of its keepers", 50, 760, 14) + rows(LEFT) + rows(RIGHT, 320)
    )
    text = flat(raw_pdf(content))
    assert text.startswith("A history of the lighthouse of Norderoog and of its keepers The lighthouse")
    assert text.endswith(" ".join(LEFT + RIGHT))


def test_names_and_values_side_by_side_are_no_columns():
    pairs = [("Tenant", "Maike Brodersen"), ("Landlord", "Jens Wand"), ("Rent", "$1,250"), ("Deposit", "$2,500")]
    content = "".join(line(a, 50, 700 - 20 * n) + line(b, 320, 700 - 20 * n) for n, (a, b) in enumerate(pairs))
    text = convert_pdf(raw_pdf(content)).text
    assert text.split("\n") == ["Tenant: Maike Brodersen", "Landlord: Jens Wand", "Rent: $1,250", "Deposit: $2,500"]


def test_no_paragraph_ends_in_mid_sentence():
    content = (
        line("The keeper wrote down", 50, 700)
        + line("what he had seen at sea.", 50, 665)
        + line("Then he slept.", 50, 625)
    )
    assert convert_pdf(raw_pdf(content)).text == "The keeper wrote down\nwhat he had seen at sea.\n\nThen he slept."


def test_an_indented_line_begins_a_paragraph():
    content = rows(["One sentence ends here in the line.", "   "]) + line("Another begins.", 70, 685.6)
    assert convert_pdf(raw_pdf(content)).text == "One sentence ends here in the line.\n\nAnother begins."


@pytest.mark.parametrize(
    ("head", "tail", "seen", "kept"),
    [
        ("two-", "column", [], True),
        ("light-", "house", [], False),
        ("infor-", "mation", [], False),
        ("Anglo-", "Saxon", [], True),
        ("1939-", "45", [], True),
        ("apt-", "get", [], True),
        ("sub-", "directory", [], False),
        ("state-of-the-", "art", [], True),
        ("Hallig-", "haus", ["Ein Hallighaus steht"], False),
        ("flux-", "capacitor", ["the flux-capacitor burns"], True),
        ("soft\u00ad", "ware", [], False),
    ],
)
def test_a_hyphen_stays_where_it_belongs_to_the_word(head, tail, seen, kept):
    vocabulary = Vocabulary()
    vocabulary.add(seen)
    assert vocabulary.keeps_hyphen(head, tail) is kept


def test_divided_words_are_whole_also_over_columns_and_pages():
    text = flat(raw_pdf(rows(["We like the light-", "house and two-", "column pages."])))
    assert text == "We like the lighthouse and two-column pages."
    columns = rows(["The lighthouse was", "built in the year", "of the great infor-"]) + rows(
        ["mation as its keeper", "left the island with", "his dog long after."], 320
    )
    assert "the great information as its keeper" in flat(raw_pdf(columns))
    extracted = convert_pdf(raw_pdf(line("They gave us infor-", 50, 700), line("mation about it.", 50, 700)))
    assert extracted.text == "They gave us information\fabout it."
    start = extracted.text.index("information")
    words = PageLayout(extracted.layout).between(start, start + len("information"))
    assert [(word.page, extracted.text[word.start : word.end]) for word in words] == [(1, "infor"), (2, "mation")]


@pytest.mark.parametrize(
    "label",
    [lambda n: f"Page {n} of 5", lambda n: ["i", "ii", "iii", "iv", "v"][n - 1], lambda n: f"12-{232 + n}"],
    ids=["Page 3 of 5", "iii", "12-235"],
)
def test_running_heads_and_page_numbers_leave_the_text(label):
    pages = [
        line("The Halligen Manual", 50, 770, 9) + line(f"Words of page {number} go on and", 50, 700)
        + line("the keeper sleeps", 50, 685) + line(label(number), 280, 20, 9)
        for number in range(1, 6)
    ]  # fmt: skip
    extracted = convert_pdf(raw_pdf(*pages))
    assert "Halligen Manual" not in extracted.text
    assert extracted.text.split("\f")[2] == "Words of page 3 go on and\nthe keeper sleeps"
    expected = [label(number).removeprefix("Page ").removesuffix(" of 5") for number in range(1, 6)]
    assert [page.label for page in PageLayout(extracted.layout).pages] == expected
    assert any("The Halligen Manual" in note for note in extracted.notes)


def test_what_stands_at_the_edge_of_one_page_alone_stays():
    pages = [line(text, 50, 770) for text in ("The first one", "Nothing alike", "A third of them", "12 men came")]
    assert convert_pdf(raw_pdf(*pages)).text == "The first one\fNothing alike\fA third of them\f12 men came"


def test_a_ruled_table_reads_like_those_of_other_formats():
    content = cells(TABLE, 120, 16)
    extracted = convert_pdf(raw_pdf(content))
    assert extracted.text.split("\n")[1] == "Island: Hooge; Area: 5.78 km2; People: 94"
    start = extracted.text.index("9.56")
    words = PageLayout(extracted.layout).between(start, start + 4)
    assert [round(word.x0) for word in words] == [175]
    assert 100 < words[0].y0 < 150


def test_a_list_is_no_table():
    items = ["Pay the rent on time.", "Keep the house clean.", "Tell us about damage."]
    content = "".join(line(f"{n}.", 50, 700 - 15 * n) + line(item, 90, 700 - 15 * n) for n, item in enumerate(items, 1))
    assert convert_pdf(raw_pdf(content)).text.split("\n") == [f"{n}. {item}" for n, item in enumerate(items, 1)]


@pytest.mark.parametrize(
    ("ahead", "rise", "small", "behind", "expected"),
    [
        ("There are 10", 7, "23", " of them", "There are 10^23 of them"),
        ("H", -3, "2", "O is water", "H2O is water"),
        ("The 1", 5, "st", " of May", "The 1st of May"),
        ("an area of 5 m", 5, "2", ".", "an area of 5 m^2."),
        ("a charge of 10", 5, "-19", " coulombs", "a charge of 10^-19 coulombs"),
    ],
)
def test_what_is_raised_is_told(ahead, rise, small, behind, expected):
    shown = f"({ahead}) Tj {rise} Ts /F1 7 Tf ({small}) Tj 0 Ts /F1 12 Tf ({behind}) Tj"
    assert convert_pdf(raw_pdf(f"BT /F1 12 Tf 50 700 Td {shown} ET")).text == expected


def test_values_of_a_form_and_free_text_stand_beside_their_labels():
    field = "<</Type/Annot/Subtype/Widget/FT/Tx/T(t)/V(Maike Brodersen)/Rect[100 690 300 710]/F 4>>"
    ticked = (
        "<</Type/Annot/Subtype/Widget/FT/Btn/T(c)/V/Yes/AS/Yes/Rect[150 660 162 672]/F 4"
        "/AP<</N<</Yes 104 0 R/Off 104 0 R>>>>>>"
    )
    remark = "<</Type/Annot/Subtype/FreeText/Contents(Paid in full)/Rect[100 600 300 620]/DA(/F1 12 Tf)>>"
    comment = "<</Type/Annot/Subtype/Text/Contents(secret thought)/Rect[10 10 20 20]>>"
    hidden = "<</Type/Annot/Subtype/FreeText/Contents(not to be seen)/Rect[100 500 300 520]/F 2>>"
    empty = "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>stream\n\nendstream"
    content = line("Tenant:", 50, 696) + line("No pets", 50, 663)
    extracted = convert_pdf(
        raw_pdf(
            content,
            page_extra="/Annots[100 0 R 101 0 R 102 0 R 103 0 R 105 0 R]",
            objects=(field, ticked, remark, comment, empty, hidden),
            catalog="/AcroForm<</Fields[100 0 R 101 0 R]>>",
        )
    )
    assert " ".join(extracted.text.split()) == "Tenant: Maike Brodersen No pets [x] Paid in full"
    assert extracted.notes == ["comments on its pages are left out"]


def test_a_hidden_layer_is_not_read():
    content = line("Seen by all.", 50, 700) + "/OC /L0 BDC\n" + line("The draft price was 900.", 50, 650) + "EMC\n"
    layer = "<</Type/OCG/Name(Drafts)>>"
    for off, read in (("/OFF[100 0 R]", False), ("", True)):
        catalog = f"/OCProperties<</OCGs[100 0 R]/D<</Order[100 0 R]{off}>>>>"
        pdf = raw_pdf(content, objects=(layer,), catalog=catalog, resources="/Properties<</L0 100 0 R>>")
        extracted = convert_pdf(pdf)
        assert "Seen by all." in extracted.text
        assert ("900" in extracted.text) is read
        assert any("hidden layers" in note for note in extracted.notes) is not read


def test_a_watermark_is_noted_not_read():
    mark = "BT /F1 60 Tf 0.707 0.707 -0.707 0.707 150 250 Tm (DRAFT) Tj ET\n"
    extracted = convert_pdf(raw_pdf(line("The rent is due.", 50, 700) + mark))
    assert extracted.text == "The rent is due."
    assert extracted.notes == ["watermark left out: DRAFT"]


def scan() -> bytes:
    picture = "q 600 0 0 800 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x80 EI Q\n"
    return raw_pdf(picture)


def test_a_scan_without_tesseract_says_what_to_do(monkeypatch):
    monkeypatch.setattr("indexing.convert.pdf.document.tesseract", lambda: None)
    with pytest.raises(Refusal, match=r"^no text: only pictures on 1 page: install tesseract, or set `ocr: off`$"):
        convert_pdf(scan())
    with pytest.raises(Refusal, match=r"^no text: only pictures on 1 page: ocr is off$"):
        convert_pdf(scan(), ocr=False)


def test_a_scan_is_recognised_with_the_place_of_its_words(monkeypatch):
    seen = [SeenWord("Seen", 100, 200, 80, 40, (1, 1), 1), SeenWord("words", 200, 200, 120, 40, (1, 1), 1)]
    monkeypatch.setattr("indexing.convert.pdf.document.tesseract", lambda: "tesseract")
    monkeypatch.setattr("indexing.convert.pdf.pictures.recognise", lambda picture, dots_per_inch: seen)
    extracted = convert_pdf(scan())
    assert extracted.text == "Seen words"
    assert extracted.notes == ["text of 1 page recognised by tesseract"]
    words = PageLayout(extracted.layout).words(1)
    assert [round(value, 1) for value in words[0][3:7]] == [24.0, 48.0, 43.2, 57.6]  # 300 dots are 72 points


def test_text_turned_by_a_quarter_is_read_whole():
    turned = "BT /F1 12 Tf 0 1 -1 0 300 100 Tm (Turned words run up) Tj ET\n"
    assert flat(raw_pdf(line("Upright.", 50, 700) + turned)) == "Upright. Turned words run up"
