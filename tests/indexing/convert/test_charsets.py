"""Short texts in old encodings keep their characters: no Arabic, no katakana out of Latin-1."""

import pytest

from indexing.convert.encoding import decode, known_encoding

_SHORT = [
    ("Café", "latin-1"), ("naïve", "latin-1"), ("Zoë", "latin-1"), ("á", "latin-1"), ("São Paulo", "latin-1"),
    ("Größe 5", "latin-1"), ("5 £ each", "cp1252"), ("“quoted” text", "cp1252"), ("it’s", "cp1252"),
    ("20°C", "latin-1"), ("Øre", "latin-1"), ("Þórður", "latin-1"), ("ÜBERSICHT", "latin-1"), ("½ cup", "latin-1"),
    ("ÄÖÜ", "latin-1"), ("ÉCOLE SUPÉRIEURE", "latin-1"), ("100 €", "cp1252"), ("±5 µm", "latin-1"),
    ("Привет мир", "koi8_r"), ("Москва", "cp1251"), ("שלום עולם", "cp1255"), ("القاهرة مدينة كبيرة", "cp1256"),
    ("Dvořák", "cp1250"), ("Łódź", "cp1250"), ("Gülşen Öztürk", "cp1254"), ("Αθήνα", "cp1253"),
    ("你好世界", "gb18030"), ("日本語", "cp932"), ("안녕하세요", "cp949"), ("über", "mac_roman"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), _SHORT)
def test_a_few_words_are_enough(text, encoding):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "declared", "codec"),
    [
        ("漁港の船", "iso-2022-jp", "iso2022_jp"),
        ("항구의 배", "iso-2022-kr", "iso2022_kr"),
        ("港口的船", "hz-gb-2312", "hz"),
        ("Königsbrücke", "utf-7", "utf-7"),
        ("“Hooge” – 5 €", "ISO-8859-1", "cp1252"),
        ("şeker ışık", "iso-8859-9", "cp1254"),
        ("日本", "x-sjis", "cp932"),
    ],
)
def test_what_is_declared_is_believed_as_browsers_do(text, declared, codec):
    assert decode(text.encode(codec), declared) == text


def test_escapes_tell_japanese_mail_that_declares_nothing():
    assert decode("この灯台は古い。".encode("iso2022_jp")) == "この灯台は古い。"


def test_labels_that_nobody_knows_are_none():
    assert known_encoding("x-unknown") is None
    assert known_encoding("hex") is None
