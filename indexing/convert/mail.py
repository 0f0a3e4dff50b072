"""Mail: .eml as the standard library reads it, .msg (Outlook) through python-oxmsg."""

import email
import email.policy
import io
import re
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from typing import Any, TypeVar

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, Refusal, TextBuilder, cleaned, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.web import html_text

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_MAX_HEADER = 1_000
_MAX_PARTS = 1_000
_T = TypeVar("_T")


def convert_eml(data: bytes) -> Extracted:
    """Headers that people read, then every text part in order; attachments are named in the notes, not read."""
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        return _read(message)
    except RecursionError:
        page = Extracted(decode(data), MIME_TYPES["eml"], notes=["parts nested too deep: read as plain text"])
        page.title = one_line((re.search(r"(?mi)^subject:[ \t]*(.{1,300})", page.text[:20_000]) or [None, None])[1])
        return page


def _read(message: EmailMessage) -> Extracted:
    builder, notes = TextBuilder(), []
    title = _headers(message, builder)
    parts = [part for _, part in zip(range(_MAX_PARTS + 1), message.walk(), strict=False)]
    if len(parts) > _MAX_PARTS:
        notes.append(f"more than {_MAX_PARTS:,} parts: the rest is not read")
    doubled = _said_in_plain(parts)
    for part in parts[:_MAX_PARTS]:
        if part is not message and part.get("Subject"):  # a message inside the message
            _headers(part, builder)
        name = _quietly(part.get_filename)
        if name or part.get_content_disposition() == "attachment":
            notes.append(f"attachment not read: {one_line(str(name), 80)}")
        elif part.get_content_maintype() == "text" and id(part) not in doubled:
            _add_body(part, builder)
    return Extracted(builder.text(), MIME_TYPES["eml"], title=title, headings=builder.headings, notes=notes)


def _said_in_plain(parts: list[Any]) -> set[int]:
    """In multipart/alternative the plain part says the same as the HTML part: ids of those HTML parts."""
    doubled: set[int] = set()
    for parent in parts:
        children = parent.get_payload() if parent.get_content_type() == "multipart/alternative" else None
        if isinstance(children, list) and any(child.get_content_type() == "text/plain" for child in children):
            doubled.update(id(child) for child in children if child.get_content_type() == "text/html")
    return doubled


def _add_body(part: Any, builder: TextBuilder) -> None:
    payload = part.get_payload(decode=True) or b""
    text = decode(payload if isinstance(payload, bytes) else b"", part.get_content_charset())
    if part.get_content_subtype() == "html":
        text = html_text(text).text
    for paragraph in re.split(r"\n[ \t]*\n", text):
        builder.block(paragraph)


def _headers(message: EmailMessage, builder: TextBuilder) -> str | None:
    for name in _SHOWN:
        value = one_line(_quietly(partial(_header, message, name)), _MAX_HEADER)
        if value and name == "Subject":
            builder.heading(value, 1)
        elif value:
            builder.block(f"{name}: {value}", "\n")
    return one_line(_quietly(partial(_header, message, "Subject")))


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name) or "")


def _quietly(read: Callable[[], _T]) -> _T | None:
    """Headers that break the standard make the parser raise all sorts of errors when they are looked at."""
    try:
        return read()
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, UnicodeError):
        return None


def convert_msg(data: bytes) -> Extracted:
    """
    Outlook's container; also old Office files and encrypted new ones wear it.

    :raises Refusal: "password", "unknown format" (.doc, .xls, .ppt), "damaged".
    """
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            streams = {"/".join(path) for path in container.listdir()}
    except Exception as error:  # olefile raises whatever the bytes provoke
        raise Refusal("damaged", f"not a whole OLE container ({type(error).__name__})") from None
    if {"EncryptedPackage", "EncryptionInfo"} & streams:
        raise Refusal("password", "an encrypted Office file")
    for stream, name in (("WordDocument", "DOC"), ("Workbook", "XLS"), ("Book", "XLS"), ("PowerPoint Document", "PPT")):
        if stream in streams:
            raise Refusal("unknown format", f"{name} of the time before 2007 is not read; save it as {name}X")
    if "__properties_version1.0" not in streams:
        raise Refusal("unknown format", "an OLE container that is no Outlook message")
    return _read_msg(data)


def _read_msg(data: bytes) -> Extracted:
    from oxmsg import Message

    try:
        message = Message.load(io.BytesIO(data))
        builder = TextBuilder()
        if message.sender:
            builder.block(f"From: {cleaned(message.sender)[:_MAX_HEADER]}", "\n")
        recipients = ", ".join(f"{person.name} <{person.email_address}>" for person in list(message.recipients)[:100])
        if recipients:
            builder.block(f"To: {cleaned(recipients)[:_MAX_HEADER]}", "\n")
        if message.sent_date is not None:
            builder.block(f"Date: {message.sent_date.isoformat()}", "\n")
        builder.heading(message.subject or "", 1)
        html = message.html_body
        body = message.body or (html_text(html if isinstance(html, str) else decode(html)).text if html else "")
        for paragraph in re.split(r"\r?\n[ \t]*\r?\n", body):
            builder.block(paragraph)
        notes = [f"attachment not read: {one_line(file.file_name, 80)}" for file in message.attachments]
    except Refusal:
        raise
    except Exception as error:  # the container parsed, its properties do not
        raise Refusal("damaged", f"not a whole Outlook message ({type(error).__name__})") from None
    return Extracted(
        builder.text(), MIME_TYPES["msg"], title=one_line(message.subject), headings=builder.headings, notes=notes
    )
