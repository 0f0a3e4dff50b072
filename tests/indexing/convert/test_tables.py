"""One grid reads the same in every format, and each value stands beside the names of its row and column."""

import io

import pytest

from indexing.convert.sheets import convert_xlsx
from indexing.convert.slides import convert_pptx
from indexing.convert.table_text import convert_csv, write_table
from indexing.convert.tables import Cell, expand, table_lines
from indexing.convert.web import convert_html
from indexing.convert.word import convert_docx

GRID = [
    ["Island", "Spring", "Summer", "Autumn"],
    ["Hooge", "11", "12", "13"],
    ["Langeness", "21", "22", "23"],
    ["Oland", "31", "32", "33"],
]
LINES = (
    "Island | Spring | Summer | Autumn\n"
    "Island: Hooge; Spring: 11; Summer: 12; Autumn: 13\n"
    "Island: Langeness; Spring: 21; Summer: 22; Autumn: 23\n"
    "Island: Oland; Spring: 31; Summer: 32; Autumn: 33"
)


def _csv(rows: list[list[str]]) -> str:
    return convert_csv("\n".join(";".join(row) for row in rows).encode()).text


def _html(rows: list[list[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return convert_html(f"<table>{body}</table>".encode()).text


def _docx(rows: list[list[str]]) -> str:
    import docx

    document = docx.Document()
    table = document.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    return _saved(document, convert_docx)


def _pptx(rows: list[list[str]]) -> str:
    import pptx
    from pptx.util import Inches

    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    table = slide.shapes.add_table(len(rows), len(rows[0]), Inches(1), Inches(1), Inches(6), Inches(3)).table
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            table.cell(y, x).text = text
    return _saved(show, convert_pptx)


def _xlsx(rows: list[list[str]]) -> str:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    return _saved(book, convert_xlsx).removeprefix("Sheet\n\n")


def _saved(document, convert) -> str:
    packed = io.BytesIO()
    document.save(packed)
    return convert(packed.getvalue()).text


FORMATS = [_csv, _html, _docx, _pptx, _xlsx]


@pytest.mark.parametrize("convert", FORMATS)
def test_one_grid_comes_out_the_same_in_every_format(convert):
    assert convert(GRID) == LINES


@pytest.mark.parametrize("convert", FORMATS)
def test_a_form_keeps_each_value_beside_its_name(convert):
    rows = [["Landlord", "Jens Wand"], ["Tenant", "Maike Brodersen"], ["Begins", "May"]]
    assert convert(rows) == "Landlord: Jens Wand\nTenant: Maike Brodersen\nBegins: May"


@pytest.mark.parametrize("convert", FORMATS)
def test_a_single_row_has_the_names_of_its_columns(convert):
    assert convert([["Island", "Beds", "Ferry"], ["Hooge", "900", "daily"]]).endswith(
        "Island: Hooge; Beds: 900; Ferry: daily"
    )


@pytest.mark.parametrize("convert", FORMATS)
def test_years_name_columns(convert):
    assert convert([["region", "2023", "2024"], ["Husum", "10", "20"]]).endswith("region: Husum; 2023: 10; 2024: 20")


@pytest.mark.parametrize("convert", FORMATS)
def test_a_title_above_the_names_of_the_columns_is_none_of_them(convert):
    rows = [["Guests of the season", "", ""], ["Island", "Beds", "Ferry"], ["Oland", "40", "none"]]
    assert convert(rows) == "Guests of the season\nIsland | Beds | Ferry\nIsland: Oland; Beds: 40; Ferry: none"


def test_two_rows_of_names_are_joined():
    rows = [
        ["", "Sales", "", "Costs", ""],
        ["Region", "2024", "2023", "2024", "2023"],
        ["Husum", "10", "11", "12", "13"],
    ]
    assert write_table(None, rows).endswith(
        "Region: Husum; Sales 2024: 10; Sales 2023: 11; Costs 2024: 12; Costs 2023: 13"
    )


def test_a_column_without_a_name_labels_its_rows():
    assert write_table(None, [["", "2023", "2024"], ["Hooge", "1", "2"]]) == "2023 | 2024\nHooge: 2023: 1; 2024: 2"


def test_merged_cells_are_said_with_every_row_and_column_they_cover():
    rows = [
        [Cell("Region", header=True), Cell("Island", header=True), Cell("May", header=True), Cell("June", header=True)],
        [Cell("North", rows=2), Cell("Hooge"), Cell("1"), Cell("2")],
        [Cell("Oland"), Cell("closed", columns=2)],
    ]
    assert list(table_lines(expand(rows)))[1:] == [
        "Region: North; Island: Hooge; May: 1; June: 2",
        "Region: North; Island: Oland; May: closed; June: closed",
    ]


def test_a_cell_over_the_whole_width_stands_alone():
    rows = [*([Cell(text) for text in row] for row in GRID[:2]), [Cell("Season of 2021", columns=4)]]
    assert list(table_lines(expand(rows)))[-1] == "Season of 2021"


def test_a_wide_row_becomes_lines_that_each_begin_with_its_label():
    names = ["Station", *(f"Measure {n}" for n in range(40))]
    lines = write_table([names], [["Husum", *(f"{n}.5 mm" for n in range(40))]]).split("\n")[1:]
    assert len(lines) > 2
    assert all(line.startswith("Station: Husum; Measure ") and len(line) < 400 for line in lines)
    assert "Measure 39: 39.5 mm" in lines[-1]


def test_pairs_side_by_side_are_divided():
    assert write_table(None, [["Name:", "Maike", "Date:", "May"], ["Town:", "Husum", "Rent:", "12"]]).split("\n") == [
        *("Name: Maike", "Date: May", "Town: Husum", "Rent: 12")
    ]


def test_rows_without_names_get_none():
    assert write_table(None, [["Anna", "Husum", "1950"], ["Ben", "Hooge", "1951"]]) == (
        "Anna | Husum | 1950\nBen | Hooge | 1951"
    )
    assert write_table([], [["a", "b"], ["c", "d"]]) == "a: b\nc: d"


def test_a_heading_printed_again_is_said_once():
    assert write_table(None, [*GRID, *GRID[:1]]) == LINES


def test_hostile_spans_stay_small():
    rows = [[Cell("x" * 500, columns=1000, rows=60000)] for _ in range(100)]
    assert sum(map(len, table_lines(expand(rows)))) < 200_000


@pytest.mark.parametrize(
    "data, right",
    [
        (b'"Name, first";Beds\n"Brodersen, Maike";12\n"Wand, Jens";30\n', "Name, first: Wand, Jens; Beds: 30"),
        (b"sep=;\nitem;price, net\nbell;1,5\n", "item: bell; price, net: 1,5"),
        (b'name,size\nscreen,5" wide\npipe,3" bore\n', 'name: pipe; size: 3" bore'),
        (b'name,note\nA,"two\nlines"\nB,x\n', "name: A; note: two lines"),
        (b'name,note\nA,"open\nB,1\nC,2\nD,3\n', "name: D; note: 3"),
        ("\ufeffname|beds\nHooge|9\n".encode(), "name: Hooge; beds: 9"),
        (b"a\tb\tc\n1, 2\t3, 4\t5\n", "a: 1, 2; b: 3, 4; c: 5"),
    ],
)
def test_delimited_text(data, right):
    assert right in convert_csv(data).text.split("\n")


def test_reports_have_groups_dates_and_units_above_an_empty_corner():
    rows = [
        ["", "", "Fiscal", ""],
        ["", "2019", "2018", "2017"],
        ["", "", "(in millions)", ""],
        ["Solutions:", "", "", ""],
        ["Sensors", "914", "918", "814"],
    ]
    assert write_table(None, rows).splitlines()[-2:] == [
        "Solutions:",
        "Sensors: Fiscal 2019 (in millions): 914; Fiscal 2018 (in millions): 918; Fiscal 2017 (in millions): 814",
    ]
    dated = [["", "30 June 2019", "30 June 2018"], ["", "$’000", "$’000"], ["Net profit", "(9,819)", "6,639"]]
    assert (
        write_table(None, dated).splitlines()[-1]
        == "Net profit: 30 June 2019 $’000: (9,819); 30 June 2018 $’000: 6,639"
    )
    grouped = [
        ["", "Domestic", "", "Abroad", ""],
        ["", "2019", "2018", "2019", "2018"],
        ["Discount rate", "4.00%", "3.75%", "1.90%", "2.80%"],
    ]
    assert write_table(None, grouped).splitlines()[-1] == (
        "Discount rate: Domestic 2019: 4.00%; Domestic 2018: 3.75%; Abroad 2019: 1.90%; Abroad 2018: 2.80%"
    )
    noted = [
        ["", "Year Ended June 30,", "", ""],
        ["($ in millions)", "2019", "2018", "2017 (4)"],
        ["Total sales", "371.5", "364.9", "298.2"],
    ]
    assert write_table(None, noted).splitlines()[-1] == (
        "($ in millions): Total sales; Year Ended June 30, 2019: 371.5; Year Ended June 30, 2018: 364.9; "
        "Year Ended June 30, 2017 (4): 298.2"
    )
