"""Plain text: decoded, otherwise as it is."""

import re

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, Refusal, one_line
from indexing.convert.kinds import MIME_TYPES

# A title: one short line, ahead of a blank one, that does not end like a sentence.
_TITLE = re.compile(r"\s*([^\n]{2,100})\n[ \t]*\n")


def convert_text(data: bytes) -> Extracted:
    """Form feeds in the file separate its pages (as in RFCs); the first line may be a title."""
    text = decode(data)
    match = _TITLE.match(text)
    title = match.group(1).strip() if match else ""
    is_title = bool(title) and title[-1] not in ".!?,;:" and any(char.isalpha() for char in title)
    start = text.index(title) if is_title else 0
    return Extracted(
        text,
        MIME_TYPES["text"],
        title=one_line(title) if is_title else None,
        headings=[(start, 1, title)] if is_title else [],
        paged="\f" in text,
    )


def convert_code(data: bytes) -> Extracted:
    """Source code, settings and logs: text whose lines are not prose; no title is looked for."""
    return Extracted(decode(data), MIME_TYPES["code"])


def without_readable(text: str) -> Refusal | None:
    """The refusal of a text that holds nothing to find, or None."""
    if not text or text.isspace():
        return Refusal("empty", "nothing but white space")
    if not re.search(r"[^\W_]", text):
        return Refusal("no text", "not one letter or digit")
    return None
