"""Haystack's filters as Elasticsearch queries: elasticsearch-haystack's translation behind checks of our own."""

from typing import Any

from haystack.errors import FilterError
from haystack_integrations.document_stores.elasticsearch.filters import COMPARISON_OPERATORS, _normalize_filters

_ORDERED = frozenset({">", ">=", "<", "<="})
_DEEPEST = 20  # levels; a filter is written by hand or by a program, never nested by the hundred


def to_query(filters: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    :param filters: In Haystack's syntax; empty or None for no filter.
    :returns: An Elasticsearch query, or None.
    :raises FilterError: When the filter is malformed; the message says where.
    """
    if not filters:
        return None
    _check(filters, 1)
    return {"bool": {"filter": _normalize_filters(filters)}}


def some(filters: dict[str, Any]) -> dict[str, Any]:
    """The query of a filter that must not be empty, because what matches is changed."""
    query = to_query(filters)
    if query is None:
        raise FilterError("an empty filter would change every document; say so with delete_all_documents")
    return query


def _check(condition: Any, level: int) -> None:
    if level > _DEEPEST:
        raise FilterError(f"the filter is nested more than {_DEEPEST} levels deep")
    if not isinstance(condition, dict):
        raise FilterError(f"a condition of a filter must be a dictionary, not {type(condition).__name__}")
    if "field" in condition:
        operator = condition.get("operator")
        if not isinstance(condition["field"], str) or not condition["field"]:
            raise FilterError(f"field is {condition['field']!r}, but must be a name such as 'meta.page_number'")
        if not isinstance(operator, str) or operator not in COMPARISON_OPERATORS:
            raise FilterError(f"operator is {operator!r}, but must be one of {', '.join(COMPARISON_OPERATORS)}")
        if "value" not in condition:
            raise FilterError(f"the condition on {condition['field']} has no 'value'")
        if condition["field"] == "embedding":
            raise FilterError("documents are not filtered by their embedding: ask hybrid_search with one")
        if operator in _ORDERED and (condition["field"] == "content" or isinstance(condition["value"], dict)):
            raise FilterError(
                f"{operator} orders numbers and dates, not {condition['field']} by {condition['value']!r}"
            )
        return
    inner = condition.get("conditions")
    if "operator" not in condition or not isinstance(inner, list) or not inner:
        raise FilterError("a filter needs 'field', 'operator' and 'value', or 'operator' and a list of 'conditions'")
    for one in inner:
        _check(one, level + 1)
