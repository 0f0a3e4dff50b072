"""Org: headings, paragraphs and tables without their marks."""

import re

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.markup.marks import unwrapped, without_marks
from indexing.convert.tables import Cell, table_lines
from indexing.convert.tables.grid import Row

_ORG_INLINE = (
    (re.compile(r"\[\[[^\]]*\]\[([^\]]*)\]\]"), r"\1"),
    (re.compile(r"\[\[(?:file:)?([^\]]*)\]\]"), r"\1"),
    (re.compile(r"(?<!\w)([*/_=~+])(?=\S)([^\n]+?)(?<=\S)\1(?!\w)"), r"\2"),
)


def convert_org(data: bytes) -> Extracted:
    builder = TextBuilder()
    paragraph: list[str] = []
    rows: list[Row] = []
    title = None
    inside_drawer = False

    def flush() -> None:
        builder.block(unwrapped(paragraph))
        builder.lines(table_lines(rows))
        paragraph.clear()
        rows.clear()

    for line in decode(data).split("\n"):
        stripped = line.strip()
        heading = re.match(r"(\*+) (?:TODO |DONE )?(.*?)(?:\s+:[\w@:]+:)?$", line)
        if heading:
            flush()
            builder.heading(without_marks(heading.group(2), _ORG_INLINE), len(heading.group(1)))
        elif re.fullmatch(r":(PROPERTIES|LOGBOOK|END):", stripped, re.I):
            inside_drawer = stripped.upper() != ":END:"
        elif inside_drawer:
            continue
        elif stripped.startswith("|"):
            if not re.fullmatch(r"\|[-+|]+", stripped):
                rows.append(Row(Cell(without_marks(cell, _ORG_INLINE)) for cell in stripped.strip("|").split("|")))
        elif stripped.lower().startswith("#+title:"):
            title = one_line(stripped[8:])
        elif re.match(r"#\+(author|date|caption):", stripped, re.I):
            flush()
            paragraph.append(stripped[2:].capitalize())
        elif stripped.startswith(("#+", "# ")) or stripped == "#" or not stripped:
            flush()
        else:
            if rows:
                flush()
            paragraph.append(without_marks(stripped, _ORG_INLINE))
    flush()
    return Extracted(
        builder.text(),
        MIME_TYPES["org"],
        title or (builder.headings[0][2] if builder.headings else None),
        builder.headings,
    )
