"""Office's equations (OMML) on one line, as people type them: (a + b)/c, x^2, √(2), sum from 1 to n."""

from typing import Any

from indexing.convert.office.package import local

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MAX_DEPTH = 60


def equation(element: Any, depth: int = 0) -> str:
    """
    :param element: m:oMath or anything below it.
    """
    if depth > _MAX_DEPTH:
        return ""
    kind = local(element)
    if kind == "t":
        return "".join(element.itertext())
    if kind.endswith("Pr"):
        return ""
    part = {local(child): child for child in element}

    def of(name: str) -> str:
        return equation(part[name], depth + 1).strip() if name in part else ""

    if kind in ("sSup", "sSub", "sSubSup", "sPre"):
        low, high = of("sub"), of("sup")
        return grouped(of("e")) + (f"_{grouped(low)}" if low else "") + (f"^{grouped(high)}" if high else "")
    if kind == "f":
        return f"{grouped(of('num'))}/{grouped(of('den'))}"
    if kind == "rad":
        degree = of("deg")
        return f"{degree + '-th root of ' if degree else '√'}{grouped(of('e'), always=True)}"
    if kind == "nary":
        sign = _value(element, "naryPr", "chr", "∫")
        low, high = of("sub"), of("sup")
        return f"{sign}{f'_{grouped(low)}' if low else ''}{f'^{grouped(high)}' if high else ''} {of('e')}"
    if kind == "d":
        inner = ", ".join(equation(child, depth + 1).strip() for child in element if local(child) == "e")
        return _value(element, "dPr", "begChr", "(") + inner + _value(element, "dPr", "endChr", ")")
    if kind == "func":
        return f"{of('fName')} {of('e')}"
    if kind in ("limLow", "limUpp"):
        return f"{of('e')}_{grouped(of('lim'))}" if kind == "limLow" else f"{of('e')}^{grouped(of('lim'))}"
    if kind == "m":
        rows = (", ".join(equation(cell, depth + 2).strip() for cell in row) for row in element if local(row) == "mr")
        return "[" + "; ".join(rows) + "]"
    if kind == "eqArr":
        return "; ".join(equation(child, depth + 1).strip() for child in element if local(child) == "e")
    return "".join(equation(child, depth + 1) for child in element)


def grouped(text: str, always: bool = False) -> str:
    """In brackets where the parts of a sum, or more than one sign, would be torn apart."""
    simple = text.isalnum() or (text[:1] in "([{" and text[-1:] in ")]}") or (text[:1] in "-−+" and text[1:].isalnum())
    return text if not always and simple else f"({text})" if text else ""


def _value(element: Any, properties: str, name: str, default: str) -> str:
    for child in element.findall(f"{M}{properties}/{M}{name}"):
        return child.get(f"{M}val", default)
    return default
