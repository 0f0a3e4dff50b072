"""
What is told of an office file from before 2007 before it is read: is it encrypted, or older than what is read here?

[MS-DOC] 2.5.2 FibBase, [MS-XLS] 2.4.117 FilePass, [MS-PPT] 2.3.2 CurrentUserAtom.
"""

import io
import re
import struct

from indexing.convert.extracted import Refusal
from indexing.convert.kinds import Kind

_WORD_ENCRYPTED = 0x0100
_FILE_PASS, _BEGIN, _END = 0x002F, 0x0809, 0x000A
_ENCRYPTED_TOKEN = b"\xdf\xc4\xd1\xf3"
_BOOK = "workbook".encode("utf-16-le")
_NAME_BYTES = 64  # of a stream's name in the directory, filled with NULs


def require_readable(data: bytes, kind: Kind) -> None:
    """
    :raises Refusal: "password", or "unknown format" for PowerPoint before 97; "damaged" for a
        container that is none.
    """
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            if kind == "doc":
                _require_word(_start(container, "WordDocument", 32))
            elif kind == "xls":
                name = next((one for one in ("Workbook", "Book") if container.exists(one)), "Workbook")
                _require_excel(_start(container, name, 65536))
            else:
                _require_powerpoint(container.exists("Text_Content"), _start(container, "Current User", 32))
    except Refusal:
        raise
    except Exception as error:  # olefile raises whatever the bytes provoke
        raise Refusal("damaged", f"not a whole {kind.upper()} ({type(error).__name__})") from None


def with_usual_names(data: bytes) -> bytes:
    """The container with its workbook under the name that readers look for: some programs write WORKBOOK."""
    pattern = re.compile(re.escape(_BOOK) + rb"\0{%d}" % (_NAME_BYTES - len(_BOOK)), re.IGNORECASE)
    usual = "Workbook".encode("utf-16-le").ljust(_NAME_BYTES, b"\0")
    if usual in data:
        return data
    return pattern.sub(lambda _: usual, data, count=1)


def _start(container: object, name: str, size: int) -> bytes:
    exists, openstream = container.exists, container.openstream  # type: ignore[attr-defined]
    if not exists(name):
        return b""
    found: bytes = openstream(name).read(size)
    return found


def _require_word(head: bytes) -> None:
    if len(head) < 12:
        return
    (flags,) = struct.unpack_from("<H", head, 10)
    if flags & _WORD_ENCRYPTED:
        raise Refusal("password", "an encrypted Word document")


def _require_excel(records: bytes) -> None:
    """A record that says how the rest is encrypted stands among the first ones."""
    at = 0
    while at + 4 <= len(records):
        kind, length = struct.unpack_from("<HH", records, at)
        if kind == _FILE_PASS:
            raise Refusal("password", "an encrypted Excel workbook")
        if kind == _END:
            return
        at += 4 + length


def _require_powerpoint(is_of_95: bool, current_user: bytes) -> None:
    if current_user[12:16] == _ENCRYPTED_TOKEN:
        raise Refusal("password", "an encrypted PowerPoint presentation")
    if is_of_95:
        raise Refusal("unknown format", "a presentation of PowerPoint 95: save it as PPTX to have it read")
