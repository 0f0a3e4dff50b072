"""Document text made harmless and short for a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from cli.terminal.text import clip, printable


def test_escape_sequences_become_visible() -> None:
    assert printable("\x1b[2Jred\x1b]0;title\x07") == "␛[2Jred␛]0;title␇"
    assert printable("a\nb\tc\fd\u2028e") == "a b c d e"
    assert printable("a\nb", keep="\n") == "a\nb"
    assert printable("\u202egnp.exe \x9b31m\ud800") == "\ufffdgnp.exe \ufffd31m\ufffd"
    assert printable("é 漢字 👩‍👩‍👧 שלום") == "é 漢字 👩‍👩‍👧 שלום"  # what people write stays


@given(st.text())
def test_printable_keeps_every_offset_and_leaves_no_control_character(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert all(ord(char) >= 32 and not 0x7F <= ord(char) < 0xA0 for char in shown)


@given(st.text(alphabet="ab \n", max_size=200), st.data(), st.integers(1, 80))
def test_clip_keeps_the_span_and_bounds_the_rest(text: str, data: st.DataObject, width: int) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cut, left, right = clip(text, start, end, width)
    assert cut[left:right] == text[start:end]
    assert len(cut) <= max(width, end - start) + 4
    assert cut.removeprefix("… ").removesuffix(" …") in text
    if len(text) <= width:
        assert cut == text
