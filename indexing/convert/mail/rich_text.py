"""The RTF body of Outlook messages: unpacked (MS-OXRTFCP), and the HTML that may be wrapped in it (MS-OXRTFEX)."""

import re

from indexing.convert.extracted import Refusal

_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_MAX_SIZE = 50_000_000
_HTML_TAG = re.compile(rb"\{\\\*\\htmltag\d*((?:[^{}\\]|\\.)*)\}", re.DOTALL)


def unpack_rtf(data: bytes) -> bytes:
    """
    :raises Refusal: "damaged" for what is not packed this way, "bomb" for what grows too large.
    """
    if len(data) < 16:
        raise Refusal("damaged", "its RTF body is cut off")
    kind, size = data[8:12], int.from_bytes(data[4:8], "little")
    if kind == b"MELA":
        return data[16:]
    if kind != b"LZFu":
        raise Refusal("damaged", "its RTF body is packed in an unknown way")
    if size > _MAX_SIZE:
        raise Refusal("bomb", f"its RTF body unpacks to {size:,} bytes; at most {_MAX_SIZE:,} are read")
    window = bytearray(_START.ljust(4096, b"\0"))
    write = len(_START)
    out = bytearray()
    place = 16
    while place < len(data) and len(out) < size:
        flags = data[place]
        place += 1
        for bit in range(8):
            if place >= len(data) or len(out) >= size:
                break
            if not flags >> bit & 1:
                piece = data[place : place + 1]
                place += 1
            else:
                token = int.from_bytes(data[place : place + 2], "big")
                place += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write:
                    return bytes(out)
                piece = b""
                for step in range(length):
                    byte = window[(offset + step) % 4096]
                    window[write] = byte
                    write = (write + 1) % 4096
                    out.append(byte)
            for byte in piece:
                window[write] = byte
                write = (write + 1) % 4096
                out.append(byte)
    return bytes(out)


def html_inside(rtf: bytes) -> str | None:
    """The HTML that Outlook wrapped in RTF; None where it was written as RTF."""
    if b"\\fromhtml" not in rtf[:2000]:
        return None
    page = re.search(rb"\\ansicpg(\d{3,5})", rtf[:2000])
    codec = f"cp{page.group(1).decode()}" if page else "cp1252"
    body = re.sub(rb"(?s)\\htmlrtf(?!0)1?\b.*?\\htmlrtf0 ?", b"", rtf)
    body = re.sub(rb"(?s)\{\\(fonttbl|colortbl|stylesheet|\*\\generator).*?\}\s*\}?", b"", body, count=3)
    body = _HTML_TAG.sub(lambda match: b"\x01" + match.group(1).strip() + b"\x02", body)
    body = re.sub(rb"\\(par|line)\b ?", b"\n", body)
    body = re.sub(rb"\\tab\b ?", b"\t", body)
    try:
        text = re.sub(
            rb"(?:\\'[0-9a-fA-F]{2})+",
            lambda m: bytes.fromhex(m.group().replace(b"\\'", b"").decode()).decode(codec, "replace").encode(),
            body,
        )
    except LookupError:
        text = body
    text = re.sub(rb"\\u(-?\d{1,5}) ?\??", lambda m: chr(int(m.group(1)) % 65536).encode("utf-8", "replace"), text)
    text = re.sub(rb"\\[a-zA-Z]+-?\d* ?|\\[^\\{}]", b"", text)
    text = re.sub(rb"(?<!\\)[{}\r]", b"", text).replace(b"\\{", b"{").replace(b"\\}", b"}").replace(b"\\\\", b"\\")
    return text.replace(b"\x01", b"").replace(b"\x02", b"").decode("utf-8", "replace")
