"""What does a converter hand back, and with which reasons may it refuse a file?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

Reason = Literal[
    "empty",  # 0 bytes, or nothing but white space
    "password",  # encrypted
    "no text",  # readable, but without a letter or a digit: a scan, for example
    "too large",  # the file, or the text in it
    "bomb",  # a small file that unpacks into a giant
    "damaged",  # claims a format and breaks its rules
    "unknown format",  # nothing here reads it
    "timeout",
    "memory",
    "crashed",  # the converter's process died
    "unreadable",  # no permission, or vanished or changed while it was read
    "not a file",  # symbolic link, pipe, socket, device
    "failed",  # a later step of the pipeline failed on this file alone
    "not storable",  # the store takes not all of its passages: a field of another type, for example
]
PageKind = Literal["page", "slide", "sheet"]
REASONS: tuple[str, ...] = get_args(Reason)

MAX_CHARACTERS = 20_000_000
MAX_TITLE = 160
_CONTROL = dict.fromkeys((0, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd")
_UNWELCOME = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"\s+")


class Refusal(Exception):
    """
    A file is not indexed.

    :param reason: one of `REASONS`.
    :param detail: what was found and what is allowed; never text of the document.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Part:
    """
    A file inside a file: an attachment, a member of an archive.

    :param name: as its holder calls it; may be any text.
    """

    name: str
    data: bytes


@dataclass
class Extracted:
    """
    The text of one file.

    :param text: pages separated by a form feed; without NUL or lone surrogates, lines end in ``\\n``.
    :param title: of the document, on one line.
    :param headings: (character offset in `text`, level from 1, heading on one line), by offset.
    :param paged: whether the format has pages: then page n starts behind the n-1th form feed.
    :param page_kind: what a page is called: "page", "slide" or "sheet".
    :param page_labels: the name of each page where it has one besides its number, such as a sheet's; else empty.
    :param mime_type: of the format that was read, whatever the file's name claims.
    :param layout: compressed word rectangles (`components.page_layout.pack`), None where the format has none.
    :param notes: what of the file was not read, and why.
    :param parts: files inside it, which become documents of their own (`dispatch.convert`).
    :param name: of a file inside another one, below its holder: ``report.pdf``, ``inner.zip > a.txt``.
    """

    text: str
    mime_type: str
    title: str | None = None
    headings: list[tuple[int, int, str]] = field(default_factory=list)
    paged: bool = False
    layout: bytes | None = None
    notes: list[str] = field(default_factory=list)
    page_kind: PageKind = "page"
    page_labels: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    name: str | None = None

    @property
    def page_starts(self) -> tuple[int, ...]:
        """Character offset of each page; empty for formats without pages."""
        if not self.paged:
            return ()
        return (0, *(match.end() for match in re.finditer("\f", self.text)))


def cleaned(text: str) -> str:
    """Replace what no store, no JSON and no terminal can take (NUL, lone surrogates); make every line end ``\\n``."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_CONTROL) if _UNWELCOME.search(text) else text


def one_line(text: str | None, limit: int = MAX_TITLE) -> str | None:
    """Title or heading on one line of at most `limit` characters; None when nothing is left."""
    line = _SPACES.sub(" ", cleaned((text or "")[: 8 * limit])).strip()
    return (line if len(line) <= limit else line[: limit - 1].rstrip() + "…") or None


class TextBuilder:
    """
    Grows a text block by block and notes where headings stand.

    :raises Refusal: "too large" as soon as the text passes `MAX_CHARACTERS`.
    """

    def __init__(self) -> None:
        self.headings: list[tuple[int, int, str]] = []
        self.in_table = False  # the last line was a table's, and so will be the next
        self._parts: list[str] = []
        self._length = 0

    @property
    def text_length(self) -> int:
        """Characters so far."""
        return self._length

    def block(self, text: str, separator: str = "\n\n") -> None:
        """Add a paragraph, or with ``separator="\\n"`` a line (of a list, of a table)."""
        text = cleaned(text).replace("\f", "\n").strip()
        if text:
            self._add(text, separator)

    def lines(self, lines: Iterable[str]) -> None:
        """Add a paragraph of lines that belong together, such as a table's."""
        for number, line in enumerate(lines):
            self.block(line, "\n" if number else "\n\n")

    def tables(self, lines: Iterable[str]) -> None:
        """Add tables, an empty line ahead of each: each is a paragraph."""
        separator = "\n\n"
        for line in lines:
            self.block(line, separator)
            separator = "\n" if line else "\n\n"

    def heading(self, text: str, level: int) -> None:
        line = one_line(text, 4 * MAX_TITLE)
        if line:
            self._add(line, "\n\n")
            self.headings.append((self._length - len(line), max(1, level), one_line(line) or line))

    def page_of(self, page: "Extracted") -> None:
        """Add another text whole, with its headings."""
        if not page.text.strip():
            return
        if self._parts and self._parts[-1] != "\f":
            self._grow("\n\n")
        base = self._length
        self.headings += [(base + offset, level, heading) for offset, level, heading in page.headings]
        self._grow(page.text)

    def page(self) -> None:
        """End the page."""
        self._grow("\f")

    def text(self) -> str:
        return "".join(self._parts)

    def _add(self, text: str, separator: str) -> None:
        if self._parts and self._parts[-1] != "\f":
            self._grow(separator)
        self._grow(text)

    def _grow(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)
        if self._length > MAX_CHARACTERS:
            raise Refusal("too large", f"its text passes {MAX_CHARACTERS:,} characters; split the file")
