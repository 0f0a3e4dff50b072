"""
What of a page is not shown? By attributes and by the page's own style sheets, as far as they can be read simply.

``display: none`` hides for good; ``visibility`` and ``font-size: 0`` are inherited, and a child may take them back.
What a script takes back is never seen here: styles that hide the whole page, or parts until a framework has started
(v-cloak), hide nothing, and when hiding leaves no text, it is ignored (`page.html_text`).
"""

import re
from dataclasses import dataclass
from typing import Any

_RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"(?s)/\*.*?\*/|<!--|-->|<!\[CDATA\[|\]\]>")
_AT_RULE = re.compile(r"@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|@[^{};]*;")
_DECLARATION = re.compile(
    r"(?<![\w-])(display|visibility|font-size|font)\s*:\s*([^;!}]+)(!\s*important)?", re.IGNORECASE
)
_NO_SIZE = re.compile(r"0+(\.0+)?(px|pt|em|rem|ex|%)?")
_SIZE = re.compile(r"\d*\.?\d+(px|pt|cm|mm|in|pc|q|rem|vw|vh)|xx?-small|small|medium|large|x{1,3}-large", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"v-cloak|x-cloak|ng-cloak|data-cloak|async-hide|anti-?(flicker|clickjack)|preload|fouc|"
    r"^\s*(html|body|:root)\b[^\s>+~]*\s*$",
    re.IGNORECASE,
)
_MAX_SHEETS, _MAX_RULES = 50, 3_000


@dataclass
class Look:
    """What rules or a style attribute say of one element; None where they say nothing."""

    display: str | None = None
    visibility: str | None = None
    size: str | None = None  # "none" or "some"


@dataclass(frozen=True)
class Seen:
    """What an element inherits: is its own text shown?"""

    visible: bool = True
    sized: bool = True

    @property
    def shown(self) -> bool:
        return self.visible and self.sized


def looks_of(tree: Any) -> dict[int, Look]:
    """What the page's style sheets say, by the elements' memory ids. Rules inside @media are left aside."""
    found: dict[int, Look] = {}
    rules: list[tuple[tuple[int, int, int], int, str, Look]] = []
    for sheet in tree.css("style")[:_MAX_SHEETS]:
        text = _AT_RULE.sub(" ", _COMMENT.sub(" ", sheet.text()[:200_000]))
        for match in _RULE.finditer(text):
            look = _declared(match.group(2))
            if look is None:
                continue
            for selector in match.group(1).split(","):
                if not _TAKEN_BACK.search(selector):
                    rules.append((_weight(selector), len(rules), selector.strip(), look))
    if not any(_hides(look) for *_, look in rules):
        return {}
    for _, _, selector, look in sorted(rules, key=lambda rule: rule[:2])[:_MAX_RULES]:
        for node in _chosen(tree, selector):
            own = found.setdefault(node.mem_id, Look())
            own.display = look.display or own.display
            own.visibility = look.visibility or own.visibility
            own.size = look.size or own.size
    return found


def see(node: Any, parent: Seen, looks: dict[int, Look], trust_styles: bool = True) -> Seen | None:
    """What is seen of an element's own text; None: nothing of it, and nothing of what is inside it."""
    attributes = node.attributes or {}
    if not trust_styles:
        return parent
    if ("hidden" in attributes and attributes["hidden"] != "until-found") or attributes.get("type") == "hidden":
        return None
    look = looks.get(node.mem_id)
    style = attributes.get("style")
    own = _declared(style) if style else None
    display = (own.display if own else None) or (look.display if look else None)
    if display == "none":
        return None
    visibility = (own.visibility if own else None) or (look.visibility if look else None)
    size = (own.size if own else None) or (look.size if look else None)
    if visibility is None and size is None:
        return parent
    return Seen(
        parent.visible if visibility in (None, "inherit") else visibility not in ("hidden", "collapse"),
        parent.sized if size is None else size == "some",
    )


def _declared(style: str) -> Look | None:
    look = Look()
    for match in _DECLARATION.finditer(style[:20_000]):
        name, value = match.group(1).lower(), match.group(2).strip().lower()
        if name == "display":
            look.display = value
        elif name == "visibility":
            look.visibility = value
        elif name == "font-size":
            look.size = "none" if _NO_SIZE.fullmatch(value) else "some" if _SIZE.fullmatch(value) else look.size
        elif re.search(r"(?<![\w.#])0+(px|pt|em)?(/\S+)?\s", value):
            look.size = "none"
        elif _SIZE.search(value):
            look.size = "some"
    return look if look != Look() else None


def _hides(look: Look) -> bool:
    return look.display == "none" or look.visibility in ("hidden", "collapse") or look.size == "none"


def _weight(selector: str) -> tuple[int, int, int]:
    """The specificity of CSS: ids, classes and attributes, elements."""
    return (
        selector.count("#"),
        len(re.findall(r"[.\[]|(?<!:):(?!:)", selector)),
        len(re.findall(r"(?<![\w.#:\[-])[a-zA-Z]", selector)),
    )


def _chosen(tree: Any, selector: str) -> list[Any]:
    """Elements of a selector; none for one that the parser does not know, whatever it raises then."""
    if not selector or "::" in selector or re.search(r":(hover|focus|active|visited|before|after)", selector):
        return []
    try:
        return list(tree.css(selector))
    except Exception:  # selectolax has no one error for this, and no rule is worth a page
        return []
