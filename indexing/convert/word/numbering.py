"""The numbers that Word draws ahead of headings and list items: "2.2", "(b)", "Article IV"."""

import re
from dataclasses import dataclass
from typing import Any

from indexing.convert.word.names import VAL, W, number_of

_PLACE = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_UNITS = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True)
class _Level:
    start: int
    form: str
    text: str
    legal: bool  # w:isLgl: all numbers in Arabic digits
    restart: int | None  # the level whose next number starts this one again; 0: never


class Numbering:
    """
    Counts the lists of one document in reading order.

    :param root: of numbering.xml; None where there is none.
    """

    def __init__(self, root: Any | None) -> None:
        self._abstract: dict[str, dict[int, _Level]] = {}
        self._of_style: dict[tuple[str, str], int] = {}
        self._lists: dict[str, tuple[str, dict[int, _Level]]] = {}
        self._starts: dict[str, dict[int, int]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._seen: set[str] = set()
        if root is None:
            return
        for element in root.iter(f"{W}abstractNum"):
            name = element.get(f"{W}abstractNumId", "")
            self._abstract[name] = _levels(element)
            for level in element.iter(f"{W}lvl"):
                style = level.find(f"{W}pStyle")
                if style is not None:
                    self._of_style[(name, style.get(VAL, ""))] = int(level.get(f"{W}ilvl", "0") or 0)
        for element in root.iter(f"{W}num"):
            self._add(element)

    def _add(self, element: Any) -> None:
        number, target = element.get(f"{W}numId", ""), element.find(f"{W}abstractNumId")
        abstract = target.get(VAL, "") if target is not None else ""
        levels = dict(self._abstract.get(abstract, {}))
        starts: dict[int, int] = {}
        for override in element.iter(f"{W}lvlOverride"):
            depth = _depth(override)
            levels.update(_levels(override))
            if override.find(f"{W}startOverride") is not None:
                starts[depth] = number_of(override.find(f"{W}startOverride"), 1)
        self._lists[number] = (abstract, levels)
        self._starts[number] = starts

    def label(self, list_id: str, depth: int | None, style: str = "") -> str:
        """
        The next number of a list, "" for bullets and lists that are not there.

        :param depth: level from 0; None: the one that is linked to `style`.
        """
        if list_id not in self._lists:
            return ""
        abstract, levels = self._lists[list_id]
        if depth is None:
            depth = self._of_style.get((abstract, style), 0)
        level = levels.get(depth)
        if level is None:
            return ""
        counts = self._counts.setdefault(abstract, {})
        if list_id not in self._seen:
            self._seen.add(list_id)
            for at, start in self._starts[list_id].items():
                counts[at] = start - 1
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for below, other in levels.items():
            if below > depth and (other.restart is None or (other.restart and depth < other.restart)):
                counts.pop(below, None)
        if level.form in ("bullet", "none") and not _PLACE.search(level.text):
            return ""

        def shown(match: "re.Match[str]") -> str:
            at = int(match.group(1)) - 1
            one = levels.get(at, level)
            return _written(counts.get(at, one.start), "decimal" if level.legal else one.form)

        return _PLACE.sub(shown, level.text).strip()


def _levels(parent: Any) -> dict[int, _Level]:
    found = {}
    for element in parent.iter(f"{W}lvl"):
        form, text = element.find(f"{W}numFmt"), element.find(f"{W}lvlText")
        restart = element.find(f"{W}lvlRestart")
        found[_depth(element)] = _Level(
            start=number_of(element.find(f"{W}start"), 0 if element.find(f"{W}start") is not None else 1),
            form=form.get(VAL, "decimal") if form is not None else "decimal",
            text=text.get(VAL, "") if text is not None else "",
            legal=element.find(f"{W}isLgl") is not None,
            restart=number_of(restart, 0) if restart is not None else None,
        )
    return found


def _depth(element: Any) -> int:
    value = element.get(f"{W}ilvl", "0")
    return int(value) if value.isdigit() and len(value) < 3 else 0


def _written(number: int, form: str) -> str:
    if form == "decimalZero":
        return f"{number:02}"
    if form in ("upperRoman", "lowerRoman"):
        return roman(number) if form == "lowerRoman" else roman(number).upper()
    if form in ("upperLetter", "lowerLetter"):
        return letters(number) if form == "lowerLetter" else letters(number).upper()
    if form == "ordinal":
        return f"{number}{'th' if 10 < number % 100 < 14 else _ORDINALS.get(number % 10, 'th')}"
    return "" if form == "none" else str(number)


def roman(number: int) -> str:
    """4 -> iv; what has no Roman form stays Arabic."""
    if not 0 < number < 4000:
        return str(number)
    written = ""
    for value, sign in _ROMAN:
        written += sign * (number // value)
        number %= value
    return written + _ROMAN_UNITS[number]


def letters(number: int) -> str:
    """1 -> a, 26 -> z, 27 -> aa, 28 -> bb, as Word counts."""
    if not 0 < number <= 780:
        return str(number)
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
