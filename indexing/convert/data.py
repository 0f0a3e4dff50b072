"""JSON and JSON Lines: each value beside the path of names that leads to it."""

import json
from collections.abc import Iterator
from typing import Any

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, Refusal, TextBuilder
from indexing.convert.kinds import MIME_TYPES

_MAX_NAMED_LINES = 5


class _Pairs(list[tuple[str, Any]]):
    """An object with every member it was written with, the repeated names too."""


def convert_json(data: bytes) -> Extracted:
    builder = TextBuilder()
    _add(_parsed(decode(data)), builder)
    return Extracted(builder.text(), MIME_TYPES["json"])


def convert_jsonl(data: bytes) -> Extracted:
    """A broken line is left out and named; the lines around it are read."""
    builder, broken = TextBuilder(), []
    lines = decode(data).split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                _add(_parsed(line), builder)
            except Refusal:
                broken.append(number)
    if broken and len(broken) == sum(bool(line.strip()) for line in lines):
        raise Refusal("damaged", "no line of it is JSON")
    more = f" and {len(broken) - _MAX_NAMED_LINES:,} more" if len(broken) > _MAX_NAMED_LINES else ""
    named = ", ".join(str(number) for number in broken[:_MAX_NAMED_LINES]) + more
    notes = [f"not JSON, left out: line {named}"] if broken else []
    return Extracted(builder.text(), MIME_TYPES["jsonl"], notes=notes)


def convert_notebook(data: bytes) -> Extracted:
    """
    A Jupyter notebook: its prose as the page it becomes, its code, and what that printed.

    :raises Refusal: "damaged" for what is no notebook.
    """
    from indexing.convert.markdown import markdown_text

    try:
        cells = json.loads(decode(data))["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refusal("damaged", "not a notebook") from None
    builder = TextBuilder()
    for cell in cells if isinstance(cells, list) else ():
        if not isinstance(cell, dict):
            continue
        source = _joined(cell.get("source"))
        if cell.get("cell_type") == "markdown":
            builder.page_of(markdown_text(source))
        else:
            builder.block(source)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, dict):
                shown = output.get("data")
                plain = shown.get("text/plain") if isinstance(shown, dict) else output.get("text")
                builder.block(_joined(plain))
    title = builder.headings[0][2] if builder.headings else None
    return Extracted(builder.text(), MIME_TYPES["notebook"], title, builder.headings)


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _parsed(text: str) -> Any:
    try:  # numbers stay as they are written: no 1e999 becomes inf, no 100,000 digits become a ValueError
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise Refusal("damaged", f"not JSON: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Refusal("damaged", "JSON nested deeper than is read") from None


def _add(value: Any, builder: TextBuilder) -> None:
    """A list of objects becomes a paragraph an object; what is inside one object, a line a value."""
    records = value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
    for record in records:
        for number, line in enumerate(_lines(record)):
            builder.block(line, "\n" if number else "\n\n")


def _lines(value: Any) -> Iterator[str]:
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, _Pairs):
            stack.extend((f"{path}.{name}" if path else name, child) for name, child in reversed(node))
        elif isinstance(node, list):
            if all(isinstance(child, str) for child in node):
                yield from [_line(path, ", ".join(node))] if node else []
            else:
                stack.extend((path, child) for child in reversed(node))
        elif node is not None and node != "":
            yield _line(path, node if isinstance(node, str) else "true" if node else "false")


def _line(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text
