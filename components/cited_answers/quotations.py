"""Does a quotation stand word for word in a passage, and where?"""

import re
import unicodedata

# Marks that typing changes and reading does not: they count as equal.
_SAME = {
    **dict.fromkeys("'\u2018\u2019\u201a\u2032", "['\u2018\u2019\u201a\u2032]"),
    **dict.fromkeys('"\u201c\u201d\u201e\u2033', '["\u201c\u201d\u201e\u2033]'),
    **dict.fromkeys("-\u2010\u2011\u2012\u2013\u2014\u2212", "[-\u2010\u2011\u2012\u2013\u2014\u2212]"),
}
_LEFT_OUT = re.compile(r"\s*(?:\[\s*(?:\.\.\.|\u2026)\s*\]|\(\s*(?:\.\.\.|\u2026)\s*\)|\.\.\.|\u2026)\s*")
_EDGES = " \t\n,.;:!?"
_FEWEST_LETTERS = 4  # "of the" proves nothing: at least one longer word, a number or a name is asked for


def find_quotation(quotation: str, text: str) -> list[tuple[int, int]] | None:
    """
    Where the words of a quotation stand in `text`: one (start, end) in characters, or one for each part where something
    was left out ("..."), in order.

    Equal are the very same words in the same case; spaces and line breaks, forms of quotes, dashes and Unicode's
    composition may differ, and commas and stops at the quotation's edges. Words are whole: "men" is not in "women".

    :returns: None where it does not stand there, or where it says too little to prove anything.
    """
    places: list[tuple[int, int]] = []
    begin = 0
    for part in _LEFT_OUT.split(quotation):
        part = part.strip(_EDGES)
        if not part:
            continue
        match = _pattern(part).search(text, begin)
        if match is None:
            return None
        places.append(match.span())
        begin = match.end()
    return places if places and _says_something(quotation) else None


def _says_something(quotation: str) -> bool:
    words = re.findall(r"\w+", quotation)
    if not quotation.isascii():
        return bool(words)  # scripts without spaces or capitals
    return any(len(word) >= _FEWEST_LETTERS or word[0].isdigit() or word[0].isupper() for word in words)


def _pattern(part: str) -> re.Pattern[str]:
    words = [_letters(word) for word in part.split()]
    left = r"(?<!\w)" if part[0].isalnum() and part[0].isascii() else ""
    right = r"(?!\w)" if part[-1].isalnum() and part[-1].isascii() else ""
    return re.compile(left + r"\s+".join(words) + right)


def _letters(word: str) -> str:
    """A word as a pattern in which marks that look alike are equal, composed or not."""
    forms = {"".join(_SAME.get(c, re.escape(c)) for c in unicodedata.normalize(form, word)) for form in ("NFC", "NFD")}
    forms.add("".join(_SAME.get(c, re.escape(c)) for c in word))
    return forms.pop() if len(forms) == 1 else f"(?:{'|'.join(sorted(forms))})"
