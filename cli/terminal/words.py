"""How numbers and places are written for people: plurals, percentages, sizes, paths."""

import os
from pathlib import Path


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 file`, `2 files`, `1,200 files`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def percent(probability: float) -> str:
    """Never "100 %" nor "0 %" for what is only nearly so."""
    value = probability * 100
    return f"{value:.0f} %" if 10 <= value <= 99 else f"{min(max(value, 0.1), 99.9):.1f} %"


def size(count: float) -> str:
    """Bytes in a unit that leaves one to three digits: `812 bytes`, `1.2 MB`."""
    if count < 1000:
        return plural(int(count), "byte")
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:,.0f} {unit}" if count >= 100 else f"{count:,.1f} {unit}"
    return f"{count / 1000:,.1f} TB"


def near(path: str) -> str:
    """A path as one would type it here: relative under the current folder, with ~ under the home folder."""
    here, home = f"{Path.cwd().as_posix()}/", f"{Path.home().as_posix()}/"
    if path.startswith(here):
        return path.removeprefix(here)
    return f"~/{path.removeprefix(home)}" if path.startswith(home) else path


def shorten(text: str, width: int) -> str:
    """Cut to `width` columns; what is cut is the middle, so that a path keeps its beginning and its file name."""
    if len(text) <= width or width < 5:
        return text
    right = (width - 1) * 2 // 3
    return f"{text[: width - 1 - right]}…{text[-right:]}"


def columns() -> int:
    """How wide a line may be: the terminal's width, or COLUMNS, or no limit where the output is no terminal."""
    import shutil
    import sys

    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return 10_000
