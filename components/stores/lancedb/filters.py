"""Filters as the SQL that LanceDB runs inside its scans and searches."""

import json
from datetime import datetime
from typing import Any

from components.search_form import search_form
from components.stores.filter_labels import (
    STEP,
    equality_labels,
    exists_label,
    matching_moments,
    path_of_field,
)
from components.stores.filters import Comparison, Condition, normalise
from components.stores.iso_dates import parse_moment

_TEXT_COLUMNS = ("id", "content")


def to_sql(filters: dict[str, Any] | None) -> str | None:
    """
    :param filters: Haystack's filter syntax; None or {} mean every document.
    :returns: A condition for a `where`, or None for every document.
    :raises FilterError: When the filter is malformed, nested too deep, or asks for what cannot be compared.
    """
    condition = normalise(filters)
    return None if condition is None else condition_sql(condition)


def condition_sql(condition: Condition) -> str:
    """The SQL of a checked filter."""
    if isinstance(condition, Comparison):
        return _comparison(condition)
    parts = dict.fromkeys(condition_sql(one) for one in condition.conditions)
    if not parts:
        return "true" if condition.operator == "AND" else "false"
    joined = "(" + (" OR " if condition.operator == "OR" else " AND ").join(parts) + ")"
    return f"NOT {joined}" if condition.operator == "NOT" else joined


def text_literal(text: str) -> str:
    """`text` as a SQL string: only the quote needs doubling, a backslash stands for itself."""
    return "'" + text.replace("'", "''") + "'"


def ids_condition(ids: list[str]) -> str:
    """The condition that a row's id is one of `ids`."""
    return f"id IN ({', '.join(map(text_literal, ids))})" if ids else "false"


def _comparison(comparison: Comparison) -> str:
    field, operator, value = comparison.field, comparison.operator, comparison.value
    if operator in ("in", "not in"):
        return _equality(field, value, negated=operator == "not in")
    if operator in ("==", "!="):
        return _equality(field, [value], negated=operator == "!=")
    return _order(field, operator, value)


def _equality(field: str, values: list[Any], negated: bool) -> str:
    if field in _TEXT_COLUMNS:
        condition = _text_equality(field, values)
    else:
        path = path_of_field(field)
        if path is None:  # as good as a field that is None in every document
            condition = "true" if any(value is None for value in values) else "false"
        else:
            condition = _meta_equality(path, values)
    return f"NOT {condition}" if negated else condition


def _meta_equality(path: str, values: list[Any]) -> str:
    parts = []
    labels = [label for value in values if value is not None for label in equality_labels(path, value)]
    if labels:
        listed = ", ".join(text_literal(label) for label in dict.fromkeys(labels))
        parts.append(f"array_has_any(kv, [{listed}])")
    if any(value is None for value in values):
        parts.append(f"NOT array_has_any(kv, [{text_literal(exists_label(path))}])")
    return "(" + (" OR ".join(parts) or "false") + ")"


def _text_equality(column: str, values: list[Any]) -> str:
    parts = []
    texts = [value for value in values if isinstance(value, str)]
    if column == "content":  # kept as words are looked for in it
        texts = [search_form(text) for text in texts]
    if texts:
        parts.append(f"coalesce({column} IN ({', '.join(map(text_literal, dict.fromkeys(texts)))}), false)")
    if any(value is None for value in values):
        parts.append(f"{column} IS NULL")
    return "(" + (" OR ".join(parts) or "false") + ")"


def _order(field: str, operator: str, value: Any) -> str:
    if value is None:
        return "false"  # Haystack: nothing is larger or smaller than None
    path = path_of_field(field)
    if isinstance(value, str):
        value = parse_moment(value)
    if path is None:
        return "false"
    if isinstance(value, datetime):
        parts = [
            f"coalesce(json_get_int(nums, {text_literal(path + STEP + kind)}) {operator} {micros}, false)"
            for kind, micros in matching_moments(value)
        ]
        return "(" + " OR ".join(parts) + ")"
    try:
        number = float(value)
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    if number != number:
        return "false"
    return f"coalesce(json_get_float(nums, {text_literal(path)}) {operator} {_float_literal(number)}, false)"


def _float_literal(number: float) -> str:
    if number in (float("inf"), float("-inf")):
        # Stored numbers are held within a double's range, an infinite one at its end.
        number = 1.7976931348623157e308 if number > 0 else -1.7976931348623157e308
    return f"cast('{json.dumps(number)}' as double)"
