"""Asks an index by aggregations for its meta fields, their ranges and distinct values; raises what a search does."""

from collections.abc import Callable
from typing import Any

from components.stores.elasticsearch.index.mapping import RESERVED

_Search = Callable[[dict[str, Any]], dict[str, Any]]
_MOST_VALUES = 10_000  # of one field that are counted one by one
_DATES = ("date", "date_nanos")


def to_index_name(field: str) -> str:
    """The field's name in the index, where meta lies flat."""
    return field.removeprefix("meta.")


def read_fields(caps: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The meta fields that hold a value, each with its type, out of a `_field_caps` reply."""
    fields = {}
    for name, kinds in caps.get("fields", {}).items():
        about = next(iter(kinds.values()))
        of_another = any(name.startswith(f"{other}.") for other in caps["fields"] if other != name)
        if about.get("metadata_field") or name in RESERVED or of_another or about["type"] in ("object", "nested"):
            continue
        fields[name] = {"type": about["type"]}
    return fields


def count_unique(search: _Search, query: dict[str, Any] | None, fields: list[str]) -> dict[str, int]:
    """How many distinct values each field has (exact up to 40,000, then within about 5 %)."""
    names = [to_index_name(field) for field in fields]
    counting = {name: {"cardinality": {"field": name, "precision_threshold": 40_000}} for name in names}
    reply = search({"size": 0, "query": query or {"match_all": {}}, "aggs": counting})
    return {name: int(reply["aggregations"][name]["value"]) for name in names}


def find_range(search: _Search, field: str) -> dict[str, Any]:
    """The smallest and largest number (of dates: milliseconds since 1970); None where there is none."""
    name = to_index_name(field)
    stats = search({"size": 0, "aggs": {"range": {"stats": {"field": name}}}})["aggregations"]["range"]
    return {side: _to_whole(stats.get(side)) for side in ("min", "max")}


def list_values(search: _Search, field: str, search_term: str | None, query: dict[str, Any] | None) -> list[Any]:
    """
    The distinct values in the order of Elasticsearch's composite aggregation, which pages through them all.

    :param search_term: Only the values that contain it, whatever its case.
    """
    name = to_index_name(field)
    values: list[Any] = []
    after: dict[str, Any] | None = None
    while True:
        composite: dict[str, Any] = {"size": _MOST_VALUES, "sources": [{"value": {"terms": {"field": name}}}]}
        if after is not None:
            composite["after"] = after
        reply = search({"size": 0, "query": query or {"match_all": {}}, "aggs": {"values": {"composite": composite}}})
        page = reply["aggregations"]["values"]
        values += [_to_whole(bucket["key"]["value"]) for bucket in page["buckets"]]
        after = page.get("after_key")
        if after is None or len(page["buckets"]) < _MOST_VALUES:
            break
    if search_term:
        values = [value for value in values if search_term.lower() in str(value).lower()]
    return values


def _to_whole(value: Any) -> Any:
    """Numbers are kept as doubles, in which 1 and 1.0 are the same: whole ones are handed out as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
