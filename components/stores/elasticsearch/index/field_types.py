"""
Finds a meta value whose type differs from earlier documents; Elasticsearch would silently store a number as text where
text came first.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_KINDS: dict[type, str] = {str: "text", int: "a number", float: "a number", bool: "true or false"}
_BY_TYPE = {
    **dict.fromkeys(("keyword", "text", "date"), "text"),
    **dict.fromkeys(("double", "float", "long", "integer"), "a number"),
    "boolean": "true or false",
}


class FieldTypes:
    """
    The types of the fields that the mapping did not foresee.

    :param read_mapping: Returns the index's mapping; called when a passage has a field that is not known yet.
    :param declared: Fields whose type somebody chose: what is written to or below them is Elasticsearch's to judge.
    """

    def __init__(self, read_mapping: Callable[[], Mapping[str, Any]], declared: frozenset[str]) -> None:
        self._read_mapping, self._declared = read_mapping, declared
        self._known: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._is_read = False

    def begin_write(self) -> None:
        """Another write: what the last one brought counts only if the index holds it."""
        self._new, self._is_read = {}, False

    def find_conflict(self, meta: Mapping[str, Any]) -> tuple[str, str] | None:
        """The first field that holds another kind of value than in the passages before, and what to say of it."""
        found: dict[str, str] = {}
        guessed = {name: value for name, value in meta.items() if name not in self._declared}
        for name, kind in _leaves(guessed, ""):
            expected = self._expected(name) or found.get(name)
            if expected is not None and expected != kind:
                reason = f"holds another type than in the documents before: {kind}, where it was {expected}"
                return name, f"field {name} {reason}: give it one type, or say which with meta_fields"
            found[name] = kind
        self._new.update(found)
        return None

    def _expected(self, name: str) -> str | None:
        kind = self._known.get(name) or self._new.get(name)
        if kind is None and not self._is_read:
            self._is_read = True
            self._known = dict(_mapped(self._read_mapping().get("properties", {}), ""))
            kind = self._known.get(name)
        return kind


def _leaves(meta: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """(field, kind) of each value; lists are their elements, as for Elasticsearch."""
    for name, value in meta.items():
        if (kind := _KINDS.get(type(value))) is not None:
            yield prefix + name, kind
        elif isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            for one in value:
                yield from _leaves({name: one}, prefix)


def _mapped(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, about in properties.items():
        if (kind := _BY_TYPE.get(about.get("type", ""))) is not None:
            yield prefix + name, kind
        yield from _mapped(about.get("properties", {}), f"{prefix}{name}.")
