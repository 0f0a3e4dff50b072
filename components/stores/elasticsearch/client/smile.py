"""Documents as SMILE, the binary JSON that Elasticsearch reads: a vector of floats costs it no decimal parsing.

Format: https://github.com/FasterXML/smile-format-specification (version 1, without shared names and values). Parsing
384 decimal numbers is most of what a passage costs Elasticsearch to read; SMILE's floats are the very bits of float32.
"""

import struct
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

HEADER = b":)\n\x00"  # then: no shared names, no shared values, no raw binary
SEPARATOR = b"\xff"  # between the documents of a bulk body
_NULL, _FALSE, _TRUE, _EMPTY = b"\x21", b"\x22", b"\x23", b"\x20"
_START_ARRAY, _END_ARRAY, _START_OBJECT, _END_OBJECT = b"\xf8", b"\xf9", b"\xfa", b"\xfb"
_LONG_ASCII, _LONG_UNICODE, _LONG_NAME, _END_OF_STRING = b"\xe0", b"\xe4", b"\x34", b"\xfc"
_FLOAT32, _FLOAT64, _INT32, _INT64 = 0x28, 0x29, b"\x24", b"\x25"


def encode(value: Any) -> bytes:
    """
    One value with its header, ready to be a line of a bulk body.

    :param value: What JSON can hold, dates (written as ISO 8601) and `Raw`.
    :raises TypeError: For a value of another type.
    :raises ValueError: For text that is not Unicode (a lone surrogate) and integers of more than 64 bits.
    """
    return HEADER + _value(value)


class Raw(bytes):
    """A value that is encoded already."""


def float32_arrays(vectors: np.ndarray) -> list[Raw]:
    """
    Encode the rows of a (n, dimensions) array as arrays of 32-bit floats: per float one type byte, then the 32 bits in
    five bytes of seven bits, highest first.
    """
    bits = np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint32)
    coded = np.empty((*bits.shape, 6), dtype=np.uint8)
    coded[..., 0] = _FLOAT32
    for place in range(5):
        coded[..., 1 + place] = (bits >> np.uint32(7 * (4 - place))) & np.uint32(0x7F)
    return [Raw(_START_ARRAY + row.tobytes() + _END_ARRAY) for row in coded]


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Raw):
        return value
    if value is None:
        return _NULL
    if isinstance(value, bool | np.bool_):
        return _TRUE if value else _FALSE
    if isinstance(value, int | np.integer):
        return _integer(int(value))
    if isinstance(value, float | np.floating):
        return _float64(float(value))
    if isinstance(value, dict):
        parts = [_START_OBJECT]
        for name, content in value.items():
            parts += (_name(name), _value(content))
        return b"".join([*parts, _END_OBJECT])
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return b"".join([_START_ARRAY, *map(_value, value), _END_ARRAY])
    if isinstance(value, datetime | date):
        return _text(value.isoformat())
    raise TypeError(f"a value of type {type(value).__name__} cannot be stored: use text, numbers, dates, lists of them")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the text holds a lone surrogate (at character {error.start}), which is no Unicode") from None


def _text(text: str) -> bytes:
    if not text:
        return _EMPTY
    return (_LONG_ASCII if text.isascii() else _LONG_UNICODE) + _utf8(text) + _END_OF_STRING


def _name(name: Any) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"a name of a field is {name!r}, but must be text")
    coded = _utf8(name)
    if not coded:
        return _EMPTY
    if name.isascii() and len(coded) <= 64:
        return bytes([0x80 + len(coded) - 1]) + coded
    return _LONG_NAME + coded + _END_OF_STRING


def _integer(number: int) -> bytes:
    """Zigzag; small ones in one byte, others in groups of seven bits, the last of six with the high bit set."""
    zigzag = number * 2 if number >= 0 else -number * 2 - 1
    if zigzag < 32:
        return bytes([0xC0 + zigzag])
    if zigzag >= 1 << 64:
        raise ValueError(f"the integer {number} needs more than 64 bits")
    # A reader takes four bytes of a 64-bit integer for granted: what fits 32 bits must say so.
    token = _INT32 if zigzag < 1 << 32 else _INT64
    groups = [0x80 | (zigzag & 0x3F)]
    zigzag >>= 6
    while zigzag:
        groups.append(zigzag & 0x7F)
        zigzag >>= 7
    return token + bytes(reversed(groups))


def _float64(number: float) -> bytes:
    (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    return bytes([_FLOAT64, *((bits >> (7 * (9 - place))) & 0x7F for place in range(10))])
