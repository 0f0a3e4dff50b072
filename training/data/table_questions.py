"""Questions about the cells of tables, as SQuAD-format data: people's own where a data set has them, lookups made by
rule in many wordings, forms, and questions whose row was left out."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from training.data.table_passages import Passage, number_questions, write_passage

_CHARACTERS = 900  # of a passage: what a reader's window holds
_LOOKUPS = (
    "What is the {name} of {label}?", "What was the {name} of {label}?", "What is {label}'s {name}?",
    "what {name} does {label} have?", "{name} of {label}?", "{label} {name}", "Which {name} is given for {label}?",
    "Tell me the {name} for {label}.", "What {name} is listed for {label}?", "what's the {name} for {label}",
)  # fmt: skip
_NUMBERS = ("How many {name} did {label} have?", "how many {name} for {label}?", "How much is the {name} of {label}?")
_YEARS = (
    "What was {label} in {name}?", "How much was {label} in {name}?", "{label} {name}",
    "What is the amount of {label} in {name}?", "What were the {label} for {name}?", "what were {label} in {name}",
    "How high was {label} in {name}?",
)  # fmt: skip
_REVERSE = (
    "Which {key} has {value} as its {name}?", "which {key} has a {name} of {value}?", "What {key} is {name} {value}?",
    "For which {key} is the {name} {value}?",
)  # fmt: skip
_FORM = ("What is the {name}?", "{name}?", "which {name}?", "What {name} is stated?", "what's the {name}")


def ask_tables(tables: Iterable[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """SQuAD-format data from tables with `header`, `rows`, and `questions` with their `cells` ([row, column])."""
    rng = np.random.default_rng(seed)
    articles = []
    for table in tables:
        passages = [passage for passage in _passages(table, rng) if passage.questions]
        articles.append({"title": table["table"], "paragraphs": number_questions(table["table"], passages)})
    return {"version": "tables", "data": articles}


def _passages(table: Mapping[str, Any], rng: np.random.Generator) -> Iterator[Passage]:
    header, rows = table["header"], table["rows"]
    asked = [question for question in table["questions"] if len(question["cells"]) <= 3]
    for _ in range(2 + len(rows) // 12):
        chosen = some_rows(header, rows, rng)
        passage = write_passage(header, rows, chosen)
        for _ in range(4):
            look_up(passage, header, rows, chosen, rng)
        if len(chosen) > 2:
            yield leave_one_out(header, rows, chosen, rng)
        yield passage
    for question in asked:
        target = question["cells"][0][0]
        begin = max(0, target - int(rng.integers(0, 8)))
        passage = write_passage(header, rows, _fit(header, rows, range(begin, len(rows)), target))
        places = [passage.cells[row, column] for row, column in question["cells"] if (row, column) in passage.cells]
        if places:
            passage.ask(question["question"], places)
            yield passage
    yield _form(header, rows[int(rng.integers(len(rows)))], rng)


def leave_one_out(
    header: Sequence[str], rows: Sequence[Sequence[str]], chosen: Sequence[int], rng: np.random.Generator
) -> Passage:
    """The chosen rows without one of them: what is asked of that row has no answer there."""
    left_out = int(rng.choice(chosen))
    near = write_passage(header, rows, [number for number in chosen if number != left_out])
    look_up(near, header, rows, [left_out], rng, absent=True)
    return near


def some_rows(header: Sequence[str], rows: Sequence[Sequence[str]], rng: np.random.Generator) -> list[int]:
    begin = int(rng.integers(0, max(1, len(rows) - 3)))
    return _fit(header, rows, range(begin, len(rows)), begin)


def _fit(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Iterable[int], last: int) -> list[int]:
    """As many of the rows as a passage holds, `last` among them."""
    chosen: list[int] = []
    room = _CHARACTERS - sum(map(len, header))
    for number in numbers:
        room -= sum(map(len, rows[number])) + sum(len(name) + 4 for name in header)
        if room < 0 and chosen and number > last:
            break
        chosen.append(number)
    while len(chosen) > 3 and room < 0 and chosen[0] < last:
        dropped = chosen.pop(0)
        room += sum(map(len, rows[dropped])) + sum(len(name) + 4 for name in header)
    return chosen


def look_up(
    passage: Passage,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    chosen: Sequence[int],
    rng: np.random.Generator,
    absent: bool = False,
) -> None:
    """One question for a cell by the name of its row and of its column, or for a row by one of its cells."""
    keys = [column for column in range(len(header)) if (header[column] or not column) and _names_rows(rows, column)]
    if not keys or not chosen:
        return
    key = keys[0] if rng.random() < 0.75 else int(rng.choice(keys))
    row = int(rng.choice(chosen))
    others = [
        column
        for column, name in enumerate(header)
        if column != key and name and header.count(name) == 1 and column < len(rows[row]) and rows[row][column].strip()
    ]
    if not others or key >= len(rows[row]) or not rows[row][key].strip():
        return
    column = int(rng.choice(others))
    label, value = (" ".join(rows[row][at].split()) for at in (key, column))
    unique = sum(other[column].strip() == rows[row][column].strip() for other in rows if column < len(other)) == 1
    reverse = unique and bool(header[key]) and rng.random() < 0.25
    wanted = (row, key) if reverse else (row, column)
    if not absent and wanted not in passage.cells:
        return
    forms = _REVERSE if reverse else _LOOKUPS + (_NUMBERS if re.fullmatch(r"[\d,]+", value) else ())
    if not reverse and re.search(r"\b(19|20)\d\d\b", header[column]):
        forms = _YEARS
    words = {"name": _said(header[column], rng), "key": _said(header[key], rng), "label": label, "value": value}
    passage.ask(str(rng.choice(forms)).format(**words), [] if absent else [passage.cells[wanted]])


def _names_rows(rows: Sequence[Sequence[str]], column: int) -> bool:
    """A column whose cells are all different and short, and most of them words or years, names its rows."""
    texts = [row[column].strip() for row in rows if column < len(row)]
    filled = [text for text in texts if text]
    words = sum(bool(re.search(r"[^\W\d_]{2}|^\d{4}$", text)) for text in filled)
    return len(set(filled)) == len(filled) == len(rows) and words > len(rows) / 2 and max(map(len, filled)) < 60


def _said(name: str, rng: np.random.Generator) -> str:
    """A column's name as people say it: as it stands, or in lower case."""
    plain = " ".join(name.split())
    return plain.lower() if rng.random() < 0.6 and not plain.isupper() else plain


def _form(header: Sequence[str], row: Sequence[str], rng: np.random.Generator) -> Passage:
    """A row as a form of names and values."""
    lines: list[str] = []
    places: list[tuple[str, tuple[int, int]]] = []
    at = 0
    for name, text in zip(header, row, strict=False):
        name, value = " ".join(name.split()).rstrip(":"), " ".join(text.split())
        if name and value:
            line = f"{name}: {value}"
            places.append((name, (at + len(name) + 2, at + len(line))))
            lines.append(line)
            at += len(line) + 1
    passage = Passage("\n".join(lines))
    counts = [name for name, _ in places]
    for name, place in places:
        if counts.count(name) == 1 and rng.random() < 0.5:
            passage.ask(str(rng.choice(_FORM)).format(name=_said(name, rng)), [place])
    return passage
