"""`--filter`: Haystack's syntax as JSON, or the short form field=value, turned into one checked filter."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SHORT = re.compile(r"\s*([\w.\-]+)\s*(==|=|!=|>=|<=|>|<)\s*(.*?)\s*", re.DOTALL)
_NAMES = {"file": "meta.file_name", "path": "meta.file_path", "page": "meta.page_number"}
_HELP = 'write field=value (=, !=, >, >=, <, <=) or {"field": "meta.year", "operator": ">=", "value": 2020}'


# What a name typed by a person means, as the ids of the files it means.
FilesNamed = Callable[[str], list[str]]


class NothingMatches(ValueError):
    """A filter that no passage of the index matches."""


def parse_filters(given: Sequence[str], files_named: FilesNamed | None = None) -> dict[str, Any] | None:
    """
    All filters of a command line; several must all hold.

    In the short form a field is one of the passage's `meta`; `file`, `path` and `page` stand for the file's name, its
    path and the page. A value that reads as a number, true or false is one; put it in double quotes to mean text.

    :param files_named: looks files up in the index, so that `file=` and `path=` take a name, a path from here, a folder
        or a pattern; without it they are compared with the file's name or path as they stand.
    :raises ValueError: saying what is wrong with which filter.
    :raises NothingMatches: when `file=` or `path=` means no file of the index.
    """
    conditions = [_parse(one, files_named) for one in given]
    if not conditions:
        return None
    filters = conditions[0] if len(conditions) == 1 else {"operator": "AND", "conditions": conditions}
    from components.stores.filters import normalise  # imports Haystack

    normalise(filters, allow_empty=False)  # all of them together, and what the short form cannot tell by itself
    return filters


def _parse(text: str, files_named: FilesNamed | None) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            filters = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"filter {_short(text)}: not valid JSON ({error}); {_HELP}") from error
        except RecursionError as error:
            raise ValueError(f"filter {_short(text)}: nested too deep") from error
        from components.stores.filters import normalise  # imports Haystack

        normalise(filters, f"filter {_short(text)}", allow_empty=False)
        return filters
    match = _SHORT.fullmatch(text)
    if match is None:
        raise ValueError(f"filter {_short(text)}: {_HELP}")
    name, operator, value = match.groups()
    field = _NAMES.get(name, name if name.startswith("meta.") or name in ("id", "content") else f"meta.{name}")
    operator = "==" if operator == "=" else operator
    if files_named is not None and name in ("file", "path") and operator in ("==", "!="):
        named = _value(value)  # in quotes or not
        return _on_files(text, operator, named if isinstance(named, str) else value, files_named)
    return {"field": field, "operator": operator, "value": _value(value)}


def _on_files(text: str, operator: str, name: str, files_named: FilesNamed) -> dict[str, Any]:
    ids = files_named(name)
    if not ids:
        raise NothingMatches(f"filter {_short(text)}: means no file of the index; excerpt list shows the files")
    return {"field": "meta.source_id", "operator": "in" if operator == "==" else "not in", "value": ids}


def fields_of(filters: Mapping[str, Any]) -> set[str]:
    """The fields a filter asks for."""
    if "field" in filters:
        return {str(filters["field"])}
    return {field for condition in filters.get("conditions", ()) for field in fields_of(condition)}


def is_negative(filters: Mapping[str, Any]) -> bool:
    """Whether a passage without the field may match: then a field that there is not must be told at once."""
    if "field" in filters:
        return filters.get("operator") in ("!=", "not in") or filters.get("value") is None
    conditions = filters.get("conditions", ())
    return filters.get("operator") == "NOT" or any(is_negative(condition) for condition in conditions)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return text if isinstance(value, dict | list) else value
