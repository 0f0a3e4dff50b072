"""The text inside a block or a table cell: breaks, alternatives of pictures, raised digits, formulas, quotes."""

import re
from collections.abc import Iterator
from typing import Any

from indexing.convert.raised import lowered, raised

# fmt: off
UNSEEN = frozenset({
    "script", "style", "template", "noscript", "head", "title", "iframe", "object", "embed", "datalist", "rt", "rp",
    "audio", "video", "canvas", "map", "base", "link", "meta", "annotation", "annotation-xml", "colgroup",
})
# fmt: on
MARKED = {"sup", "sub", "msup", "msub", "msubsup", "mfrac", "msqrt", "mroot", "q"}
_MADE_BY_MACHINE = re.compile(
    r"^(image|img|photo|picture|logo|icon|spacer|banner)?[\s\d_.-]*(\.(png|jpe?g|gif|svg))?$", re.I
)


def children_of(node: Any) -> Iterator[Any]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def alternative(node: Any) -> str:
    """What a picture says to those who do not see it; nothing where it repeats a file's name."""
    text = " ".join(((node.attributes or {}).get("alt") or "").split())
    return "" if _MADE_BY_MACHINE.match(text) else text


def marked(node: Any, text: str, before: str) -> str:
    """How the text of an element of `MARKED` reads behind `before`."""
    tag = node.tag
    if tag == "sup":
        return raised(text, before, linked=node.css_first("a[href]") is not None)
    if tag == "sub":
        return lowered(text, before)
    if tag == "q":
        return f"“{text.strip()}”"
    parts = [" ".join(child.text().split()) for child in children_of(node) if not child.tag.startswith("-")]
    if tag == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if tag in ("msup", "msub") and len(parts) == 2:
        return f"{parts[0]}{'^' if tag == 'msup' else '_'}{_grouped(parts[1])}"
    if tag == "msubsup" and len(parts) == 3:
        return f"{parts[0]}_{_grouped(parts[1])}^{_grouped(parts[2])}"
    if tag == "msqrt":
        return f"√({text.strip()})"
    return text


def _grouped(text: str) -> str:
    return text if text.lstrip("-−").isalnum() else f"({text})"


def collapsed(text: str) -> str:
    return re.sub(r" ?\n ?", "\n", re.sub(r"[ \t\r\f\v]+", " ", text)).strip()


def count_text(node: Any) -> int:
    """Characters of an element's text, white space at the ends of its parts left out."""
    count, waiting = 0, [node]
    while waiting:
        one = waiting.pop()
        if one.tag == "-text":
            count += len(one.text_content.strip())
        elif one.tag not in UNSEEN:
            waiting.extend(children_of(one))
    return count
