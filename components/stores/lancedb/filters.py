"""Haystack's filters as the SQL that LanceDB runs inside its scans and searches."""

import json
from datetime import datetime
from typing import Any

from haystack.errors import FilterError

from components.stores.lancedb.filter_columns import (
    STEP,
    equality_labels,
    exists_label,
    matching_moments,
    parse_moment,
    path_of,
)

# LanceDB's SQL parser refuses about 16 levels of brackets and needs exponential time beyond (60 nested NOT hang it).
# Nesting is counted after AND in AND and OR in OR have been laid flat; the width of a filter is not limited.
MAX_DEPTH = 10

_LOGICAL = ("AND", "OR", "NOT")
_EQUALITY = ("==", "!=", "in", "not in")
_ORDER = (">", ">=", "<", "<=")
_TEXT_COLUMNS = ("id", "content")
_NO_FILTER_ON = ("blob", "embedding", "sparse_embedding", "score", "meta")


def to_sql(filters: dict[str, Any] | None) -> str | None:
    """
    :param filters: Haystack's filter syntax; None or {} mean every document.
    :returns: A condition for a `where`, or None for every document.
    :raises FilterError: When the filter is malformed, nested too deep, or asks for what cannot be compared.
    """
    if not filters:
        return None
    if not isinstance(filters, dict):
        raise FilterError(f"A filter must be a dictionary, not {type(filters).__name__}")
    return _condition(filters, 1)


def text_literal(text: str) -> str:
    """`text` as a SQL string: only the quote needs doubling, a backslash stands for itself."""
    return "'" + text.replace("'", "''") + "'"


def ids_condition(ids: list[str]) -> str:
    """The condition that a row's id is one of `ids`."""
    return f"id IN ({', '.join(map(text_literal, ids))})" if ids else "false"


def _condition(node: Any, depth: int) -> str:
    if not isinstance(node, dict):
        raise FilterError(f"A condition of a filter must be a dictionary, not {type(node).__name__}")
    return _comparison(node) if "field" in node else _logical(node, depth)


def _logical(node: dict[str, Any], depth: int) -> str:
    if depth > MAX_DEPTH:
        raise FilterError(
            f"The filter nests AND, OR and NOT more than {MAX_DEPTH} deep, which the embedded store does not take. "
            "Write it flatter: conditions of one operator can stand side by side in one list, and `in` takes a list."
        )
    for key in ("operator", "conditions"):
        if key not in node:
            raise FilterError(f"'{key}' key missing in a filter with the keys {sorted(node)}")
    operator, conditions = node["operator"], node["conditions"]
    if operator not in _LOGICAL:
        raise FilterError(f"Unknown logical operator {operator!r}. Valid operators are: {', '.join(_LOGICAL)}")
    if not isinstance(conditions, list):
        raise FilterError(f"'conditions' must be a list, not {type(conditions).__name__}")
    if operator == "OR":
        return _joined("OR", _flat(conditions, "OR"), depth) if conditions else "false"
    both = _joined("AND", _flat(conditions, "AND"), depth) if conditions else "true"
    return both if operator == "AND" else f"NOT {both}"


def _joined(operator: str, conditions: list[Any], depth: int) -> str:
    parts = dict.fromkeys(_condition(condition, depth + 1) for condition in conditions)
    return "(" + f" {operator} ".join(parts) + ")"


def _flat(conditions: list[Any], operator: str) -> list[Any]:
    """Conditions with those of nested nodes of the same operator pulled up; by a stack, since nesting has no bound."""
    flat: list[Any] = []
    waiting = list(reversed(conditions))
    while waiting:
        node = waiting.pop()
        nested = node.get("conditions") if isinstance(node, dict) and node.get("operator") == operator else None
        if isinstance(nested, list) and nested and "field" not in node:
            waiting.extend(reversed(nested))
        else:
            flat.append(node)
    return flat


def _comparison(node: dict[str, Any]) -> str:
    for key in ("operator", "value"):
        if key not in node:
            raise FilterError(f"'{key}' key missing in a filter with the keys {sorted(node)}")
    field, operator, value = node["field"], node["operator"], node["value"]
    if operator not in (*_EQUALITY, *_ORDER):
        allowed = ", ".join((*_EQUALITY, *_ORDER))
        raise FilterError(f"Unknown comparison operator {operator!r}. Valid operators are: {allowed}")
    if not isinstance(field, str):
        raise FilterError(f"'field' must be a string such as 'meta.year', not {type(field).__name__}")
    if field in _NO_FILTER_ON:
        raise FilterError(f"Documents cannot be filtered on {field!r}. Filter on 'id', 'content' or 'meta.<key>'.")
    if operator in ("in", "not in"):
        if not isinstance(value, list):
            raise FilterError(f"Operator {operator!r} needs a list of values, not {type(value).__name__}")
        return _equality(field, value, negated=operator == "not in")
    if operator in ("==", "!="):
        return _equality(field, [value], negated=operator == "!=")
    return _order(field, operator, value)


def _meta_path(field: str) -> str | None:
    """The path inside `meta`, or None when no document can have such a field."""
    root, *steps = field.split(".")
    if not steps:
        return path_of((field,))  # filters of old call a meta field by its bare name
    return path_of(tuple(steps)) if root == "meta" else None


def _equality(field: str, values: list[Any], negated: bool) -> str:
    if field in _TEXT_COLUMNS:
        condition = _text_equality(field, values)
    else:
        path = _meta_path(field)
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
    if texts:
        parts.append(f"coalesce({column} IN ({', '.join(map(text_literal, dict.fromkeys(texts)))}), false)")
    if any(value is None for value in values):
        parts.append(f"{column} IS NULL")
    return "(" + (" OR ".join(parts) or "false") + ")"


def _order(field: str, operator: str, value: Any) -> str:
    if value is None:
        return "false"  # Haystack: nothing is larger or smaller than None
    if field in _TEXT_COLUMNS:
        raise FilterError(f"Texts cannot be ordered: {field!r} takes ==, !=, in and not in, not {operator!r}")
    path = _meta_path(field)
    if isinstance(value, str):
        moment = parse_moment(value)
        if moment is None:
            raise FilterError(
                f"Operator {operator!r} compares numbers and ISO 8601 dates (2024-05-31, 2024-05-31T12:00:00+02:00); "
                "the string given is neither."
            )
        value = moment
    if not isinstance(value, (bool, int, float, datetime)):
        raise FilterError(f"Operator {operator!r} compares numbers and dates, not {type(value).__name__}")
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
