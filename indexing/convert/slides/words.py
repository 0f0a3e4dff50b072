"""The paragraphs of a text body in DrawingML: line breaks, raised digits, equations, numbers of lists."""

from collections.abc import Iterator
from typing import Any

from indexing.convert.office.equations import M, equation
from indexing.convert.office.package import MC, A, choice, local
from indexing.convert.raised import lowered, raised
from indexing.convert.word.numbering import letters, roman

_UNREAD_FIELDS = ("slidenum", "datetime")


def paragraphs(body: Any) -> Iterator[str]:
    """Each paragraph, with the number that is drawn ahead of it; empty ones are left out."""
    counts: dict[int, int] = {}
    for paragraph in body:
        if paragraph.tag != f"{A}p":
            continue
        text = paragraph_text(paragraph).strip()
        properties = paragraph.find(f"{A}pPr")
        level = int(properties.get("lvl", "0")) if properties is not None and properties.get("lvl", "").isdigit() else 0
        automatic = properties.find(f"{A}buAutoNum") if properties is not None else None
        if not text:
            continue
        for deeper in [depth for depth in counts if depth > level or (depth == level and automatic is None)]:
            del counts[deeper]
        if automatic is not None:
            start = automatic.get("startAt", "1")
            counts[level] = counts.get(level, int(start) - 1 if start.isdigit() and len(start) < 6 else 0) + 1
            text = f"{_label(counts[level], automatic.get('type', ''))} {text}"
        yield text


def paragraph_text(paragraph: Any) -> str:
    parts: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        node = stack.pop()
        name = local(node)
        if name == "r" and node.tag == f"{A}r":
            parts.append(_run(node, "".join(parts[-3:])[-40:]))
        elif name == "br":
            parts.append("\n")
        elif name == "fld":
            if not node.get("type", "").startswith(_UNREAD_FIELDS):
                parts.append("".join(text.text or "" for text in node.iter(f"{A}t")))
        elif node.tag in (f"{M}oMath", f"{M}oMathPara"):
            parts.append(equation(node))
        elif node.tag == f"{MC}AlternateContent":
            stack.extend(reversed(choice(node)))
        elif name not in ("pPr", "endParaRPr", "rPr"):
            stack.extend(reversed(node))
    return "".join(parts)


def _run(run: Any, before: str) -> str:
    text = "".join(node.text or "" for node in run.iter(f"{A}t")).replace("\v", "\n")
    properties = run.find(f"{A}rPr")
    baseline = properties.get("baseline", "0") if properties is not None else "0"
    if baseline.lstrip("-").rstrip("%").isdigit() and baseline not in ("0", "0%"):
        return lowered(text, before) if baseline.startswith("-") else raised(text, before)
    return text


def _label(number: int, form: str) -> str:
    """``arabicPeriod`` is 1., ``alphaLcParenR`` a), ``romanUcParenBoth`` (I)."""
    shown = str(number)
    if form.startswith("alpha"):
        shown = letters(number)
    elif form.startswith("roman"):
        shown = roman(number)
    shown = shown.upper() if "Uc" in form[:7] else shown
    if form.endswith("ParenBoth"):
        return f"({shown})"
    return shown + (")" if form.endswith("ParenR") else "" if form.endswith("Plain") else ".")
