"""Checks a metadata filter in Haystack's syntax and says in words what is wrong with it."""

from typing import Any

COMPARISONS = ("==", "!=", ">", ">=", "<", "<=", "in", "not in")
LOGIC = ("AND", "OR", "NOT")
_FORM = '{"field": "meta.year", "operator": ">=", "value": 2020}'


def check_filters(filters: Any, where: str = "filter", depth: int = 0) -> None:
    """
    Check `filters` as `DocumentStore.filter_documents` takes them. None and {} mean no filter.

    :raises ValueError: naming the place in the filter, what is given there, and what is allowed.
    """
    if filters is None or (filters == {} and depth == 0):
        return
    if depth > 20:
        raise ValueError(f"{where}: nested deeper than 20 levels")
    if not isinstance(filters, dict):
        raise ValueError(f"{where}: {filters!r} is no filter; write {_FORM}")
    operator = filters.get("operator")
    if "field" not in filters:
        if operator not in LOGIC:
            raise ValueError(f"{where}: operator {operator!r}; with conditions one of {', '.join(LOGIC)}; else {_FORM}")
        conditions = filters.get("conditions")
        if not isinstance(conditions, list) or not conditions:
            raise ValueError(f"{where}: {operator} needs `conditions`, a list of at least one filter")
        _refuse_others(filters, ("operator", "conditions"), where)
        for index, condition in enumerate(conditions):
            check_filters(condition, f"{where}.conditions[{index}]", depth + 1)
        return
    if not isinstance(filters["field"], str) or not filters["field"]:
        raise ValueError(f"{where}: field {filters['field']!r} must be a name such as meta.year")
    if operator not in COMPARISONS:
        raise ValueError(f"{where}: operator {operator!r}; allowed are {', '.join(COMPARISONS)}")
    if "value" not in filters:
        raise ValueError(f"{where}: `value` is missing; write {_FORM}")
    if operator in ("in", "not in") and not isinstance(filters["value"], list):
        raise ValueError(f"{where}: operator {operator!r} needs a list as value, not {filters['value']!r}")
    _refuse_others(filters, ("field", "operator", "value"), where)


def _refuse_others(filters: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    others = [key for key in filters if key not in allowed]
    if others:
        raise ValueError(f"{where}: {', '.join(map(repr, others))} unknown here; allowed are {', '.join(allowed)}")
