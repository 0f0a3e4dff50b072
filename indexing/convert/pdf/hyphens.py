"""A hyphen at a line's end: does it belong to the word ("two-column"), or was the word only divided ("light-house")?"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST = re.compile(r"[^\W_]+(?:-[^\W_]+)*-$")
_FIRST = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# Syllables that are seldom words of their own, in texts that hold them joined to what follows.
_PREFIXES = frozenset(
    {
        *("a", "ab", "ac", "ad", "af", "al", "an", "ap", "ar", "as", "at", "be", "bi", "by", "co", "col", "com", "con"),
        *(
            "cor",
            "counter",
            "de",
            "dis",
            "e",
            "ef",
            "em",
            "en",
            "ex",
            "extra",
            "for",
            "fore",
            "hyper",
            "im",
            "in",
            "inter",
        ),
        *(
            "intra",
            "ir",
            "mal",
            "meta",
            "micro",
            "mid",
            "mini",
            "mis",
            "multi",
            "ob",
            "of",
            "on",
            "op",
            "or",
            "out",
            "over",
        ),
        *("para", "per", "photo", "post", "pre", "pro", "proto", "psycho", "re", "semi", "sub", "suc", "super", "sup"),
        *("sur", "syn", "tele", "to", "trans", "tri", "ultra", "un", "under", "uni", "up"),
    }
)
_MOST_WORDS = 200_000


class Vocabulary:
    """The words of a document as far as it has been read, with and without hyphens."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """Note the words of lines; a line's last word with a hyphen behind it is not whole."""
        if len(self._seen) < _MOST_WORDS:
            for text in texts:
                words = _WORDS.findall(text.lower())
                self._seen.update(words[:-1] if text.endswith(("-", "\u00ad")) else words)

    def keeps_hyphen(self, head: str, tail: str) -> bool:
        """
        :param head: the line's end, with the hyphen.
        :param tail: the next line's beginning.
        """
        if head.endswith("\u00ad"):
            return False
        last, first = _LAST.search(head.lower()), _FIRST.match(tail)
        if last is None or first is None:
            return True
        start, rest = last.group()[:-1], first.group()
        if not rest[0].islower() or any(letter.isdigit() for letter in start[-1:] + rest):
            return True  # Anglo-|Saxon, 1939-|45
        rest = rest.split("-")[0] if "-" in rest else rest
        piece = start.rpartition("-")[2]
        joined, hyphened = piece + rest, f"{piece}-{rest}"
        if joined in self._seen or start + rest in self._seen:
            return False
        if hyphened in self._seen or f"{start}-{rest}" in self._seen:
            return True
        common = _common_words()
        if _known(joined, common):
            return False
        if piece in _PREFIXES or len(piece) < 2:
            return False
        return piece in common and len(rest) > 2 and _known(rest, common)


def _known(word: str, common: frozenset[str]) -> bool:
    if word in common:
        return True
    return any(word.endswith(end) and word[: -len(end)] in common for end in ("s", "es", "ed", "d", "ing", "ly", "er"))


@cache
def _common_words() -> frozenset[str]:
    """
    Whole words among the pieces of the bundled reader's tokenizer: the frequent ones of English. Without it (an
    installation with another reader alone) the document's own words decide.
    """
    path = Path(__file__).resolve().parents[3] / "models" / "minilm-squad" / "tokenizer.json"
    try:
        pieces = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    except (OSError, ValueError, KeyError):
        return frozenset()
    return frozenset(piece for piece in pieces if piece.isalpha() and len(piece) > 1)
