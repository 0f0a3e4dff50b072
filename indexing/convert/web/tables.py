"""Is this table data or layout, and which cells has it?"""

import re
from typing import Any

from indexing.convert.tables import Cell
from indexing.convert.tables.grid import Row
from indexing.convert.web.hiding import Look, Seen, see
from indexing.convert.web.inline import MARKED, UNSEEN, alternative, children_of, count_text, marked

_LAYOUT_CELL = 500  # characters: a table with longer cells lays out a page, it does not list data
_LAYOUT = "table, h1, h2, h3, h4, h5, h6, pre, form, article, section"
_TO_THE_END = 65_534  # rowspan="0"
_APART = {"p", "div", "br", "li", "dt", "dd", "option", "tr", "ul", "ol", "blockquote", "figcaption", "hr"}


def data_rows(table: Any, seen: Seen, looks: dict[int, Look], trust: bool) -> tuple[list[Row], list[str]] | None:
    """The rows and the captions of a table of data; None for one that lays out the page."""
    attributes = table.attributes or {}
    inner = (node for node in table.css(_LAYOUT) if node.mem_id != table.mem_id)
    if attributes.get("role") in ("presentation", "none") or next(inner, None) is not None:
        return None
    rows: list[Row] = []
    captions: list[str] = []
    widest = 0
    bold: list[bool] = []
    for node in _table_parts(table):
        part = see(node, seen, looks, trust)
        if part is None:
            continue
        if node.tag == "caption":
            captions.append(cell_text(node, part, looks, trust))
            continue
        cells, strong = Row(), True
        for cell in children_of(node):
            own = see(cell, part, looks, trust) if cell.tag in ("td", "th") else None
            if own is None:
                continue
            text = cell_text(cell, own, looks, trust)
            if len(text) > _LAYOUT_CELL:
                return None
            spans = [_span((cell.attributes or {}).get(name)) for name in ("colspan", "rowspan")]
            cells.append(Cell(text, spans[0] or 1, spans[1] or _TO_THE_END, header=cell.tag == "th"))
            strong = strong and (not text or _is_bold(cell, text))
        widest = max(widest, len(cells))
        rows.append(cells)
        bold.append(strong)
    if widest < 2:
        return None
    if len(rows) > 1 and bold[0] and not bold[1]:
        for cell in rows[0]:
            cell.header = True
    return rows, captions


def count_hidden(table: Any, seen: Seen, looks: dict[int, Look], trust: bool) -> int:
    """Characters in rows and cells that the page hides."""
    count = 0
    for node in _table_parts(table):
        part = see(node, seen, looks, trust)
        if part is None:
            count += count_text(node)
        elif node.tag == "tr":
            hidden = (cell for cell in children_of(node) if cell.tag in ("td", "th"))
            count += sum(count_text(cell) for cell in hidden if see(cell, part, looks, trust) is None)
    return count


def cell_text(cell: Any, seen: Seen, looks: dict[int, Look], trust: bool) -> str:
    """The text of a cell as it is shown; parts of one word stay one word, blocks are kept apart."""
    parts: list[str] = []
    stack: list[tuple[Any, Seen, int]] = [(cell, seen, -1)]
    while stack:
        node, state, start = stack.pop()
        if start >= 0:
            text = "".join(parts[start:])
            before = "".join(parts[max(0, start - 3) : start])
            parts[start:] = [marked(node, text, before.rstrip("\n"))]
            continue
        if node.tag == "-text":
            if state.shown:
                parts.append(node.text_content)
            continue
        own = state if node is cell else see(node, state, looks, trust)
        if node.tag.startswith("-") or node.tag in UNSEEN or own is None:
            continue
        if node.tag == "img":
            parts.append(f" {alternative(node)} ")
        if node.tag in _APART:
            parts.append(" ")
            stack.append((_SPACE, own, -1))
        if node.tag in MARKED:
            stack.append((node, own, len(parts)))
        stack.extend((child, own, -1) for child in reversed(list(children_of(node))))
    return " ".join("".join(parts).split())


class _Space:
    tag = "-text"
    text_content = " "


_SPACE = _Space()


def _table_parts(table: Any) -> list[Any]:
    return list(table.css("caption, tr"))


def _is_bold(cell: Any, text: str) -> bool:
    strong = "".join(node.text() for node in cell.css("b, strong"))
    return bool(strong) and len("".join(strong.split())) >= len("".join(text.split()))


def _span(value: str | None) -> int:
    digits = re.match(r"\s*(\d{1,5})", value or "")
    return int(digits.group(1)) if digits else 1
