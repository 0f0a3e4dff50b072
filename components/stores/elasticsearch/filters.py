"""Translates filters into Elasticsearch queries; raises FilterError for those that are malformed or too large."""

from collections.abc import Iterable
from typing import Any

from components.stores import filters as common
from components.stores.filters import Comparison, Condition

_Query = dict[str, Any]
_RANGES = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_SIDES = {"gt": "lower", "gte": "lower", "lt": "upper", "lte": "upper"}


def to_query(filters: dict[str, Any] | None) -> _Query | None:
    """
    :param filters: In Haystack's syntax; empty or None for no filter.
    :returns: An Elasticsearch query, or None for every document.
    :raises FilterError: When the filter is malformed or too large; the message says where.
    """
    condition = common.normalise(filters)
    return None if condition is None else _translate(condition)


def require_query(filters: dict[str, Any]) -> _Query:
    """The query of a filter that must not be empty, because what matches is changed; raises FilterError if it is."""
    return _translate(common.require(filters))


def _translate(condition: Condition) -> _Query:
    if isinstance(condition, Comparison):
        return _compare(condition)
    queries = [_translate(one) for one in condition.conditions]
    if condition.operator == "OR":
        return {"bool": {"should": queries, "minimum_should_match": 1}} if queries else {"match_none": {}}
    queries = _merge_ranges(queries)
    if condition.operator == "AND":
        return {"bool": {"filter": queries}}
    return _not({"bool": {"filter": queries}})


def _compare(condition: Comparison) -> _Query:
    field, operator, value = condition.field.removeprefix("meta."), condition.operator, condition.value
    if operator in _RANGES:
        # Haystack: nothing is larger or smaller than None.
        return {"match_none": {}} if value is None else {"range": {field: {_RANGES[operator]: value}}}
    query = _one_of(field, value) if operator in ("in", "not in") else _equal(field, value)
    return _not(query) if operator in ("!=", "not in") else query


def _one_of(field: str, values: Iterable[Any]) -> _Query:
    values = list(values)
    listed = {"terms": {field: [value for value in values if value is not None]}}
    if None not in values:
        return listed
    return {"bool": {"should": [listed, _equal(field, None)], "minimum_should_match": 1}}


def _equal(field: str, value: Any) -> _Query:
    if value is None:
        return _not({"exists": {"field": field}})
    if isinstance(value, list):  # every value, and no other
        script = {"source": "Math.max(params.num_terms, doc[params.field].size())", "params": {"field": field}}
        return {"terms_set": {field: {"terms": value, "minimum_should_match_script": script}}}
    return {"term": {field: value}}


def _not(query: _Query) -> _Query:
    return {"bool": {"must_not": [query]}}


def _merge_ranges(queries: list[_Query]) -> list[_Query]:
    """A lower and an upper bound of one field become one range, which is searched at once."""
    merged: list[_Query] = []
    open_sides: dict[tuple[str, str], dict[str, Any]] = {}  # by field and side: the bounds that lack that side
    for query in queries:
        if "range" not in query:
            merged.append(query)
            continue
        [(field, bounds)] = query["range"].items()
        [side] = {_SIDES[bound] for bound in bounds}
        if (other := open_sides.pop((field, side), None)) is not None:
            other.update(bounds)
            continue
        bounds = dict(bounds)
        merged.append({"range": {field: bounds}})
        open_sides[field, "upper" if side == "lower" else "lower"] = bounds
    return merged
