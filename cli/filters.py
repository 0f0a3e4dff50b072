"""`--filter`: Haystack's syntax as JSON, or the short form field=value, turned into one checked filter."""

import json
import re
from collections.abc import Sequence
from typing import Any

from components.stores.filters import normalise

_SHORT = re.compile(r"\s*([\w.\-]+)\s*(==|=|!=|>=|<=|>|<)\s*(.*?)\s*", re.DOTALL)
_NAMES = {"file": "meta.file_name", "path": "meta.file_path", "page": "meta.page_number"}
_HELP = 'write field=value (=, !=, >, >=, <, <=) or {"field": "meta.year", "operator": ">=", "value": 2020}'


def parse_filters(given: Sequence[str]) -> dict[str, Any] | None:
    """
    All filters of a command line; several must all hold.

    In the short form a field is one of the passage's `meta`; `file`, `path` and `page` stand for the file's name, its
    path and the page. A value that reads as a number, true or false is one; put it in double quotes to mean text.

    :raises ValueError: saying what is wrong with which filter.
    """
    conditions = [_parse(one) for one in given]
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"operator": "AND", "conditions": conditions}


def _parse(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            filters = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"filter {text!r}: not valid JSON ({error}); {_HELP}") from error
        normalise(filters, f"filter {text!r}", allow_empty=False)
        return filters
    match = _SHORT.fullmatch(text)
    if match is None:
        raise ValueError(f"filter {text!r}: {_HELP}")
    name, operator, value = match.groups()
    field = _NAMES.get(name, name if name.startswith("meta.") or name in ("id", "content") else f"meta.{name}")
    return {"field": field, "operator": "==" if operator == "=" else operator, "value": _value(value)}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return text if isinstance(value, dict | list) else value
