"""How much of a question's wording a passage repeats: neighbouring words that are neighbours there too."""

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

# Bytes instead of text: one table for 256 values clears what is no part of a word at the speed of copying.
_TABLE = bytes(byte if byte >= 0x80 or chr(byte).isalnum() or byte in b"_\n" else ord(" ") for byte in range(256))
_FOREIGN_SEPARATORS = re.compile(r"[^\w\x00-\x7f]+")


def phrase_shares(pairs: Sequence[tuple[str, str]], texts: Sequence[str]) -> list[float]:
    """
    For each text, the share of the question's word pairs that stand side by side in it, from 0 to 1.

    BM25 and sentence vectors hardly see the order of words; "Normandy in France" and "France in Normandy" are one to
    them. This is the ordered-bigram feature of the sequential dependence model (Metzler and Croft 2005, "A Markov
    Random Field Model for Term Dependencies"), over the candidates of one question only. Pairs are weighted by how few
    of the texts have them (BM25's inverse document frequency), so that "of the" weighs next to nothing.

    :param pairs: Casefolded pairs of words, as `components.questions.pairs` gives them.
    :param texts: The candidates.
    """
    if not pairs or not texts:
        return [0.0] * len(texts)
    lines = _lines(texts)
    ends = list(accumulate(len(line) + 1 for line in lines.split(b"\n")))
    shares = [0.0] * len(texts)
    total = 0.0
    for first, second in pairs:
        found = _found(f" {first} {second} ".encode(), lines, ends)
        weight = math.log(1.0 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
        total += weight
        for number in found:
            shares[number] += weight
    return [share / total for share in shares]


def _lines(texts: Sequence[str]) -> bytes:
    """A line a text: its casefolded words, joined by one space and closed by spaces, so that a pair is a substring."""
    folded = (text.casefold().replace("\n", " ") for text in texts)
    joined = " \n ".join(text if text.isascii() else _FOREIGN_SEPARATORS.sub(" ", text) for text in folded)
    words = f" {joined} ".encode().translate(_TABLE)
    while b"  " in words:
        words = words.replace(b"  ", b" ")
    return words


def _found(phrase: bytes, lines: bytes, ends: Sequence[int]) -> list[int]:
    """The numbers of the lines that hold the phrase."""
    found = []
    position = lines.find(phrase)
    while position >= 0:
        found.append(number := bisect_right(ends, position))
        position = lines.find(phrase, ends[number])
    return found
