"""What is set small above or below the line belongs to the word it stands at: 10^23, H2O."""

import re
from collections.abc import Iterable

from indexing.convert.pdf.fragments import Token

_SMALL = 0.85  # of the type that it stands at
_RAISED = 0.12  # type sizes that the foot of what is raised lies above the others'
_CLOSE = 0.12  # type sizes between a word and what is raised at it
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er?|[oaºª]|TM|SM|®|™)\W*", re.I)
_RAISED_START = re.compile(r"[\w+−–-]")


def is_ordinal(text: str) -> bool:
    """Letters that are raised by custom, not as a power: 1st, 2e, 3º, Excerpt™."""
    return bool(_ORDINAL.fullmatch(text))


def join_scripts(tokens: Iterable[Token]) -> list[Token]:
    """Tokens of one page in the file's order, those that PDFium parts from their word joined to it."""
    joined: list[Token] = []
    at_script = False  # the last token ends with something raised or lowered
    for token in tokens:
        before = joined[-1] if joined else None
        if before is not None and not before.hyphen and before.turn == token.turn:
            size, gap = before.size, token.x0 - before.x1
            close = -0.3 * size < gap < _CLOSE * size and token.y0 < before.y1 and token.y1 > before.y0
            if close and token.size < _SMALL * size and before.text[-1].isalnum():
                raised = before.y1 - token.y1 > _RAISED * size
                lowered = token.y1 >= before.y1 - 0.02 * size
                if (raised or lowered) and _RAISED_START.match(token.text):
                    mark = "^" if raised and not is_ordinal(token.text) else ""
                    joined[-1] = _join(before, token, mark)
                    at_script = True
                    continue
            elif close and at_script and gap < 0.08 * size and token.size > _SMALL * size:
                joined[-1] = _join(before, token, "")
                at_script = False
                continue
        joined.append(token)
        at_script = "^" in token.text
    return joined


def _join(before: Token, token: Token, mark: str) -> Token:
    one, other = before.box, token.box
    box = (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
    lead, _, ahead, _ = before.ends
    _, trail, _, behind = token.ends
    ends = (lead, trail, ahead, behind)
    text, x0, x1 = before.text + mark + token.text, min(before.x0, token.x0), max(before.x1, token.x1)
    return Token(text, x0, before.y0, x1, before.y1, before.size, box, before.turn, token.hyphen, before.fixed, ends)
