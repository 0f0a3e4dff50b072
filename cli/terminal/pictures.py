"""
A picture in a terminal: by kitty's or iTerm's protocol, as sixels, or not at all.

Kitty: https://sw.kovidgoyal.net/kitty/graphics-protocol. iTerm: https://iterm2.com/documentation-images.html. Sixels:
the VT330/VT340 Programmer Reference, chapter 14.
"""

import base64
import os
import re
import select
import struct
import sys
import time
import zlib
from collections.abc import Mapping
from typing import Literal, get_args

Protocol = Literal["kitty", "iterm", "sixel", "file"]
PROTOCOLS: tuple[str, ...] = get_args(Protocol)
_CHUNK = 4096  # characters of base64 that kitty takes at once
_REPLY_SECONDS = 0.3
_LEVELS = 6  # of each colour in sixels: 216 registers of the 256 that terminals have


def protocol_of(environment: Mapping[str, str]) -> Protocol | None:
    """Which protocol the terminal is known to speak by what it says of itself; None: ask it for sixels."""
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term.startswith(("tmux", "screen")) or "TMUX" in environment:
        return None  # the variables below are those of the terminal around it, which does not see our pictures
    if term in ("xterm-kitty", "xterm-ghostty") or "KITTY_WINDOW_ID" in environment or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm", "mintty") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return None


def choose_protocol(environment: Mapping[str, str]) -> Protocol:
    """
    How a picture is shown here: by what `EXCERPT_PICTURES` names, by what this terminal speaks, or as a file.

    :raises ValueError: when `EXCERPT_PICTURES` names none of `PROTOCOLS`.
    """
    if named := environment.get("EXCERPT_PICTURES"):
        for known in get_args(Protocol):
            if named == known:
                return known
        raise ValueError(f"EXCERPT_PICTURES is {named!r}; allowed are {', '.join(PROTOCOLS)}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "file"
    return protocol_of(environment) or ("sixel" if _speaks_sixel() else "file")


def picture_text(png: bytes, protocol: Protocol) -> str:
    """
    What to write to the terminal for a picture at the cursor.

    :param png: as `indexing.page_image` writes it: 8 bits a channel, no filters, one IDAT.
    :raises ValueError: for a protocol without a text (`file`).
    """
    if protocol == "kitty":
        return _kitty(base64.standard_b64encode(png).decode("ascii"))
    if protocol == "iterm":
        data = base64.standard_b64encode(png).decode("ascii")
        return f"\x1b]1337;File=inline=1;size={len(png)}:{data}\x07\n"
    if protocol == "sixel":
        return _sixel(png)
    raise ValueError(f"no text shows a picture by {protocol!r}")


def _kitty(data: str) -> str:
    parts = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    texts = []
    for number, part in enumerate(parts, start=1):
        first = "a=T,f=100,q=2," if number == 1 else ""
        texts.append(f"\x1b_G{first}m={int(number < len(parts))};{part}\x1b\\")
    return "".join(texts) + "\n"


def _sixel(png: bytes) -> str:
    """Bands of six rows; in each, one line of characters a colour, runs shortened."""
    import numpy as np

    width, height, pixels = _pixels(png)
    colours = (pixels.astype(np.uint16) * (_LEVELS - 1) + 127) // 255
    registers = (colours[..., 0] * _LEVELS + colours[..., 1]) * _LEVELS + colours[..., 2]
    used = np.unique(registers)
    text = [f'\x1bPq"1;1;{width};{height}']
    for register in used.tolist():
        red, green, blue = (
            100 * (register // _LEVELS**power % _LEVELS) // (_LEVELS - 1) for power in (2, 1, 0)
        )  # in percent
        text.append(f"#{register};2;{red};{green};{blue}")
    weights = (1 << np.arange(6, dtype=np.uint8))[:, None]
    for top in range(0, height, 6):
        band = registers[top : top + 6]
        for register in np.unique(band).tolist():
            bits = ((band == register) * weights[: len(band)]).sum(axis=0).astype(np.uint8)
            text.append(f"#{register}{_runs((bits + 63).tobytes().decode('ascii'))}$")
        text.append("-")
    return "".join(text) + "\x1b\\\n"


def _runs(line: str) -> str:
    return re.sub(r"(.)\1{3,}", lambda run: f"!{len(run[0])}{run[1]}", line)


def _pixels(png: bytes):  # type: ignore[no-untyped-def] # numpy is imported where it is needed
    """(width, height, an array of height x width x 3 bytes)."""
    import numpy as np

    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    channels = {0: 1, 2: 3, 6: 4}.get(colour)
    start = png.find(b"IDAT")
    if depth != 8 or channels is None or start < 0:
        raise ValueError("not a PNG as indexing.page_image writes it")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    raw = np.frombuffer(zlib.decompress(png[start + 4 : start + 4 + length]), np.uint8)
    rows = raw.reshape(height, 1 + width * channels)[:, 1:].reshape(height, width, channels)
    return width, height, np.repeat(rows, 3, axis=2) if channels == 1 else rows[..., :3]


def _speaks_sixel() -> bool:
    """Ask for the terminal's attributes (DA1); those of one that draws sixels hold a 4. Silence is no."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        return False
    descriptor = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        return False
    reply = b""
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        os.write(sys.stdout.fileno(), b"\x1b[c")
        until = time.monotonic() + _REPLY_SECONDS
        while not reply.endswith(b"c") and (left := until - time.monotonic()) > 0:
            if not select.select([descriptor], [], [], left)[0]:
                break
            reply += os.read(descriptor, 64)
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
    found = re.search(rb"\x1b\[\?([\d;]+)c", reply)
    return found is not None and b"4" in found[1].split(b";")[1:]
