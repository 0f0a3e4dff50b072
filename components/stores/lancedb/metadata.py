"""What is in the metadata of a set of documents: fields, ranges, distinct values."""

import json
from collections.abc import Iterable
from typing import Any

Meta = dict[str, Any]


def fields_info(metas: Iterable[Meta]) -> dict[str, dict[str, str]]:
    """The fields and their types by Haystack's names: keyword, int, float, boolean."""
    types: dict[str, str] = {}
    for meta in metas:
        for key, value in meta.items():
            if value is not None:
                types[key] = _type_name(value)
    return {key: {"type": name} for key, name in types.items()}


def min_max(metas: Iterable[Meta], metadata_field: str) -> dict[str, Any]:
    """The smallest and largest value; both None when there is none, or when texts and numbers are mixed."""
    values = [value for value in _values(metas, metadata_field) if isinstance(value, (int, float, str))]
    if not values or len({isinstance(value, str) for value in values}) > 1:
        return {"min": None, "max": None}
    return {"min": min(values), "max": max(values)}


def unique_values(metas: Iterable[Meta], metadata_field: str, search_term: str | None = None) -> list[Any]:
    """
    The distinct values, ordered by their text.

    :param search_term: Keep the values whose text contains it, whatever its case.
    """
    found = {_key(value): value for value in _values(metas, metadata_field)}
    if search_term:
        found = {key: value for key, value in found.items() if search_term.lower() in str(value).lower()}
    return [found[key] for key in sorted(found, key=lambda key: (str(found[key]), key))]


def _values(metas: Iterable[Meta], metadata_field: str) -> Iterable[Any]:
    name = metadata_field.removeprefix("meta.")
    return (meta[name] for meta in metas if meta.get(name) is not None)


def _key(value: Any) -> tuple[str, str]:
    # By type too: 1, 1.0, True and "1" are four values, though Python calls three of them equal.
    return type(value).__name__, json.dumps(value, sort_keys=True)


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "keyword"
