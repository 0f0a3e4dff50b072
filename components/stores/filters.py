"""
Filters in Haystack's syntax: checked once, for stores, YAML and command line alike, and brought into their least form.

Conditions of one operator that are nested are laid side by side, and equalities of one field become one `in`, so that a
filter of thousands of names is one look-up in an index instead of an expression thousands of levels deep.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from haystack.errors import FilterError

from components.stores.iso_dates import parse_moment

# Levels of AND, OR and NOT in each other, after nested ones of the same operator have been laid flat. LanceDB's SQL
# parser refuses about 16 levels of brackets and needs exponential time beyond (60 nested NOT hang it).
MAX_DEPTH = 10
# Conditions that are left after folding: each costs a scan or a look-up, and a parser's stack.
MAX_CONDITIONS = 1_000
# Values of all conditions together. Elasticsearch takes 65,536 in one list.
MAX_VALUES = 50_000

LOGIC = ("AND", "OR", "NOT")
EQUALITY = ("==", "!=", "in", "not in")
ORDER = (">", ">=", "<", "<=")
COMPARISONS = ("==", "!=", *ORDER, "in", "not in")
_NO_FILTER_ON = ("blob", "embedding", "sparse_embedding", "score", "meta")
_FORM = '{"field": "meta.year", "operator": ">=", "value": 2020}'
_FOLDS = {"OR": ("==", "in"), "AND": ("!=", "not in")}


class InvalidFilter(FilterError, ValueError):
    """A filter that is malformed, too large, or asks for what cannot be compared; the message says where."""


@dataclass(frozen=True)
class Comparison:
    """One field against a value, a list of values for `in` and `not in`."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Group:
    """Conditions joined by `operator`; NOT means that not all of them hold."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: tuple["Condition", ...]


Condition = Comparison | Group
EVERYTHING = Group("AND", ())
NOTHING = Group("OR", ())


def normalise(filters: Any, where: str = "filter", allow_empty: bool = True) -> Condition | None:
    """
    Check a filter as `DocumentStore.filter_documents` takes it.

    :param where: What the filter is called in a message.
    :param allow_empty: Whether AND, OR and NOT may have no conditions and a field no name, as programs write them: AND
        of none is true, OR of none is false. Written by hand, both are mistakes.
    :returns: The filter in its least form; None for every document.
    :raises InvalidFilter: naming the place in the filter, what is given there, and what is allowed.
    """
    if filters is None or filters == {}:
        return None
    reader = _Reader(allow_empty)
    condition = reader.condition(filters, where, 1)
    if (left := _count(condition)) > MAX_CONDITIONS:
        raise InvalidFilter(
            f"{where}: {left:,} conditions are left after equal fields have been folded, more than {MAX_CONDITIONS:,}; "
            "an `in` takes a list of up to 50,000 values and counts as one"
        )
    return None if condition == EVERYTHING else condition


def require(filters: Any) -> Condition:
    """
    `normalise` for a filter whose documents are about to be changed.

    :raises InvalidFilter: also when it leaves every document.
    """
    condition = normalise(filters)
    if condition is None:
        raise InvalidFilter("An empty filter would change every document; say so with delete_all_documents")
    return condition


def to_haystack(condition: Condition) -> dict[str, Any]:
    """The condition in Haystack's syntax again."""
    if isinstance(condition, Comparison):
        return {"field": condition.field, "operator": condition.operator, "value": condition.value}
    return {"operator": condition.operator, "conditions": [to_haystack(one) for one in condition.conditions]}


class _Reader:
    """Turns dictionaries into conditions, counting what has been seen of one filter."""

    def __init__(self, allow_empty: bool) -> None:
        self.allow_empty = allow_empty
        self.values = 0

    def condition(self, node: Any, where: str, depth: int) -> Condition:
        if not isinstance(node, dict):
            raise InvalidFilter(f"{where}: {_short(node)} is no filter; write {_FORM}")
        if "field" in node:
            return self._comparison(node, where)
        operator, conditions = self._group(node, where)
        if depth > MAX_DEPTH:
            raise InvalidFilter(
                f"{where.split('.conditions')[0]}: AND, OR and NOT are nested more than {MAX_DEPTH} deep. Write it "
                "flatter: conditions of one operator can stand side by side in one list, and `in` takes a list"
            )
        inner: Literal["AND", "OR"] = "OR" if operator == "OR" else "AND"
        parts = [self.condition(one, there, depth + 1) for one, there in self._flat(conditions, inner, where)]
        joined = _join(inner, parts)
        return joined if operator != "NOT" else _negate(joined)

    def _group(self, node: dict[str, Any], where: str) -> tuple[str, list[Any]]:
        operator = node.get("operator")
        if operator not in LOGIC:
            raise InvalidFilter(
                f"{where}: operator {_short(operator)}; with conditions one of {', '.join(LOGIC)}; else {_FORM}"
            )
        conditions = node.get("conditions")
        if not isinstance(conditions, list) or not (conditions or self.allow_empty):
            raise InvalidFilter(f"{where}: {operator} needs `conditions`, a list of at least one filter")
        _refuse_others(node, ("operator", "conditions"), where)
        self._count(len(conditions), where)
        return operator, conditions

    def _flat(self, conditions: Sequence[Any], operator: str, where: str) -> list[tuple[Any, str]]:
        """Conditions with those of nested nodes of `operator` pulled up; by a stack: that nesting has no bound."""
        flat: list[tuple[Any, str]] = []
        waiting = [(one, f"{where}.conditions[{index}]") for index, one in enumerate(conditions)][::-1]
        while waiting:
            node, there = waiting.pop()
            if isinstance(node, dict) and "field" not in node and node.get("operator") == operator:
                nested = self._group(node, there)[1]
                # Named by the list they end up in: a path of thousands of steps helps nobody.
                place = there if len(there) < 200 else f"{where}.conditions[...]"
                waiting.extend([(one, f"{place}.conditions[{index}]") for index, one in enumerate(nested)][::-1])
            else:
                flat.append((node, there))
        return flat

    def _comparison(self, node: dict[str, Any], where: str) -> Comparison:
        field, operator = node["field"], node.get("operator")
        if not isinstance(field, str) or not (field or self.allow_empty):
            raise InvalidFilter(f"{where}: field {_short(field)} must be a name such as meta.year")
        if field in _NO_FILTER_ON:
            raise InvalidFilter(f"{where}: documents are not filtered by {field!r}; use id, content or meta.<key>")
        if operator not in COMPARISONS:
            raise InvalidFilter(f"{where}: operator {_short(operator)}; allowed are {', '.join(COMPARISONS)}")
        if "value" not in node:
            raise InvalidFilter(f"{where}: `value` is missing; write {_FORM}")
        value = node["value"]
        if operator in ("in", "not in"):
            if not isinstance(value, list):
                raise InvalidFilter(f"{where}: operator {operator!r} needs a list as value, not {_short(value)}")
            self._count(len(value), where)
        elif operator in ORDER:
            _check_order(field, operator, value, where)
        _refuse_others(node, ("field", "operator", "value"), where)
        return Comparison(field, operator, value)

    def _count(self, more: int, where: str) -> None:
        self.values += more
        if self.values > MAX_VALUES:
            raise InvalidFilter(f"{where}: more than {MAX_VALUES:,} conditions and values in one filter")


def _join(operator: Literal["AND", "OR"], parts: Sequence[Condition]) -> Condition:
    neutral, absorbing = (EVERYTHING, NOTHING) if operator == "AND" else (NOTHING, EVERYTHING)
    if absorbing in parts:
        return absorbing
    flat: list[Condition] = []
    for part in parts:
        if isinstance(part, Group) and part.operator == operator:
            flat.extend(part.conditions)  # a group of one condition was that condition, or it was neutral
        else:
            flat.append(part)
    folded = _fold(operator, flat)
    if not folded:
        return neutral
    return folded[0] if len(folded) == 1 else Group(operator, tuple(folded))


def _negate(joined: Condition) -> Condition:
    if joined in (EVERYTHING, NOTHING):
        return NOTHING if joined == EVERYTHING else EVERYTHING
    inner = joined.conditions if isinstance(joined, Group) and joined.operator == "AND" else (joined,)
    return Group("NOT", inner)


def _fold(operator: str, conditions: Sequence[Condition]) -> list[Condition]:
    """Equalities of one field, joined so that one list of values says the same, become that list."""
    single, several = _FOLDS[operator]
    lists: dict[str, list[Any]] = {}
    folded: list[Condition | str] = []
    for one in conditions:
        if not isinstance(one, Comparison) or not _is_foldable(one, single, several):
            folded.append(one)
            continue
        if one.field not in lists:
            lists[one.field] = []
            folded.append(one.field)
        lists[one.field] += [one.value] if one.operator == single else one.value
    return [
        one if not isinstance(one, str) else _listed(one, lists[one], single, several)
        for one in folded
    ]  # fmt: skip


def _is_foldable(one: Comparison, single: str, several: str) -> bool:
    """Only plain values: stores treat None and lists in an `in` otherwise than beside an `==`."""
    values = [one.value] if one.operator == single else one.value if one.operator == several else None
    return values is not None and all(isinstance(value, str | bool | int | float | datetime) for value in values)


def _listed(field: str, values: list[Any], single: str, several: str) -> Comparison:
    return Comparison(field, single, values[0]) if len(values) == 1 else Comparison(field, several, values)


def _check_order(field: str, operator: str, value: Any, where: str) -> None:
    if value is None:
        return  # Haystack: nothing is larger or smaller than None
    if field in ("id", "content"):
        raise InvalidFilter(f"{where}: texts are not ordered; {field!r} takes ==, !=, in and not in, not {operator!r}")
    if isinstance(value, str):
        if parse_moment(value) is None:
            raise InvalidFilter(
                f"{where}: {operator!r} compares numbers and ISO 8601 dates (2024-05-31, 2024-05-31T12:00:00+02:00); "
                "the text given is neither"
            )
    elif not isinstance(value, bool | int | float | datetime):
        raise InvalidFilter(f"{where}: {operator!r} compares numbers and dates, not {type(value).__name__}")


def _count(condition: Condition) -> int:
    return 1 if isinstance(condition, Comparison) else sum(map(_count, condition.conditions))


def _refuse_others(node: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    if len(node) > len(allowed) or any(key not in allowed for key in node):
        others = ", ".join(_short(key) for key in node if key not in allowed)
        raise InvalidFilter(f"{where}: {others} unknown here; allowed are {', '.join(allowed)}")


def _short(value: Any) -> str:
    """A value as a message can hold it, however large it is and whatever it contains."""
    if isinstance(value, dict | list | tuple | set):
        return f"a {type(value).__name__} of {len(value):,}"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
