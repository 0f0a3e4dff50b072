"""Text of documents on a terminal: no control characters, no escape sequences, a context of bearable length."""

import itertools
import json
import re
import unicodedata
from typing import Any

# Control characters of C1 (JSON escapes those of C0 itself), separators of lines, characters that reorder text,
# surrogates that belong to no pair.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_NAMED_CELL = re.compile(r"(?:^|; )[^;:\n]{1,60}: ")


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


def json_line(value: Any) -> str:
    """
    JSON on one line, as UTF-8 text: what could steer a terminal or reorder its text stands as an escape (\\u202e),
    which every JSON parser turns back.
    """
    text = json.dumps(value, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def visible_lines(text: str) -> str:
    """
    `printable`, but a row of a table ("cell | cell", "name: cell; name: cell") stays a line of its own. As long as the
    text given.
    """
    lines = text.split("\n")
    shown = printable(lines[0])
    for before, line in itertools.pairwise(lines):
        shown += ("\n" if _is_row(before) or _is_row(line) else " ") + printable(line)
    return shown


def _is_row(line: str) -> bool:
    return " | " in line or len(_NAMED_CELL.findall(line)) >= 2


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
