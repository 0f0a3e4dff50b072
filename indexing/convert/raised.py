"""Raised and lowered characters in plain text: 10^23 must not become 1023, and H2O stays H2O."""

import re

_EXPONENT = re.compile(
    r"[+\-−–]?\s?[\d.,/]*\d|[+\-−–]?[a-zA-Zα-ω]|[+\-−–]?[\da-zA-Zα-ω]+(?:\s?[+\-−–/*]\s?[\da-zA-Zα-ω]+)+"
)
_PLAIN = re.compile(r"[+\-−–]?\d+")
_RAISED = str.maketrans("0123456789+-−–n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻ⁿ")
_LONGEST = 12


def raised(text: str, before: str, linked: bool = False) -> str:
    """
    How superscript text reads behind `before`.

    A number behind a number or a bracket is a power, ``10^23``; behind a letter ``km²``; a link to a note ``[3]``;
    everything else, such as the st of 1st, is as it is.

    :param before: what stands ahead on the line.
    :param linked: the characters link to a note.
    """
    inner = text.strip()
    last = before[-1:]
    if not inner or not last or len(inner) > _LONGEST or not _EXPONENT.fullmatch(inner):
        return text
    if linked:
        return f"[{inner}]" if inner.isalnum() else text
    if last.isdigit() or last in ")]}":
        if inner.isalpha():  # 10^n; but 2a and 5e are names
            return f"^{inner}" if inner in "nmkxt" else text
        sign = inner.replace("−", "-").replace("–", "-").replace(" ", "")
        simple = re.fullmatch(r"-?[\d.,]+|\+?[\d.,]+", sign)
        return f"^{sign}" if simple else f"^({sign})"
    if last.isalpha() and _PLAIN.fullmatch(inner):
        return inner.translate(_RAISED)
    if last.isalpha() and len(last) == 1 and re.fullmatch(r"[+\-−–]?[\da-z]+(?:[+\-−–][\da-z]+)+", inner):
        return f"^({inner})"
    return text


def lowered(text: str, before: str) -> str:
    """How subscript text reads behind `before`: ``H2O``, but ``10_2`` behind a digit."""
    inner = text.strip()
    return f"_{inner}" if inner[:1].isdigit() and before[-1:].isdigit() and len(inner) <= _LONGEST else text
