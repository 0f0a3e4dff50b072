"""CSV and TSV: one line of text a row."""

import csv
import io

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, TextBuilder
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.tables import rows_as_text

_DELIMITERS = ",;\t|"
_MAX_LINES_IN_FIELD = 200  # more: a quotation mark was left open and swallowed the rows after it


def convert_csv(data: bytes) -> Extracted:
    """A file whose quotation marks do not add up is read line by line, so that no row is lost in a field."""
    text = decode(data)
    csv.field_size_limit(len(text) + 1)
    builder, notes = TextBuilder(), []
    dialect = _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect))
        swallowed = len(rows) < text.count("\n") and any(
            len(cell) > 10_000 and cell.count("\n") > _MAX_LINES_IN_FIELD for row in rows for cell in row
        )
    except csv.Error:
        swallowed = True
    if swallowed:
        notes.append("its quotation marks do not add up: read line by line")
        rows = [line.split(dialect) for line in text.split("\n")]
    for line in rows_as_text(rows):
        builder.block(line, "\n")
    return Extracted(builder.text(), MIME_TYPES["csv"], notes=notes)


def _delimiter(text: str) -> str:
    """The candidate that stands equally often in most of the first lines; csv.Sniffer's regexes are not linear."""
    lines = [line for line in text[:20_000].split("\n")[:20] if line.strip()]

    def agreement(delimiter: str) -> tuple[float, int]:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(usual) / len(counts) if usual else 0.0, usual)

    return max(_DELIMITERS, key=agreement)
