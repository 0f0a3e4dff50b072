"""MSG, Outlook's container, through python-oxmsg; old Office files and encrypted new ones wear the same container."""

import codecs
import io
import re
from contextlib import suppress
from functools import cache
from typing import Any

from indexing.convert.encoding import decode
from indexing.convert.extracted import Extracted, Part, Refusal, TextBuilder, cleaned, one_line
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.mail.rich_text import html_inside, unpack_rtf
from indexing.convert.office.rtf import convert_rtf
from indexing.convert.web import html_text

_MAX_HEADER = 1_000
_RTF_COMPRESSED = 0x1009


def convert_msg(data: bytes) -> Extracted:
    """
    Headers, body, and the files attached as `parts`.

    :raises Refusal: "damaged".
    """
    return _read_msg(data)


def _read_msg(data: bytes) -> Extracted:
    from oxmsg import Message

    _know_code_pages()
    try:
        message = Message.load(io.BytesIO(data))
        builder = TextBuilder()
        if message.sender:
            builder.block(f"From: {cleaned(message.sender)[:_MAX_HEADER]}", "\n")
        recipients = ", ".join(_people(message))
        if recipients:
            builder.block(f"To: {cleaned(recipients)[:_MAX_HEADER]}", "\n")
        if message.sent_date is not None:
            builder.block(f"Date: {message.sent_date.isoformat()}", "\n")
        builder.heading(message.subject or "", 1)
        for paragraph in re.split(r"\r?\n[ \t]*\r?\n", _body(message)):
            builder.block(paragraph)
        parts = [
            Part(re.split(r"[/\\]", file.file_name or "unnamed")[-1], file.file_bytes or b"")
            for file in message.attachments
        ]
    except Refusal:
        raise
    except Exception as error:  # the container parsed, its properties do not
        raise Refusal("damaged", f"not a whole Outlook message ({type(error).__name__})") from None
    return Extracted(
        builder.text(), MIME_TYPES["msg"], title=one_line(message.subject), headings=builder.headings, parts=parts
    )


def _people(message: Any) -> list[str]:
    """Name and address of each recipient that is whole; some programs write storages without properties."""
    found = []
    for person in list(message.recipients)[:100]:
        with suppress(KeyError):
            found.append(f"{person.name} <{person.email_address}>")
    return found


@cache
def _know_code_pages() -> None:
    """Outlook's "windows-950" is Python's cp950."""
    codecs.register(lambda name: codecs.lookup(f"cp{name[8:]}") if re.fullmatch(r"windows_\d+", name) else None)


def _body(message: Any) -> str:
    """The plain text; else the HTML; else the RTF that Outlook keeps when it was written in rich text."""
    plain = message.body or ""
    html = message.html_body
    shown = html_text(html if isinstance(html, str) else decode(html)).text if html else ""
    if plain.strip() and len(plain.split()) >= 0.25 * len(shown.split()):
        return str(plain)
    if shown.strip():
        return shown
    packed = message.properties.binary_prop_value(_RTF_COMPRESSED)
    if not isinstance(packed, bytes):
        return ""
    rtf = unpack_rtf(packed)
    encapsulated = html_inside(rtf)
    return html_text(encapsulated).text if encapsulated else convert_rtf(rtf).text
