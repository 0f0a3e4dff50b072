"""Numbers as a sheet shows them; slides in the order in which people read them."""

import datetime
import io

import pytest

from indexing.convert.sheets import convert_xlsx
from indexing.convert.sheets.formats import show_number
from indexing.convert.slides import convert_pptx


@pytest.mark.parametrize(
    ("value", "code", "right"),
    [
        (0.475, "0.0%", "47.5%"), (1454, "00000", "01454"), (36.5 / 24, "[h]:mm", "36:30"), (1250, '"$"#,##0', "$1,250"),  # noqa: E501
        (1250.5, "[$€-407] #,##0.00", "€ 1,250.50"), (0.8, "General", "0.8"), (0.1 + 0.2, "General", "0.3"),
        (44561, "dd.mm.yyyy", "31.12.2021"), (44561.75, "yyyy-mm-dd h:mm", "2021-12-31 18:00"), (-5, "0;(0)", "(5)"),
        (44561.5, "d mmm yyyy h:mm AM/PM", "31 Dec 2021 12:00 PM"), (5551234, "000-0000", "555-1234"),
        (1.25, "# ?/?", "1 1/4"), (12345.678, "0.00E+00", "1.23E+04"), (1234567, '#,##0.0,,"M"', "1.2M"),
        (0, '0;-0;"none"', "none"), (12, '[>10]"many";"few"', "many"), (5, '0" pcs"', "5 pcs"),
    ],
)  # fmt: skip
def test_numbers_as_they_are_shown(value, code, right):
    assert show_number(value, code) == right


def _book(fill) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    fill(book, book.active)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def test_merged_headings_hidden_rows_notes_and_formulas():
    from openpyxl.comments import Comment

    def fill(book, sheet):
        for row in (
            ["Region", "Sales", None],
            [None, 2024, 2023],
            ["Husum", 1, 2],
            ["Hooge", 3, 4],
            ["All", "=SUM(B3:B4)"],
        ):
            sheet.append(row)
        sheet.merge_cells("A1:A2")
        sheet.merge_cells("B1:C1")
        sheet["B3"].comment = Comment("estimated", "me")
        sheet.row_dimensions[4].hidden = True
        book.create_sheet("Lookup").sheet_state = "hidden"

    page = convert_xlsx(_book(fill))
    assert page.text.split("\n")[2:] == [
        "Region | Sales 2024 | Sales 2023", "Region: Husum; Sales 2024: 1; Sales 2023: 2",
        "Region: All; Sales 2024: =SUM(B3:B4)", "", "Note on B3: estimated",
    ]  # fmt: skip
    assert page.notes == [
        "hidden, left out: sheets Lookup; 1 rows (setting hidden: read)",
        "formulas that no program has computed, read as formulas: 1",
    ]
    assert (page.page_kind, page.page_labels) == ("sheet", ["Sheet"])
    assert "Hooge" in convert_xlsx(_book(fill), read_hidden=True).text


def test_tables_below_each_other_keep_their_own_names():
    def fill(book, sheet):
        for row in (["Island", "Beds"], ["Hooge", 9], [], ["Ferry", "Cars", "Price"], ["Hilligenlei", 40, 12.5]):
            sheet.append(row)

    text = convert_xlsx(_book(fill)).text
    assert "Island: Hooge; Beds: 9\n\nFerry | Cars | Price\nFerry: Hilligenlei; Cars: 40; Price: 12.5" in text


def test_dates_and_times_of_openpyxl():
    def fill(book, sheet):
        sheet.append(["When", "How long"])
        sheet.append([datetime.date(2021, 5, 1), datetime.timedelta(hours=36, minutes=30)])

    assert convert_xlsx(_book(fill)).text.endswith("When: 2021-05-01; How long: 36:30:00")


def _show(fill) -> bytes:
    from pptx import Presentation

    show = Presentation()
    fill(show, show.slides.add_slide(show.slide_layouts[6]))
    packed = io.BytesIO()
    show.save(packed)
    return packed.getvalue()


def _box(slide, text: str, left: float, top: float):
    from pptx.util import Inches

    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(1))
    shape.text_frame.text = text
    return shape


def test_shapes_are_read_from_top_to_bottom_and_left_to_right():
    def fill(show, slide):
        _box(slide, "last", 1, 4)
        _box(slide, "right", 5, 1)
        _box(slide, "left", 1, 1.1)

    assert convert_pptx(_show(fill)).text == "left\n\nright\n\nlast"


def test_hidden_slides_keep_their_number_and_are_told():
    def fill(show, slide):
        slide._element.set("show", "0")
        _box(slide, "hidden words", 1, 1)
        _box(show.slides.add_slide(show.slide_layouts[6]), "shown", 1, 1)

    page = convert_pptx(_show(fill))
    assert page.text == "\fshown"
    assert page.page_kind == "slide"
    assert page.notes == ["hidden slides left out: 1 (setting hidden: read)"]
    assert "hidden words" in convert_pptx(_show(fill), read_hidden=True).text


def test_equal_ids_and_numbered_points_lose_nothing():
    def fill(show, slide):
        first, second = _box(slide, "Pay", 1, 1), _box(slide, "Clean", 1, 3)
        for shape in (first, second):
            shape._element.nvSpPr.cNvPr.set("id", "7")
        properties = first.text_frame.paragraphs[0]._p.get_or_add_pPr()
        properties.append(properties.makeelement("{http://schemas.openxmlformats.org/drawingml/2006/main}buAutoNum",
                                                 {"type": "arabicPeriod"}))  # fmt: skip

    assert convert_pptx(_show(fill)).text == "1. Pay\n\nClean"
