"""Filters as Elasticsearch queries: elasticsearch-haystack's translation of what has been checked and folded."""

from typing import Any

from haystack_integrations.document_stores.elasticsearch.filters import _normalize_filters

from components.stores.filters import NOTHING, Condition, normalise, require, to_haystack


def to_query(filters: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    :param filters: In Haystack's syntax; empty or None for no filter.
    :returns: An Elasticsearch query, or None.
    :raises FilterError: When the filter is malformed; the message says where.
    """
    condition = normalise(filters)
    return None if condition is None else _query(condition)


def some(filters: dict[str, Any]) -> dict[str, Any]:
    """The query of a filter that must not be empty, because what matches is changed."""
    return _query(require(filters))


def _query(condition: Condition) -> dict[str, Any]:
    if condition == NOTHING:
        return {"match_none": {}}
    return {"bool": {"filter": _normalize_filters(to_haystack(condition))}}
