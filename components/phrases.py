"""How much of a question's wording a passage repeats: neighbouring words that are neighbours there too."""

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from components.search_form import search_form

# Bytes instead of text: one table for 256 values clears what is no part of a word at the speed of copying.
_TABLE = bytes(byte if byte >= 0x80 or chr(byte).isalnum() or byte in b"_\n" else ord(" ") for byte in range(256))
# One character, ASCII first: searching for it is three times as fast as for runs, or the other way round.
_FOREIGN_SEPARATOR = re.compile(r"[^\x00-\x7f\w]")
_MOST_SPACES = 6  # between two words: closing up every gap costs more than looking over them


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
        found = _found(first.encode(), second.encode(), lines, ends)
        weight = math.log(1.0 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
        total += weight
        for number in found:
            shares[number] += weight
    return [share / total for share in shares]


def _lines(texts: Sequence[str]) -> bytes:
    """A line a text: its casefolded words between spaces, of which there are `_MOST_SPACES` at most in a row."""
    folded = (search_form(text).casefold().replace("\n", " ") for text in texts)
    joined = " \n ".join(text if text.isascii() else _FOREIGN_SEPARATOR.sub(" ", text) for text in folded)
    words = f" {joined} ".encode().translate(_TABLE)
    while b" " * (_MOST_SPACES + 1) in words:
        words = words.replace(b"  ", b" ")
    return words


def _found(first: bytes, second: bytes, lines: bytes, ends: Sequence[int]) -> list[int]:
    """The numbers of the lines that hold the first word and right after it the second."""
    # The longer word is the rarer one, mostly; where it stands, its neighbour is looked at.
    forward = len(first) >= len(second)
    word = b" %b " % (first if forward else second)
    neighbour = second + b" " if forward else b" " + first
    reach = len(neighbour) + _MOST_SPACES
    found = []
    position = lines.find(word)
    while position >= 0:
        if forward:
            end = position + len(word) - 1
            side_by_side = lines[end : end + reach].lstrip(b" ").startswith(neighbour)
        else:
            side_by_side = lines[max(0, position - reach) : position + 1].rstrip(b" ").endswith(neighbour)
        if side_by_side:
            found.append(number := bisect_right(ends, position))
            position = lines.find(word, ends[number])
        else:
            position = lines.find(word, position + len(word) - 1)
    return found
