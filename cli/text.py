"""Text of documents on a terminal: no control characters, no escape sequences, a context of bearable length."""

import unicodedata


def printable(text: str, keep: str = "") -> str:
    """
    Replace what could steer a terminal, or hide on it: control characters (among them ESC), and invisible format
    characters that reorder text. Each becomes one visible character, so that offsets stay true.
    """
    return "".join(char if char in keep else _visible(char) for char in text)


def _visible(char: str) -> str:
    if char in "\n\t\f\v\r\u2028\u2029\x85":
        return " "
    if ord(char) < 32:
        return chr(0x2400 + ord(char))  # the "control pictures": ␛ for ESC
    if unicodedata.category(char) in ("Cc", "Cs") or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        return "\ufffd"
    return char


def clip(text: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """
    Cut `text` around the span start..end to about `width` characters, at word borders, with "…" for what is left out.

    :returns: the cut text, and the span's start and end in it.
    """
    left = max(0, start - max(0, width - (end - start)) // 2)
    right = min(len(text), max(end, left + width))
    left = max(0, min(left, right - width)) if right == len(text) else left
    while left < start and left > 0 and not text[left - 1].isspace():
        left += 1
    while right > end and right < len(text) and not text[right].isspace():
        right -= 1
    before = "… " if left > 0 else ""
    after = " …" if right < len(text) else ""
    return before + text[left:right] + after, start - left + len(before), end - left + len(before)
