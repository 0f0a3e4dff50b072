"""Which characters do these bytes mean?"""

import codecs
import re

from indexing.convert.charsets import guess_encoding
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
_SEVEN_BIT = {"iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext"}
_SEVEN_BIT |= {"iso2022_kr", "hz", "utf-7"}
# What browsers understand by these labels (WHATWG Encoding, 4.2), where Python understands less or another thing.
_WEB_LABELS = {
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "l1", "ascii", "us-ascii", "iso8859-1", "cp819"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "latin5", "latin-5", "iso8859-9"), "cp1254"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "chinese", "csgb2312", "gb-2312-80"), "gb18030"),
    **dict.fromkeys(("shift-jis", "shift_jis", "sjis", "x-sjis", "windows-31j", "ms-kanji"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks-c-5601-1987", "korean", "ksc5601", "ks-c-5601-1989", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "x-x-big5", "cn-big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("tis-620", "iso-8859-11", "dos-874", "windows-874"), "cp874"),
    **dict.fromkeys(("iso-8859-8-i", "iso-8859-8-e", "logical", "visual"), "iso8859_8"),
    **dict.fromkeys(("macintosh", "x-mac-roman", "mac"), "mac_roman"),
    **dict.fromkeys(("unicode", "utf8", "unicode-1-1-utf-8", "x-unicode20utf8"), "utf-8"),
    "hz-gb-2312": "hz", "x-euc-jp": "euc_jp", "x-mac-cyrillic": "mac_cyrillic", "koi": "koi8_r", "koi8": "koi8_r",
    "iso-2022-jp": "iso2022_jp_2", "unicode-1-1-utf-7": "utf-7", "x-cp1251": "cp1251", "x-cp1252": "cp1252",
}  # fmt: skip


def decode(data: bytes, declared: str | None = None) -> str:
    """
    Decode without losing a byte silently: what fits no encoding becomes U+FFFD.

    In this order: byte order mark, UTF-16 without one (told by its NULs), UTF-8, the encoding that the file declares,
    UTF-8 with a few broken bytes, the likeliest of the old encodings (`charsets.guess_encoding`).

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
    known = known_encoding(declared) if declared else None
    if escaped := _seven_bit(data, known):
        return escaped
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    if known and known != "utf-8" and _fits(data, known):
        return known
    high = _HIGH.findall(data[: 4 * _SAMPLE])
    inside = sum(len(match.group()) for match in _UTF8_SEQUENCE.finditer(data[: 4 * _SAMPLE]))
    if inside > 0.9 * len(high) or known == "utf-8":
        return "utf-8"
    return guess_encoding(data)


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly every second byte of European text is then 0."""
    sample = data[:_SAMPLE]
    if len(sample) < 4 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if max(even, odd) > 0.35 and min(even, odd) < 0.05:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def known_encoding(label: str) -> str | None:
    """The codec that a label means on the web: "iso-8859-1" is Windows-1252 there; None for labels nobody knows."""
    name = label.strip().strip("\"'").lower().replace("_", "-")
    name = _WEB_LABELS.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return info.name if getattr(info, "_is_text_encoding", True) else None


def _seven_bit(data: bytes, known: str | None) -> str | None:
    """Encodings whose bytes are all ASCII, so that they would pass for UTF-8: declared, or told by their escapes."""
    if known in _SEVEN_BIT and not _HIGH.search(data):
        return known if _fits(data, known) else None
    if b"\x1b$" in data and not _HIGH.search(data[:_SAMPLE]):
        name = "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_2"
        return name if _fits(data, name) else None
    return None


def _fits(data: bytes, encoding: str) -> bool:
    try:
        return data.decode(encoding, "replace").count("\ufffd") <= len(data) / 100
    except (UnicodeError, ValueError):
        return False
