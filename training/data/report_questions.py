"""Questions about the tables of reports (TAT-QA), as SQuAD-format data: those that people asked, and lookups."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from indexing.convert.tables import Cell, expand, table_lines
from indexing.convert.tables.grid import Row
from indexing.convert.tables.headers import column_names, count_header_rows, count_titles
from training.data.table_passages import Passage, number_questions, write_passage
from training.data.table_questions import leave_one_out, look_up, some_rows


def ask_reports(reports: Iterable[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """SQuAD-format data from TAT-QA: a `table` with its `paragraphs`, questions whose answer is one span; and lookups.

    A cell is found by its text; where several have it, by the words that its row and column share with the question.
    """
    rng = np.random.default_rng(seed)
    articles = []
    for number, report in enumerate(reports):
        grid = expand([[Cell(text) for text in row] for row in report["table"]])
        table = "\n".join(table_lines(grid))
        before, after = report["paragraphs"][:1], report["paragraphs"][1:]
        passages = [Passage("\n\n".join([*before, table, *after])), Passage(table)]
        for passage in passages:
            for question in report["questions"]:
                if place := _place(passage.text, question):
                    passage.ask(question["question"], [place])
        passages += _report_lookups(grid, rng)
        name = f"report-{number}"
        asked = [passage for passage in passages if passage.questions]
        if asked:
            articles.append({"title": name, "paragraphs": number_questions(name, asked)})
    return {"version": "reports", "data": articles}


def _report_lookups(grid: Sequence[Row], rng: np.random.Generator) -> list[Passage]:
    body = grid[count_titles(grid) :]
    heading = count_header_rows(body)
    if not heading:
        return []
    names, rows = column_names(body[:heading]), [[cell.text for cell in row] for row in body[heading:]]
    rows = [row for row in rows if sum(map(bool, row)) > 1]
    if len(rows) < 2 or len(set(names)) < len(names):
        return []
    chosen = some_rows(names, rows, rng)
    passage = write_passage(names, rows, chosen)
    for _ in range(4):
        look_up(passage, names, rows, chosen, rng)
    return [passage, leave_one_out(names, rows, chosen, rng)]


def _place(text: str, question: Mapping[str, Any]) -> tuple[int, int] | None:
    wanted = " ".join(question["answer"].split())
    flexible = r"\s+".join(map(re.escape, wanted.split()))
    matches = list(re.finditer(rf"(?<![\w.,]){flexible}(?![\w]|[.,]\d)", text))
    words = set(re.findall(r"\w+", question["question"].lower()))

    def shared(match: re.Match[str]) -> int:
        line = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        named = text[line : match.start()].rsplit("; ", 1)
        near = set(re.findall(r"\w+", f"{text[line : line + 60]} {named[-1]}".lower()))
        whole = set(re.findall(r"\w+", text[line : end if end >= 0 else None].lower()))
        return 3 * len(near & words) + len(whole & words)

    best = max(matches, key=shared, default=None)
    return best.span() if best else None
