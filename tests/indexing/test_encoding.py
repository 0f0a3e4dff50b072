"""Bytes become the characters that were meant, and none of them is lost silently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.convert.encoding import decode

FRENCH = "Où êtes-vous? L'été à Besançon était très beau – naïf, même. « Déjà vu », disait Hélène."
GERMAN = "Die Größe der Äpfel überrascht: süße Früchte für 5 €. „Schön“, sagte Jörg."
SPANISH = "¿Dónde está el niño? ¡Mañana será otro día! El pingüino comió."
POLISH = "Zażółć gęślą jaźń. Wisła płynie przez Kraków, a łódź wraca do Gdańska. " * 3
RUSSIAN = "Москва — столица России, город федерального значения. Население города растёт. " * 3
GREEK = "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και η μεγαλύτερη πόλη της χώρας. " * 3
JAPANESE = "東京は日本の首都である。江戸と呼ばれた町は世界で最も大きな都市の一つになった。" * 5


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (FRENCH.replace("–", "-"), "latin-1"),
        (FRENCH, "cp1252"),
        (GERMAN, "cp1252"),
        (SPANISH, "latin-1"),
        ("Café", "latin-1"),
        (POLISH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN.replace("—", "-"), "koi8-r"),
        (GREEK, "cp1253"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (GERMAN, "utf-8-sig"),
        (JAPANESE, "utf-8"),
    ],
)
def test_encodings_are_detected(text, encoding):
    assert decode(text.encode(encoding)) == text


def test_a_few_broken_bytes_do_not_change_the_encoding():
    text = decode((GERMAN * 5).encode() + b" \xff end")
    assert text == GERMAN * 5 + " \ufffd end"


def test_a_declared_encoding_is_believed_where_it_fits():
    russian = RUSSIAN.replace("—", "-")
    assert decode(russian.encode("iso8859-5"), "iso-8859-5") == russian
    assert decode(GERMAN.encode(), "latin-1") == GERMAN
    assert decode(GERMAN.encode("cp1252"), "no-such-encoding") == GERMAN


@given(st.binary(max_size=300))
def test_any_bytes_become_clean_text(data):
    text = decode(data)
    assert "\0" not in text
    assert "\r" not in text
    text.encode("utf-8")  # no lone surrogates


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\ufffe\uffff\ufeff"), max_size=300))
def test_utf8_comes_back_exactly(text):
    # Hypothesis may find text whose bytes look like UTF-16: many NULs are excluded above, so none may.
    assert decode(text.encode()) == text
