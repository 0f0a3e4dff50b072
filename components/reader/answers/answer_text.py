"""Which characters are the answer? From token spans to whole words, and when two answers say the same."""

import re
import unicodedata

from components.reader.answers.unbroken import widen_to_unbroken

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_DROPPED_AT_END = frozenset(",;:")
_PAIRS = {")": "(", "]": "[", "}": "{", "”": "“", "»": "«"}
_OPENERS = frozenset(_PAIRS.values())
# Scripts written without spaces: a letter beside a letter says nothing about where a word ends.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")


class _WithoutPunctuation(dict[int, int | None]):
    """Table for ``str.translate`` that drops Unicode's punctuation, filled as characters come up."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)).startswith("P") else code
        return self[code]


_WITHOUT_PUNCTUATION = _WithoutPunctuation()


def widen_to_words(text: str, start: int, end: int) -> tuple[int, int]:
    """
    Widen a span to the words it cuts, then trim what is no part of an answer at its edges.

    Words are runs of letters, digits and what combines with them; a number keeps its points, commas and sign, and what
    :mod:`components.reader.answers.unbroken` knows (addresses, paths, file names) stays whole. In scripts
    without spaces a span is only kept from cutting a character in two. Spaces, trailing ``, ; :`` and a bracket or
    quote whose partner is outside are trimmed.

    :param start: first character of the span in ``text``.
    :param end: character after its last.
    :returns: the span, never empty unless it held nothing but space; then ``(start, start)``.
    """
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return start, start
    while start > 0 and _inseparable(text, start):
        start -= 1
    while end < len(text) and _inseparable(text, end):
        end += 1
    start, end = _trim(text, start, end)
    wider = widen_to_unbroken(text, start, end)
    while wider != (start, end):  # an address may end within a word that stands in another one
        start, end = wider
        wider = widen_to_unbroken(text, start, end)
    return start, end


def normalise_answer(text: str) -> str:
    """
    The form in which two answers count as the same: the official SQuAD script's (lower case, no punctuation, no English
    articles, single spaces), with Unicode's punctuation; an answer of nothing else stands for itself.
    """
    folded = unicodedata.normalize("NFC", text).casefold()
    if not folded.isalnum():
        folded = " ".join(_ARTICLES.sub(" ", folded.translate(_WITHOUT_PUNCTUATION)).split())
    return folded or text.strip()


def overlap_share(first: tuple[int, int], second: tuple[int, int]) -> float:
    """What two spans share, as a part of the shorter one: 0.0 (nothing) to 1.0 (it lies within the longer one)."""
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(shared, 0) / max(min(first[1] - first[0], second[1] - second[0]), 1)


def context_span(text: str, start: int, end: int, characters: int = 160) -> tuple[int, int]:
    """The part of ``text`` to show an answer in: up to ``characters`` on each side, whole words, not beyond a page."""
    begin, stop = max(start - characters, 0), min(end + characters, len(text))
    begin = max(begin, text.rfind("\f", begin, start) + 1)
    page_end = text.find("\f", end, stop)
    stop = stop if page_end == -1 else page_end
    while 0 < begin < start and _inseparable(text, begin):
        begin += 1
    while end < stop < len(text) and _inseparable(text, stop):
        stop -= 1
    while begin < start and text[begin].isspace():
        begin += 1
    while stop > end and text[stop - 1].isspace():
        stop -= 1
    return begin, stop


def _inseparable(text: str, place: int) -> bool:
    """Whether a border at ``place`` (0 < place < len) would cut a word, a number or a character made of several."""
    left, right = text[place - 1], text[place]
    if left.isascii() and right.isascii():
        if left.isalnum():
            return right.isalnum() or (right in ".," and left.isdigit() and text[place + 1 : place + 2].isdecimal())
        return right.isdigit() and left in ".," and text[max(place - 2, 0)].isdecimal() and place > 1
    if right in _JOINERS or left == "\u200d" or unicodedata.combining(right) or unicodedata.category(right)[0] == "M":
        return not left.isspace()
    if "\U0001f3fb" <= right <= "\U0001f3ff":  # skin tones belong to the emoji before them
        return not left.isspace()
    if _UNSPACED.match(left) or _UNSPACED.match(right):
        return False
    return _in_word(left) and _in_word(right)


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while end - start > 1:
        first, last = text[start], text[end - 1]
        inside = text[start:end]
        if last.isspace() or last in _DROPPED_AT_END or _alone(last, inside):
            end -= 1
        elif first.isspace() or first in _DROPPED_AT_END or _alone(first, inside):
            start += 1
        else:
            break
    return start, end


def _alone(mark: str, inside: str) -> bool:
    """Whether a bracket or quote at the edge of ``inside`` has no partner there."""
    if mark in _PAIRS:
        return inside.count(mark) > inside.count(_PAIRS[mark])
    if mark in _OPENERS:
        return any(inside.count(mark) > inside.count(close) for close, opener in _PAIRS.items() if opener == mark)
    return mark == '"' and inside.count('"') % 2 == 1
