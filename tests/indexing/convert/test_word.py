"""DOCX as Word shows it."""

import pytest

from indexing.convert.word import convert_docx
from tests.indexing.convert.made import NAMES, WORD, docx, p


def _number(text: str, depth: int) -> str:
    return p(text, f'<w:pPr><w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr></w:pPr>')


def _numbering(*levels: tuple[str, str]) -> tuple[tuple[str, str, str], ...]:
    made = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for n, (form, text) in enumerate(levels)
    )
    xml = (
        f'<w:numbering {NAMES}><w:abstractNum w:abstractNumId="0">{made}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    return (("numbering.xml", "numbering", xml),)


def test_numbers_of_lists_count_by_level_and_start_again_below_another():
    body = _number("A", 0) + _number("a", 1) + _number("b", 1) + _number("B", 0) + _number("c", 1)
    text = convert_docx(docx(body, _numbering(("upperRoman", "Article %1"), ("lowerLetter", "(%2)")))).text
    assert text.split("\n") == ["Article I A", "(a) a", "(b) b", "Article II B", "(a) c"]


@pytest.mark.parametrize(
    ("runs", "right"),
    [
        (("10", "superscript", "23"), "10^23"),
        (("10", "superscript", "-3"), "10^-3"),
        (("km", "superscript", "2"), "km²"),
        (("1", "superscript", "st"), "1st"),
        (("H", "subscript", "2"), "H2"),
        (("10", "subscript", "2"), "10_2"),
    ],
)
def test_raised_and_lowered_characters(runs, right):
    before, position, text = runs
    run = f'<w:r><w:rPr><w:vertAlign w:val="{position}"/></w:rPr><w:t>{text}</w:t></w:r>'
    assert convert_docx(docx(f"<w:p><w:r><w:t>{before}</w:t></w:r>{run}</w:p>")).text == right


def test_hidden_text_is_left_out_told_and_read_where_that_is_wanted():
    data = docx("<w:p><w:r><w:t>Price. </w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>Floor price</w:t></w:r></w:p>")
    page = convert_docx(data)
    assert page.text == "Price."
    assert "hidden text left out" in page.notes[0]
    assert convert_docx(data, read_hidden=True).text == "Price. Floor price"


def test_prompts_of_empty_fields_are_left_out_and_told():
    empty = "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>"
    filled = f"<w:sdt><w:sdtPr/><w:sdtContent>{p('Jens Wand')}</w:sdtContent></w:sdt>"
    inline = f"<w:p><w:r><w:t>Name: </w:t></w:r>{empty.format('<w:r><w:t>your name</w:t></w:r>')}</w:p>"
    page = convert_docx(docx(inline + empty.format(p("your address")) + filled))
    assert page.text == "Name:\n\nJens Wand"
    assert page.notes == ["empty fields, their prompts left out: 2"]


def test_a_page_ends_once_where_word_notes_a_hard_break_again():
    mark = "<w:p><w:r><w:lastRenderedPageBreak/><w:t>Two</w:t></w:r></w:p>"
    page = convert_docx(docx(p("One") + '<w:p><w:r><w:br w:type="page"/></w:r></w:p>' + mark))
    assert page.text == "One\fTwo"
    assert page.paged


def test_a_break_inside_a_table_ends_the_page_between_its_rows():
    def row(name: str, more: str = "") -> str:
        return f"<w:tr><w:tc><w:p><w:r>{more}<w:t>{name}</w:t></w:r></w:p></w:tc><w:tc>{p('1')}</w:tc></w:tr>"

    table = f"<w:tbl>{row('a')}{row('b', '<w:lastRenderedPageBreak/>')}</w:tbl>"
    assert convert_docx(docx(table)).text == "a: 1\fb: 1"


def test_files_of_programs_that_note_no_pages_have_none():
    long = p("A sentence that fills some of a page. " * 80)
    page = convert_docx(docx(long + '<w:p><w:r><w:br w:type="page"/></w:r></w:p>' + p("End.")))
    assert not page.paged


def test_fields_of_forms_show_what_was_chosen():
    drop = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/>'
        '<w:listEntry w:val="Husum"/><w:listEntry w:val="Hooge"/></w:ddList></w:ffData></w:fldChar></w:r>'
        '<w:r><w:instrText>FORMDROPDOWN</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )
    assert convert_docx(docx(drop)).text == "Hooge"


def test_equations_read_on_one_line():
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    power = f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>"
    body = f"<w:p><m:oMath><m:f><m:num>{run('a+b')}</m:num><m:den>{power}</m:den></m:f></m:oMath></w:p>"
    assert convert_docx(docx(body)).text == "(a+b)/(x^2)"


def test_a_text_box_is_read_once_whichever_forms_it_is_kept_in():
    box = f"<w:txbxContent>{p('In the box.')}</w:txbxContent>"
    kept = (
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>" + box + "</wps:txbx></w:drawing>"
        "</mc:Choice><mc:Fallback><w:pict>" + box + "</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    assert convert_docx(docx(f"<w:p><w:r><w:t>Before.</w:t></w:r>{kept}</w:p>")).text == "Before.\n\nIn the box."
    cell = f"<w:tbl><w:tr><w:tc><w:p>{kept}</w:p></w:tc><w:tc>{p('b')}</w:tc></w:tr></w:tbl>"
    assert convert_docx(docx(cell)).text.count("In the box.") == 1


def test_headers_footers_and_comments_are_read_once():
    header = f"<w:hdr {NAMES}>{p('Norderoog Shipping')}</w:hdr>"
    footer = f"<w:ftr {NAMES}>{p('Page 2 of 3')}{p('Reference NR-2207')}</w:ftr>"
    comments = f'<w:comments {NAMES}><w:comment w:author="Maike">{p("Check this")}</w:comment></w:comments>'
    section = (
        '<w:p><w:pPr><w:sectPr><w:headerReference w:type="default" r:id="r0"/>'
        '<w:headerReference w:type="first" r:id="r0"/><w:footerReference w:type="default" r:id="r1"/></w:sectPr></w:pPr></w:p>'  # noqa: E501
    )
    parts = (("h.xml", "header", header), ("f.xml", "footer", footer), ("c.xml", "comments", comments))
    assert convert_docx(docx(p("Body.") + section, parts)).text.split("\n\n") == [
        *("Norderoog Shipping", "Body.", "Comment by Maike: Check this", "Reference NR-2207")
    ]


def test_strict_files_are_read():
    import io
    import zipfile

    strict = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx(p("Strict words.")))) as old, zipfile.ZipFile(strict, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(WORD.encode(), b"http://purl.oclc.org/ooxml/wordprocessingml/main")
            data = data.replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/", b"http://purl.oclc.org/ooxml/officeDocument/"
            )
            new.writestr(name, data)
    assert convert_docx(strict.getvalue()).text == "Strict words."


def test_text_of_diagrams_is_read():
    drawing = '<w:drawing><a:graphic><dgm:relIds r:dm="r0"/></a:graphic></w:drawing>'
    data = f"<dgm:dataModel {NAMES}><dgm:pt><a:p><a:r><a:t>First step</a:t></a:r></a:p></dgm:pt></dgm:dataModel>"
    assert (
        convert_docx(docx(f"<w:p><w:r>{drawing}</w:r></w:p>", (("d.xml", "diagramData", data),))).text == "First step"
    )
