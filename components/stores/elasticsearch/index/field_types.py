"""One kind of value a meta field: Elasticsearch would turn a number into text, silently, where text came first."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_KINDS: dict[type, str] = {str: "text", int: "a number", float: "a number", bool: "true or false"}
_BY_TYPE = {
    **dict.fromkeys(("keyword", "text", "date"), "text"),
    **dict.fromkeys(("double", "float", "long", "integer"), "a number"),
    "boolean": "true or false",
}


class MetaKinds:
    """
    What the fields hold that the mapping did not foresee.

    :param look: Brings the index's mapping; asked when a passage has a field that is not known yet.
    :param declared: Fields whose type somebody chose: what is written to or below them is Elasticsearch's to judge.
    """

    def __init__(self, look: Callable[[], Mapping[str, Any]], declared: frozenset[str]) -> None:
        self._look, self._declared = look, declared
        self._known: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._looked = False

    def begin(self) -> None:
        """Another write: what the last one brought counts only if the index holds it."""
        self._new, self._looked = {}, False

    def conflict(self, meta: Mapping[str, Any]) -> tuple[str, str] | None:
        """The first field that holds another kind of value than in the passages before, and what to say of it."""
        found: dict[str, str] = {}
        guessed = {name: value for name, value in meta.items() if name not in self._declared}
        for name, kind in _leaves(guessed, ""):
            expected = self._expected(name) or found.get(name)
            if expected is not None and expected != kind:
                told = f"holds another type than in the documents before: {kind}, where it was {expected}"
                return name, f"field {name} {told}: give it one type, or say which with meta_fields"
            found[name] = kind
        self._new.update(found)
        return None

    def _expected(self, name: str) -> str | None:
        kind = self._known.get(name) or self._new.get(name)
        if kind is None and not self._looked:
            self._looked = True
            self._known = dict(_mapped(self._look().get("properties", {}), ""))
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
