"""
The form in which words are looked for, whatever form a file or a question gives them in Unicode.

"Mu\u0308nchen" and "M\u00fcnchen", "of\ufb01ce" and "office", "Donau\u00addampf" and "Donaudampf", pointed and plain
Hebrew are one word each; "C++" and "C#" get words of their own beside the C, since no tokenizer keeps their signs.
"""

import re
import unicodedata

# Characters that are there for the layout alone: soft hyphen, zero-width spaces and joiners, byte order mark, and the
# marks that turn the direction of writing.
UNSEEN = "\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\ufeff"
# Points that are written or left out as one likes: accents that did not become part of their letter, Hebrew and Arabic
# vowels. Marks of Indian scripts are letters, and stay.
POINTS = ((0x0300, 0x036F), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5), (0x05C7, 0x05C7),
          (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06DC))  # fmt: skip
# A name of one to three letters, as languages have: not every "i++" of a listing.
SIGNED = ((r"\b([A-Za-z]{1,3})\+\+(?!\+)", r"\1 \1plusplus"), (r"\b([A-Za-z])#(?!\w)", r"\1 \1sharp"))

_LEFT_OUT = re.compile(f"[{UNSEEN}{''.join(f'{chr(first)}-{chr(last)}' for first, last in POINTS)}]")
_SIGNED = [(re.compile(pattern), replacement) for pattern, replacement in SIGNED]
_APOSTROPHES = "\u2019\u02bc\u2018"


def search_form(text: str) -> str:
    """The text as it is indexed and asked for: Unicode's form NFKC, without what is unseen and without points."""
    if not text.isascii():
        for apostrophe in _APOSTROPHES:  # `translate` takes 400 times as long, and every candidate comes by here
            text = text.replace(apostrophe, "'")
        text = unicodedata.normalize("NFKC", text)
        text = _LEFT_OUT.sub("", text)
    if "++" in text or "#" in text:
        for pattern, replacement in _SIGNED:
            text = pattern.sub(replacement, text)
    return text
