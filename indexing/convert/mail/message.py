"""EML: the headers that people read, the body said once, the messages inside; attachments are handed on."""

import email
import email.policy
import re
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from typing import Any, TypeVar

from indexing.convert.encoding import decode, wide_encoding
from indexing.convert.extracted import Extracted, Part, TextBuilder, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.mail.calendar import calendar_lines
from indexing.convert.mail.parts import (
    attachment_name,
    choose_alternative,
    is_attachment,
    is_picture_of_page,
    plain_text,
    related_parts,
)
from indexing.convert.web import html_text

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_MAX_HEADER = 1_000
_MAX_PARTS = 1_000
_MAX_DEPTH = 50
_UNREAD_TEXT = {"css", "javascript", "x-amp-html", "watch-html", "rfc822-headers", "x-vcard", "vcard", "directory"}
_T = TypeVar("_T")


def convert_eml(data: bytes) -> Extracted:
    """Headers, then every body part in order; files attached come back as `parts`."""
    data = _as_bytes_of_mail(data)
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        return MessageReader().read(message)
    except RecursionError:
        page = Extracted(decode(data), MIME_TYPES["eml"], notes=["parts nested too deep: read as plain text"])
        page.title = one_line((re.search(r"(?mi)^subject:[ \t]*(.{1,300})", page.text[:20_000]) or [None, None])[1])
        return page


def convert_mhtml(data: bytes) -> Extracted:
    """A web page saved with its pictures: the page, without the headers of the mail that it is stored as."""
    message = email.message_from_bytes(_as_bytes_of_mail(data), policy=email.policy.default)
    page = MessageReader(headers=False).read(message)
    page.mime_type, page.parts = MIME_TYPES["mhtml"], []
    return page


def _as_bytes_of_mail(data: bytes) -> bytes:
    """Files that were saved as UTF-16, or with a byte order mark, as the parser takes them."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(data):
        return decode(data).encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")


class MessageReader:
    """
    :param headers: the headers are read, too.
    """

    def __init__(self, headers: bool = True) -> None:
        self.builder = TextBuilder()
        self.notes: list[str] = []
        self.parts: list[Part] = []
        self._headers = headers
        self._count = 0
        self._has_body = False
        self._calendars: list[Any] = []

    def read(self, message: EmailMessage) -> Extracted:
        title = one_line(_quietly(partial(_header, message, "Subject")))
        self.message(message, 0)
        if self._count > _MAX_PARTS:
            self.notes.append(f"more than {_MAX_PARTS:,} parts: the rest is not read")
        builder = self.builder
        headings = builder.headings
        return Extracted(builder.text(), MIME_TYPES["eml"], title, headings, notes=self.notes, parts=self.parts)

    def begin_message(self) -> None:
        """Another message follows: it may have as many parts as the one before."""
        self._count = 0

    def message(self, message: EmailMessage, depth: int) -> None:
        """One message: its headers and its body; a calendar only where nothing else says what it is about."""
        if self._headers:
            self._show_headers(message)
        self._has_body = False
        calendars, self._calendars = self._calendars, []
        self._part(message, depth)
        if not self._has_body:
            for part in self._calendars:
                self.builder.lines(calendar_lines(_text_of(part)))
        self._calendars = calendars
        self._has_body = True

    def _part(self, part: Any, depth: int, inside_related: bool = False) -> None:
        self._count += 1
        if self._count > _MAX_PARTS:
            return
        if depth > _MAX_DEPTH:
            raise RecursionError
        kind, family, subtype = part.get_content_type(), part.get_content_maintype(), part.get_content_subtype()
        children = part.get_payload() if part.is_multipart() else None
        if kind == "message/rfc822" and isinstance(children, list):
            for child in children:
                self.message(child, depth + 1)
        elif kind == "multipart/alternative" and isinstance(children, list):
            chosen = choose_alternative(children, _text_of)
            if chosen is not None:
                self._part(chosen, depth + 1)
            self._calendars += [one for one in children if one.get_content_type() == "text/calendar"]
            for child in children:
                if is_attachment(child) and child is not chosen:
                    self._attach(child)
        elif kind == "multipart/related" and isinstance(children, list):
            root, others = related_parts(part, children)
            for child in (*root, *others):
                self._part(child, depth + 1, inside_related=child not in root)
        elif kind == "multipart/encrypted":
            self.notes.append("encrypted part not read")
        elif isinstance(children, list):
            for child in children:
                self._part(child, depth + 1, inside_related)
        elif is_attachment(part):
            self._attach(part)
        elif family == "text" or kind in ("message/delivery-status", "application/xhtml+xml"):
            self._text(part, kind, subtype)
        elif not (inside_related and is_picture_of_page(part)):
            self._attach(part)

    def _text(self, part: Any, kind: str, subtype: str) -> None:
        if subtype == "calendar":
            self._calendars.append(part)
        elif subtype not in _UNREAD_TEXT:
            text = plain_text(part, _text_of(part))
            if kind in ("text/html", "application/xhtml+xml"):
                self.builder.page_of(html_text(text))
            else:
                for paragraph in re.split(r"\n[ \t]*\n", text):
                    self.builder.block(paragraph)
            self._has_body = self._has_body or bool(text.strip())

    def _attach(self, part: Any) -> None:
        name = attachment_name(part, _quietly)
        kind = part.get_content_type()
        if kind in ("application/pkcs7-signature", "application/pgp-signature", "application/x-pkcs7-signature"):
            return
        payload = _quietly(partial(part.get_payload, decode=True))
        if kind == "text/calendar" and self._has_body:
            return  # says again what the body says
        self.parts.append(Part(name, payload if isinstance(payload, bytes) else b""))

    def _show_headers(self, message: EmailMessage) -> None:
        for name in _SHOWN:
            value = one_line(_quietly(partial(_header, message, name)), _MAX_HEADER)
            if value and name == "Subject":
                self.builder.heading(value, 1)
            elif value:
                self.builder.block(f"{name}: {value}", "\n")


def _text_of(part: Any) -> str:
    payload = _quietly(partial(part.get_payload, decode=True))
    charset = _quietly(part.get_content_charset)
    data = payload if isinstance(payload, bytes) else b""
    if charset is None and part.get_content_subtype() == "html":
        declared = re.search(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", data[:20_000], re.I)
        charset = declared.group(1).decode("ascii", "replace") if declared else None
    return decode(data, charset)


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name) or "")


def _quietly(read: Callable[[], _T]) -> _T | None:
    """Headers that break the standard make the parser raise all sorts of errors when they are looked at."""
    try:
        return read()
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, UnicodeError):
        return None
