"""Which characters do these bytes mean?"""

import codecs
import re

from indexing.convert.extracted import cleaned

_BOMS = (  # the longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 200_000
_HIGH = re.compile(rb"[\x80-\xff]")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# What stands in Western European prose beyond ASCII. A superscript or a currency sign inside a word speaks against it.
_WESTERN = re.compile(
    r"[À-ÖØ-öø-ÿŒœŠšŽžŸ]|(?<![^\W\d_])[°§©®™²³¹ªº·•…–—‘’‚“”„‹›«»¡¿£€¥¢½¼¾±×\xa0´]|(?<=\w)[’.…–—”»›®™\xa0·ªº]"
)


def decode(data: bytes, declared: str | None = None) -> str:
    """
    Decode without losing a byte silently: what fits no encoding becomes U+FFFD.

    In this order: byte order mark, UTF-16 without one (told by its NULs), UTF-8, the encoding that the file declares,
    UTF-8 with a few broken bytes, Windows-1252 where that reads as Western European prose, charset-normalizer's guess.

    :param declared: what a format says of itself (HTML's meta, a mail part's charset).
    :returns: clean text (`extracted.cleaned`).
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return cleaned(data[len(bom) :].decode(encoding, "replace"))
    return cleaned(data.decode(_encoding(data, declared), "replace"))


def _encoding(data: bytes, declared: str | None) -> str:
    if wide := wide_encoding(data):
        return wide
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    if declared and (known := _known(declared)) and known != "utf-8" and _fits(data, known):
        return known
    high = _HIGH.findall(data[: 4 * _SAMPLE])
    inside = sum(len(match.group()) for match in _UTF8_SEQUENCE.finditer(data[: 4 * _SAMPLE]))
    if inside > 0.9 * len(high) or _known(declared or "") == "utf-8":
        return "utf-8"
    return "cp1252" if _western(data) else _guessed(data)


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly every second byte of European text is then 0."""
    sample = data[:_SAMPLE]
    if len(sample) < 4 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if max(even, odd) > 0.35 and min(even, odd) < 0.05:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _known(name: str) -> str | None:
    try:
        info = codecs.lookup(name.strip().strip("\"'"))
    except (LookupError, ValueError):
        return None
    return info.name if getattr(info, "_is_text_encoding", True) else None


def _fits(data: bytes, encoding: str) -> bool:
    try:
        return data.decode(encoding, "replace").count("\ufffd") <= len(data) / 100
    except (UnicodeError, ValueError):
        return False


def _western(data: bytes) -> bool:
    """Whether the high bytes, read as Windows-1252, are letters and punctuation of Western European languages."""
    sample = data[: 4 * _SAMPLE].decode("cp1252", "replace")
    high = sum(char > "\x7f" for char in sample)
    letters = sum(char.isalpha() for char in sample)
    return 0 < high <= 0.3 * max(1, letters) and len(_WESTERN.findall(sample)) >= 0.97 * high


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE]).best()
    return best.encoding if best is not None else "cp1252"
