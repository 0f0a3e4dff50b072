"""Which rows of a table name its columns, and is it a form of names and values? Judged by its first rows."""

import re
from collections.abc import Sequence
from itertools import pairwise

from indexing.convert.tables.grid import Cell, Row, distinct

_NAME_LENGTH = 60
_MAX_HEADER_ROWS = 3
_VALUE_START = re.compile(r"[(<>≤≥~≈±+\-−–]*\s*(?:[$€£¥₹]|[A-Z]{3}\s)?\s*[+\-−]?\.?\d")
_BLANK_VALUE = re.compile(r"[-–—.?*x✓✗✔✘•]{1,3}|n/?a|n\.\s?a\.", re.I)
_HAS_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d(?:\s?[/–-]\s?\d{2,4})?")

_SECOND_NAMES = {  # of a second column, as no form has them beside its first name
    "value", "values", "description", "meaning", "definition", "default", "explanation", "purpose", "notes", "remarks",
    "wert", "beschreibung", "bedeutung",
}  # fmt: skip


def is_value(text: str) -> bool:
    """A number, an amount, a date, a time, a share: what rows hold and names of columns are not made of."""
    if _BLANK_VALUE.fullmatch(text):
        return True
    if text.startswith("=") and len(text) > 1:
        return True  # a formula
    if not _VALUE_START.match(text):
        return False
    digits, letters = sum(map(str.isdigit, text)), sum(map(str.isalpha, text))
    return digits >= 0.4 * (digits + letters)


def _is_year(text: str) -> bool:
    """A year or a pair of them, with or without a note's mark."""
    return bool(_YEAR.fullmatch(re.sub(r"\s*(?:\(\w{1,2}\)|[*†‡])$", "", text)))


def count_titles(rows: Sequence[Row]) -> int:
    """Leading rows with a single text in them (a title, a note) above rows that have more."""
    count = 0
    while count + 1 < len(rows) and len(cells := distinct(rows[count])) == 1:
        beside = all(row[0].text == "" for row in rows[count:] if row)  # an empty first column is none
        if is_value(cells[0].text) or not (beside or rows[count][0] is cells[0]):
            break  # a value, or a name above some of the columns
        count += 1
    return count if any(len(distinct(row)) > 1 for row in rows[count:]) else 0


def count_header_rows(rows: Sequence[Row], headed: bool = False) -> int:
    """
    :param rows: the first rows of a table, without titles.
    :param headed: the format, or its habit, hints at a heading row without saying so of these cells.
    :returns: how many of them name the columns; 0 where none does.
    """
    if not rows:
        return 0
    marked = _marked(rows)
    if marked and marked < max(2, len(rows)) and not _names_in_first_column(rows):
        return min(marked, _MAX_HEADER_ROWS)
    if _names_in_first_column(rows) or len(rows) < 2 or all(pairs_side_by_side(row) for row in rows):
        return 0
    if cornered := _count_below_empty_corner(rows):
        return _with_years(rows, cornered)
    named = len(distinct(rows[0])) > 1 and _names_columns(rows[0])
    if not named and not _spans_names(rows):
        return 0
    if max(len(distinct(row)) for row in rows) == 2 and not _is_headed_pair(rows, headed):
        return 0
    return _with_years(rows, _height(rows))


def is_form(rows: Sequence[Row]) -> bool:
    """Names on the left, one value on the right of each; or such pairs side by side."""
    if _names_in_first_column(rows):
        return True
    pairs = [[cell.text for cell in distinct(row)] for row in rows]
    if not all(len(pair) in (1, 2) for pair in pairs) or sum(len(pair) == 2 for pair in pairs) < 1:
        return False
    names = [pair[0] for pair in pairs if len(pair) == 2]
    return all(len(name) <= _NAME_LENGTH and not is_value(name) for name in names)


def pairs_side_by_side(row: Row) -> bool:
    """``name value name value``: told by the marks of the format, or by colons behind the names."""
    cells = distinct(row)
    if len(cells) < 4 or len(cells) % 2:
        return False
    names, values = cells[::2], cells[1::2]
    marked = all(cell.header for cell in names) and not any(cell.header for cell in values)
    return marked or all(cell.text.endswith(":") for cell in names)


def column_names(rows: Sequence[Row]) -> list[str]:
    """Names of the columns from one or several heading rows, the upper ones first: ``Sales 2024``."""
    width = max(map(len, rows), default=0)
    filled = [_carried(row, below=number + 1 < len(rows)) for number, row in enumerate(rows)]
    names = []
    for column in range(width):
        parts: list[str] = []
        for row in filled:
            if column < len(row) and row[column].text and row[column].text not in parts:
                parts.append(row[column].text)
        names.append(" ".join(parts).rstrip(":").rstrip())
    return names


def _marked(rows: Sequence[Row]) -> int:
    """Leading rows of which the format says that every cell is a heading."""
    count = 0
    for row in rows:
        cells = distinct(row)
        if len(cells) < 2 or not all(cell.header for cell in cells):
            break
        count += 1
    return count


def _names_in_first_column(rows: Sequence[Row]) -> bool:
    """The format marks the first cell of each row as a name, and no row as a whole: an infobox."""
    filled = [cells for row in rows if (cells := distinct(row))]
    full = [cells for cells in filled if len(cells) > 1]
    return (
        bool(full)
        and all(cells[0].header and not any(cell.header for cell in cells[1:]) for cells in full)
        and all(len(cells) == 2 for cells in full)
    )


def _count_below_empty_corner(rows: Sequence[Row]) -> int:
    """Rows with an empty first cell above the first labelled one, as reports have them: groups, years, dates, units."""
    count = 0
    while count < len(rows) and rows[count] and not rows[count][0].text:
        count += 1
    if not 0 < count < len(rows) or count > _MAX_HEADER_ROWS + 1:
        return 0
    texts = [cell.text for row in rows[:count] for cell in distinct(row)]
    widest = max(len(distinct(row)) for row in rows[:count])
    if widest < 2 or any(len(text) > _NAME_LENGTH or (is_value(text) and not _HAS_YEAR.search(text)) for text in texts):
        return 0
    years = sum(bool(_HAS_YEAR.search(text)) for text in texts)
    below = [cell.text for row in rows[count:] for cell in row[1:] if cell.text]
    return count if years > 1 and any(map(is_value, below)) else 0


def _with_years(rows: Sequence[Row], height: int) -> int:
    """One row more where years follow below the names: ``-, Year to June, -`` above ``in millions, 2019, 2018``."""
    if height >= len(rows) - 1 or height > _MAX_HEADER_ROWS:
        return height
    texts = [cell.text for cell in rows[height][1:] if cell.text]
    years = len(texts) > 1 and all(map(_is_year, texts))
    return height + 1 if years and not is_value(rows[height][0].text) else height


def _names_columns(row: Row) -> bool:
    """Short, distinct names, without values; the first one may be missing, above the names of the rows."""
    texts = [cell.text for cell in distinct(row)]
    inner = [cell.text for cell in row[1:]]
    while inner and not inner[-1]:
        inner.pop()
    if not texts or not all(inner) or len(set(texts)) < len(texts):
        return False
    if any(len(text) > _NAME_LENGTH or text.endswith((".", "!")) for text in texts):
        return False
    numbers = [text for text in (texts[1:] if row[0].text else texts) if is_value(text)]
    if row[0].text and is_value(row[0].text):
        return False
    return not numbers or _is_scale(texts[1:] if row[0].text else texts)


def _is_scale(texts: list[str]) -> bool:
    """Years, or numbers that count one by one, as names of columns; other names may stand behind them."""
    years = [text for text in texts if is_value(text)]
    if all(_is_year(text) for text in years):
        starts = [int(text[:4]) for text in years]
        return len(starts) > 1 and (starts == sorted(starts) or starts == sorted(starts, reverse=True))
    if not all(text.isascii() and text.isdigit() and len(text) < 4 for text in texts) or len(texts) < 3:
        return False
    return {int(after) - int(before) for before, after in pairwise(texts)} == {1}


def _spans_names(rows: Sequence[Row]) -> bool:
    """A first row of groups with gaps (``-, Sales, -, Costs, -``) above a whole row of names."""
    texts = [cell.text for cell in rows[0]]
    return (
        len(rows) > 2
        and sum(map(bool, texts)) >= (2 if texts[0] else 1)
        and len(rows[0]) == len(rows[1])
        and not any(text and (is_value(text) and not _is_year(text)) for text in texts)
        and all(cell.text for cell in rows[1])
        and not any(is_value(cell.text) and not _is_year(cell.text) for cell in rows[1])
        and any(is_value(cell.text) for cell in rows[2][1:])
    )


def _is_headed_pair(rows: Sequence[Row], headed: bool) -> bool:
    """
    Two columns: a heading above values, or a form? A form that is read as a table says wrong things ("Landlord:
    Tenant"), a table that is read as a form only loses its heading, so the heading has to be likely.
    """
    below = [cells[1].text for row in rows[1:] if len(cells := distinct(row)) == 2]
    name = distinct(rows[0])[1].text
    if below and all(map(is_value, below)) and len({_shape(text) for text in below}) == 1:
        return True
    words = name.split()
    if name.lower() in _SECOND_NAMES:
        return True
    return headed and not (len(words) > 1 and any(word[0].isupper() for word in words[1:]))


def _shape(text: str) -> str:
    """Amounts of one kind have one shape: digits and their marks dropped, what is left is a unit."""
    return re.sub(r"[\d\s.,'’+\-−–]+", "0", text)


def _height(rows: Sequence[Row]) -> int:
    """Heading rows: as many as the first row's cells reach down; one more below names that span columns."""
    first = rows[0]
    height = 1
    while height < min(len(rows), _MAX_HEADER_ROWS) and any(
        cell.text and cell is below for cell, below in zip(first, rows[height], strict=False)
    ):
        height += 1
    if height > 1:
        return height if height < len(rows) else 1
    spanning = any(left is right and left.text for left, right in pairwise(first)) or not all(c.text for c in first[1:])
    below = rows[1] if len(rows) > 2 else []
    if spanning and below and not any(is_value(c.text) and not _is_year(c.text) for c in below if c.text):
        return 2
    return 1


def _carried(row: Row, below: bool) -> Row:
    """A group's name stands in its first column only, where the format merges nothing: carried to the next name. One
    that stands alone above or below the names (``Fiscal``, ``(in millions)``) is centred over all of them."""
    alone = distinct(row)
    if len(alone) == 1 and len(row) > 2 and not row[0].text:
        return Row([row[0], *(alone[0] for _ in row[1:])])
    if not below or all(cell.text for cell in row):
        return row
    carried, last = Row(), Cell("")
    for cell in row:
        last = cell if cell.text else last
        carried.append(last)
    return carried
