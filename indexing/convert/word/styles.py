"""What a paragraph's or a run's style says: heading level, list numbering, hidden, raised."""

from dataclasses import dataclass
from typing import Any

from indexing.convert.office.package import is_on
from indexing.convert.word.names import VAL, W, number_of

_MAX_CHAIN = 20


@dataclass(frozen=True)
class Style:
    """
    :param level: of the heading, from 1; None for text.
    :param list_id: w:numId of the list that the style belongs to, and `list_level` the depth in it.
    :param position: "superscript" or "subscript".
    """

    level: int | None = None
    list_id: str | None = None
    list_level: int | None = None
    hidden: bool = False
    position: str | None = None


class Styles:
    """
    :param root: of styles.xml; None where there is none.
    """

    def __init__(self, root: Any | None) -> None:
        self._elements = (
            {style.get(f"{W}styleId"): style for style in root.iter(f"{W}style")} if root is not None else {}
        )
        self._resolved: dict[str | None, Style] = {None: Style()}

    def of(self, element: Any | None) -> Style:
        """
        :param element: w:pStyle or w:rStyle.
        """
        name = element.get(VAL) if element is not None else None
        if name not in self._resolved:
            self._resolved[name] = self._resolve(name)
        return self._resolved[name]

    def _resolve(self, name: str | None) -> Style:
        level = list_id = list_level = position = None
        hidden = False
        element = self._elements.get(name)
        for _ in range(_MAX_CHAIN):
            if element is None:
                break
            level = level if level is not None else _level(element)
            list_id = list_id or _value(element, "pPr/numPr/numId")
            if list_level is None and (depth := _value(element, "pPr/numPr/ilvl")) and depth.isdigit():
                list_level = int(depth)
            hidden = hidden or is_on(_find(element, "rPr/vanish"))
            position = position or _value(element, "rPr/vertAlign")
            element = self._elements.get(_value(element, "basedOn"))
        return Style(level, list_id, list_level, hidden, position)


def _level(style: Any) -> int | None:
    name = (_value(style, "name") or "").lower()
    if name == "title":
        return 1
    if name.startswith("heading ") and name[8:].isdigit():
        return int(name[8:])
    outline = number_of(_find(style, "pPr/outlineLvl"), 9)
    return outline + 1 if outline < 9 else None


def _find(element: Any, path: str) -> Any | None:
    return element.find("/".join(f"{W}{name}" for name in path.split("/")))


def _value(element: Any, path: str) -> str | None:
    found = _find(element, path)
    return found.get(VAL) if found is not None else None
