"""Where may a text be cut without dividing what a reader sees as one character?"""

import unicodedata

_JOINER = "\u200d"
_VIRAMA = 9  # combining class of what joins two consonants of an Indian script
_MOST_FLAGS = 4_096  # letters of flags in a row that are counted
_FARTHEST = 64  # characters: rubbish of a million accents is cut all the same


def whole_character(text: str, at: int) -> int:
    """
    The last place up to `at` that is no inside of a character: of a letter and its accents, of an emoji of several
    parts, of a flag (Unicode's grapheme clusters, UAX 29, without Hangul's letters, which nobody writes apart).

    :returns: `at` itself where everything ahead of it within reach is one character.
    """
    place = at
    while 0 < place < len(text) and at - place < _FARTHEST and _inside(text, place):
        place -= 1
    return place if place and not (place < len(text) and _inside(text, place)) else at


def _inside(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before == _JOINER:
        return True
    if after < "\u0300":
        return before == "\r" and after == "\n"
    if after == _JOINER or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    if unicodedata.combining(before) == _VIRAMA and after.isalpha():
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, tags
        return True
    if _is_flag_letter(after) and _is_flag_letter(before):
        first = place - 1
        while first and _is_flag_letter(text[first - 1]) and place - first < _MOST_FLAGS:
            first -= 1
        return (place - first) % 2 == 1
    return False


def _is_flag_letter(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
