"""A table as a passage of training data: written as the converter writes it, with the place of every cell."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexing.convert.tables import Cell, expand, table_lines


@dataclass
class Passage:
    """A text and its questions; `cells` says where each cell of the table stands in it: (begin, end) in characters."""

    text: str
    cells: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    questions: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, question: str, places: Iterable[tuple[int, int]]) -> None:
        """Add a question with its answers' places; without any it is unanswerable."""
        answers = [{"text": self.text[begin:end], "answer_start": begin} for begin, end in places]
        self.questions.append({"question": question, "answers": answers, "is_impossible": not answers})


def write_passage(header: Sequence[str], rows: Sequence[Sequence[str]], chosen: Sequence[int]) -> Passage:
    """The chosen rows as text below the line of column names.

    :param chosen: numbers of rows, in the order in which they are written.
    """
    names = [Cell(name) for name in header]
    lines: list[str] = []
    cells: dict[tuple[int, int], tuple[int, int]] = {}
    at = 0
    for number in chosen:
        written = list(table_lines(expand([names, [Cell(text) for text in rows[number]]]), headers=1))
        for place, line in enumerate(written):
            if not place and lines:
                continue  # the column names stand above the first row only
            if place:
                for column, (begin, end) in _cells_of(line, header, rows[number]).items():
                    cells.setdefault((number, column), (at + begin, at + end))
            lines.append(line)
            at += len(line) + 1
    return Passage("\n".join(lines), cells)


def _cells_of(line: str, header: Sequence[str], row: Sequence[str]) -> dict[int, tuple[int, int]]:
    found = {}
    for column, text in enumerate(row):
        value, name = " ".join(text.split()), " ".join(header[column].split()) if column < len(header) else ""
        pattern = f"(?:^|; |: ){re.escape(name) + ': ' if name else ''}({re.escape(value)})(?=; |: |$)"
        if value and (match := re.search(pattern, line)):
            found[column] = match.span(1)
    return found


def number_questions(name: str, passages: Sequence[Passage]) -> list[dict[str, Any]]:
    return [
        {
            "context": passage.text,
            "qas": [{"id": f"{name}-{p}-{q}", **question} for q, question in enumerate(passage.questions)],
        }
        for p, passage in enumerate(passages)
    ]
