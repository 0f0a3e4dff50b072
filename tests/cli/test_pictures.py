"""Pages drawn in a terminal, or as a file: what is written shows the page, with the answer's words marked."""

import base64
import os
import pty
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cli.terminal import pictures

Run = Callable[..., tuple[int, str, str]]
ANTHEM = "Who sang the national anthem at Super Bowl 50?"
MARK = (255, 221, 51)


def png_of(pixels: np.ndarray) -> bytes:
    height, width, _ = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = b""
    for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        parts += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + parts


def drawn_by_sixels(text: str) -> np.ndarray:
    """What a terminal makes of them: colours in percent, six rows a band."""
    body = text[text.index("q") + 1 : text.index("\x1b\\")]
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', body).groups())  # type: ignore[union-attr]
    picture = np.zeros((height, width, 3), int)
    colours: dict[int, tuple[int, ...]] = {}
    x = top = now = 0
    for token in re.finditer(r'"[\d;]+|#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([?-~])|(\$)|(-)', body):
        register, red, green, blue, count, repeated, single, back, down = token.groups()
        if red:
            colours[int(register)] = (int(red), int(green), int(blue))
        elif register:
            now = int(register)
        elif repeated or single:
            bits, times = ord(repeated or single) - 63, int(count or 1)
            for row in range(6):
                if bits >> row & 1:
                    picture[top + row, x : x + times] = colours[now]
            x += times
        elif back or down:
            x, top = 0, top + (6 if down else 0)
    return picture


def test_sixels_draw_the_picture() -> None:
    pixels = np.random.default_rng(5).choice(np.array([0, 51, 102, 153, 204, 255], np.uint8), (15, 40, 3))
    pixels[3:9, 5:30] = MARK
    drawn = drawn_by_sixels(pictures.picture_text(png_of(pixels), "sixel"))
    assert np.abs(drawn * 255 / 100 - pixels).max() <= 26  # half a level of six


def test_kitty_and_iterm_get_the_png_as_it_is() -> None:
    png = png_of(np.random.default_rng(5).integers(0, 255, (60, 60, 3), np.uint8))
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", pictures.picture_text(png, "kitty"))
    assert len(parts) > 1 and all(len(data) <= 4096 for _, data in parts)
    assert [keys[-3:] for keys, _ in parts] == ["m=1"] * (len(parts) - 1) + ["m=0"]
    assert base64.b64decode("".join(data for _, data in parts)) == png
    found = re.fullmatch(r"\x1b]1337;File=inline=1;size=(\d+):(.*)\x07\n", pictures.picture_text(png, "iterm"))
    assert found is not None and int(found[1]) == len(png) and base64.b64decode(found[2]) == png


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "tmux-256color", "LC_TERMINAL": "iTerm2"}, None),
        ({"TERM": "xterm-256color"}, None),
    ],
)
def test_terminals_are_known_by_what_they_say(environment: dict[str, str], protocol: str | None) -> None:
    assert pictures.protocol_of(environment) == protocol


def test_an_unknown_setting_names_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="kitty, iterm, sixel, file"):
        pictures.choose_protocol({"EXCERPT_PICTURES": "ascii"})


@pytest.mark.parametrize(
    ("reply", "protocol"), [(b"\x1b[?62;4;22c", "sixel"), (b"\x1b[?64;22c", "file"), (b"", "file")]
)
def test_an_unknown_terminal_is_asked_for_sixels(reply: bytes, protocol: str) -> None:
    """In a terminal of its own, whose other end answers the question for its attributes."""
    outer, inner = pty.openpty()
    code = "from cli.terminal.pictures import choose_protocol as c; print('is', c({'TERM': 'xterm'}))"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=inner, stdout=inner, cwd=Path(__file__).parents[2])
    os.close(inner)
    seen = b""
    while b"\x1b[c" not in seen:
        seen += os.read(outer, 100)
    os.write(outer, reply)
    while b"is " not in seen or b"\n" not in seen.partition(b"is ")[2]:
        seen += os.read(outer, 100)
    assert process.wait(10) == 0
    os.close(outer)
    assert seen.partition(b"is ")[2].split()[0].decode() == protocol


def marked(png: bytes) -> int:
    _, _, pixels = pictures._pixels(png)
    return int((pixels == MARK).all(axis=2).sum())


def test_ask_and_show_draw_the_answer_on_its_page(inside: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCERPT_PICTURES", "iterm")
    code, out, err = inside("ask", ANTHEM, "--top-k", 1, "--show")
    assert (code, err) == (0, ""), err
    png = base64.b64decode(out[out.index("\x1b]1337") :].partition(":")[2].partition("\x07")[0])
    answer = marked(png)
    assert answer > 200  # "Lady Gaga" at 110 dots an inch

    monkeypatch.setenv("EXCERPT_PICTURES", "file")
    file = tmp_path / "page.png"
    code, out, _ = inside("show", "super-bowl-50.pdf", "--page", 7, "--png", file)
    assert (code, marked(file.read_bytes())) == (0, answer)  # the last answer
    passages = inside("show", "black-death.pdf", "--passages", "--json")[1]
    passage = re.search(r'"document_id": "(\w+)"', passages)
    assert passage is not None
    code, out, _ = inside("show", passage[1], "--png", file)
    assert code == 0 and marked(file.read_bytes()) > 5 * answer  # a whole passage
    code, out, _ = inside("show", passage[1])
    assert (code, "picture" in out) == (0, False)  # a terminal without pictures gets the text alone
    monkeypatch.setenv("EXCERPT_PICTURES", "iterm")
    code, out, _ = inside("show", passage[1])
    assert (code, f"id {passage[1]}" in out, "\x1b]1337;File=inline=1" in out) == (0, True, True)
    monkeypatch.setenv("EXCERPT_PICTURES", "file")
    code, out, _ = inside("show", "black-death.pdf", "--page", 1)
    kept = tmp_path / "XDG_CACHE_HOME" / "excerpt" / "page.png"
    assert (code, kept.stat().st_mode & 0o777) == (0, 0o600) and str(kept) in out
    code, _, err = inside("show", "steam-engine.md", "--page", 1)
    assert (code, "is no PDF that can be drawn" in err) == (1, True)
    code, _, err = inside("show", "black-death.pdf", "--page", 900)
    assert (code, "so there is no page 900" in err) == (1, True)
    code, _, err = inside("ask", ANTHEM, "--show", "--json")
    assert (code, "--show or --json" in err) == (2, True)
