"""How much a command says: `--quiet` leaves progress and notes away, `--verbose` tells what is done and how long."""

import logging
import sys
import time
from typing import Annotated

import typer

_level = 0
_BEGAN = time.monotonic()


def _set_quiet(given: bool) -> bool:
    global _level
    if given:
        _level = -1
    return given


def _set_verbose(given: int) -> int:
    global _level
    if given:
        _level = given
        level = logging.INFO if given == 1 else logging.DEBUG
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        for room in ("components", "indexing", "pipelines", "cli"):
            logging.getLogger(room).setLevel(level)
    return given


Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes, errors only.", callback=_set_quiet)
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, help="Tell what is being done and how long it took.", callback=_set_verbose
    ),
]


def is_quiet() -> bool:
    """Whether only errors are told."""
    return _level < 0


def tell(message: str) -> None:
    """A line for those who asked for more (`-v`), with the seconds since the command began."""
    if _level > 0:
        print(f"[{time.monotonic() - _BEGAN:6.2f} s] {message}", file=sys.stderr, flush=True)
