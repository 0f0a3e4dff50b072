"""MBOX: message after message, each under its subject; what is attached to them is handed on."""

import email
import email.policy
import re

from indexing.convert.extracted import Extracted
from indexing.convert.kinds import MIME_TYPES
from indexing.convert.mail.message import MessageReader

_START = re.compile(rb"^From [^\n]*\n(?=[!-9;-~]+:[ \t]?)", re.MULTILINE)
_MAX_MESSAGES = 20_000


def convert_mbox(data: bytes) -> Extracted:
    data = data.replace(b"\r\n", b"\n")
    places = [match.span() for match in _START.finditer(data)]
    reader = MessageReader()
    notes = reader.notes
    unread = 0
    for number, (_, start) in enumerate(places[:_MAX_MESSAGES]):
        end = places[number + 1][0] if number + 1 < len(places) else len(data)
        raw = re.sub(rb"(?m)^>(>*From )", rb"\1", data[start:end])
        try:
            reader.message(email.message_from_bytes(raw, policy=email.policy.default), 0)
        except RecursionError:
            unread += 1
        reader.begin_message()
    if len(places) > _MAX_MESSAGES:
        notes.append(f"messages behind {_MAX_MESSAGES:,} are left out")
    if unread:
        notes.append(f"messages nested too deep, left out: {unread:,}")
    return Extracted(
        reader.builder.text(), MIME_TYPES["mbox"], headings=reader.builder.headings, notes=notes, parts=reader.parts
    )
