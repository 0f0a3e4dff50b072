"""
Translates filters into Elasticsearch queries; raises FilterError for those that are malformed or too large.

Equality asks for labels (`components.stores.filter_labels`), which every passage carries in a field of its own: of
Elasticsearch's own kinds of fields none knows equal lists, tells "1" from 1, or holds a text of 9,000 characters. What
passages carry themselves, and a mapping types, is asked for directly.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from components.stores import filters as common
from components.stores.elasticsearch.index.mapping import LABELS, PASSAGE_FIELDS
from components.stores.filter_labels import equality_labels, exists_label, leaves, path_of, path_of_field, value_labels
from components.stores.filters import Comparison, Condition
from components.stores.iso_dates import parse_moment

_Query = dict[str, Any]
_RANGES = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_SIDES = {"gt": "lower", "gte": "lower", "lt": "upper", "lte": "upper"}
_MOST_TERMS = 60_000  # of one list; Elasticsearch takes 65,536, and a date has two labels


def labels_of(meta: dict[str, Any]) -> list[str]:
    """The labels of a passage: that a field is there, what it equals, and as what it can be ordered."""
    labels = []
    for path, value in leaves({key: value for key, value in meta.items() if key not in PASSAGE_FIELDS}):
        labels += [exists_label(path), *value_labels(path, value)]
        if isinstance(value, bool | int | float):
            labels.append(_order_label(path, is_date=False))
        elif isinstance(value, str) and parse_moment(value) is not None:
            labels.append(_order_label(path, is_date=True))
    return labels


def to_query(filters: dict[str, Any] | None, labelled: bool = True) -> _Query | None:
    """
    :param filters: In Haystack's syntax; empty or None for no filter.
    :param labelled: Whether the index's passages carry labels; those of an index that was made before there were any,
        or with a mapping of the user's own, are asked by their fields, as Elasticsearch understands them.
    :returns: An Elasticsearch query, or None for every document.
    :raises FilterError: When the filter is malformed or too large; the message says where.
    """
    condition = common.normalise(filters)
    return None if condition is None else _Translation(labelled).query(condition)


def require_query(filters: dict[str, Any], labelled: bool = True) -> _Query:
    """The query of a filter that must not be empty, because what matches is changed; raises FilterError if it is."""
    return _Translation(labelled).query(common.require(filters))


class _Translation:
    """
    :param labelled: as `to_query` takes it.
    """

    def __init__(self, labelled: bool) -> None:
        self.labelled = labelled

    def query(self, condition: Condition) -> _Query:
        if isinstance(condition, Comparison):
            return self._ordered(self._compare(condition))
        queries = [
            self._compare(one) if isinstance(one, Comparison) else self.query(one) for one in condition.conditions
        ]
        if condition.operator == "OR":
            queries = [self._ordered(one) for one in queries]
            return {"bool": {"should": queries, "minimum_should_match": 1}} if queries else {"match_none": {}}
        queries = [self._ordered(one) for one in _merge_ranges(queries)]
        if condition.operator == "AND":
            return {"bool": {"filter": queries}}
        return _not({"bool": {"filter": queries}})

    def _compare(self, condition: Comparison) -> _Query:
        field, operator, value = condition.field, condition.operator, condition.value
        name = field.removeprefix("meta.")
        if operator in _RANGES:
            # Haystack: nothing is larger or smaller than None.
            return {"match_none": {}} if value is None else {"range": {name: {_RANGES[operator]: value}}}
        values = value if operator in ("in", "not in") else [value]
        if not self.labelled or field in ("id", "content"):
            query = _one_of(name, values) if operator in ("in", "not in") else _equal(name, value)
        elif name in PASSAGE_FIELDS:
            query = _one_of(name, [one for one in values if _is_of(one, PASSAGE_FIELDS[name]["type"])])
        else:
            query = _labelled(path_of_field(field), values)
        return _not(query) if operator in ("!=", "not in") else query

    def _ordered(self, query: _Query) -> _Query:
        """A range over numbers, or over dates, leaves other things in the field aside: lists, texts that are none."""
        if not self.labelled or "range" not in query:
            return query
        [(name, bounds)] = query["range"].items()
        if name in PASSAGE_FIELDS:
            return query
        is_date = isinstance(next(iter(bounds.values())), str | datetime)
        label = _order_label(path_of(tuple(name.split("."))), is_date)
        return {"bool": {"filter": [{"term": {LABELS: label}}, query]}}


def _order_label(path: str, is_date: bool) -> str:
    return f"{'@' if is_date else '#'}{path}"


def _labelled(path: str | None, values: list[Any]) -> _Query:
    """Passages whose field equals one of `values`."""
    if path is None:  # as good as a field that is None in every document
        return {"match_all": {}} if None in values else {"match_none": {}}
    found = [label for value in values if value is not None for label in equality_labels(path, value)]
    labels = list(dict.fromkeys(found))
    parts: list[_Query] = [
        {"terms": {LABELS: labels[first : first + _MOST_TERMS]}} for first in range(0, len(labels), _MOST_TERMS)
    ]
    if any(value is None for value in values):
        parts.append(_not({"term": {LABELS: exists_label(path)}}))
    if not parts:
        return {"match_none": {}}
    return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}


def _is_of(value: Any, kind: str) -> bool:
    """Whether a field of the mapping's kind can equal the value at all: Elasticsearch would make text of a number."""
    if value is None:
        return True
    if kind == "keyword":
        return isinstance(value, str)
    return isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer())


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
