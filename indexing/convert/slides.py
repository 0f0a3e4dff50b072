"""PPTX: one page a slide; its title is a heading, its notes follow."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

from indexing.convert.archive import checked_zip
from indexing.convert.extracted import Extracted, Refusal, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import Cell, expand, table_lines

_MAX_DEPTH = 50


def convert_pptx(data: bytes) -> Extracted:
    """
    :raises Refusal: "password", "bomb", "damaged".
    """
    checked_zip(data).close()
    import pptx

    builder = TextBuilder()
    try:
        show = pptx.Presentation(io.BytesIO(data))
        for number, slide in enumerate(show.slides):
            if number:
                builder.page()
            _slide(slide, builder)
        title = one_line(show.core_properties.title)
    except Refusal:
        raise
    except Exception as error:  # python-pptx raises whatever a broken part provokes
        raise Refusal("damaged", f"not a whole PPTX ({type(error).__name__})") from None
    if title in (None, "PowerPoint Presentation"):  # what python-pptx and PowerPoint write when nobody chose one
        title = builder.headings[0][2] if builder.headings else None
    return Extracted(builder.text(), MIME_TYPES["pptx"], title=title, headings=builder.headings, paged=True)


def _slide(slide: Any, builder: TextBuilder) -> None:
    heading = slide.shapes.title
    if heading is not None:
        builder.heading(heading.text_frame.text.replace("\v", " "), 1)
    chosen = heading.shape_id if heading is not None else None
    _shapes((shape for shape in slide.shapes if shape.shape_id != chosen), builder)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        builder.block(slide.notes_slide.notes_text_frame.text)


def _shapes(shapes: Iterable[Any], builder: TextBuilder, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise Refusal("damaged", f"shapes grouped deeper than {_MAX_DEPTH}")
    for shape in shapes:
        if shape.has_text_frame:
            for number, paragraph in enumerate(shape.text_frame.paragraphs):
                builder.block(paragraph.text.replace("\v", "\n"), "\n" if number else "\n\n")
        elif getattr(shape, "has_table", False) and shape.has_table:
            builder.lines(table_lines(expand(_cells(shape.table)), headed=shape.table.first_row))
        elif hasattr(shape, "shapes"):
            _shapes(shape.shapes, builder, depth + 1)


def _cells(table: Any) -> Iterator[list[Cell]]:
    for row in table.rows:
        yield [Cell(cell.text, cell.span_width, cell.span_height) for cell in row.cells if not cell.is_spanned]
