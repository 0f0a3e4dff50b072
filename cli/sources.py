"""What `excerpt index` is given: files, lists of files, addresses elsewhere, JSON lines."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CommandError
from cli.terminal.output import is_quiet
from cli.terminal.progress import SECONDS_BETWEEN_LINES
from cli.terminal.text import printable
from cli.terminal.words import plural

if TYPE_CHECKING:
    from indexing.remote.origin import Origin


def listed(file: str) -> list[str]:
    """
    The places in a list, one a line; whatever bytes a path is made of. Empty lines are passed over.

    :param file: "-" reads from standard input.
    :raises CommandError: when it cannot be read.
    """
    if file == "-":
        content = sys.stdin.buffer.read()
    else:
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"the list `{file}` cannot be read: {error.strerror}") from error
    return [os.fsdecode(line) for raw in content.split(b"\n") if (line := raw.rstrip(b"\r"))]


def open_sources(
    places: Sequence[str], json_lines: str | None, name: str, max_pages: int, private_addresses: bool
) -> "tuple[list[Path], list[Origin]]":
    """
    The files and folders among the places, and what opens the others.

    :param json_lines: a file of them, "-" for standard input, None for none; `name` is what the list is called.
    :raises CommandError: when something cannot be opened.
    """
    from indexing.remote.addresses import is_address, open_origin
    from indexing.remote.lines import JsonLines
    from indexing.remote.origin import OriginError

    files = [Path(place) for place in places if not is_address(place)]
    try:
        origins: list[Origin] = [
            open_origin(one, max_pages, private_addresses, _Looking()) for one in places if is_address(one)
        ]
        if json_lines is not None:
            lines = sys.stdin.buffer if json_lines == "-" else Path(json_lines).open("rb")  # noqa: SIM115 - the list closes it
            origins.append(JsonLines(lines, name))
    except OriginError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"the JSON lines `{json_lines}` cannot be read: {error.strerror}") from error
    return files, origins


class _Looking:
    """Says now and then how far a site has been looked at: that takes long, as it is done politely."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, pages: int, address: str) -> None:
        now = time.monotonic()
        if not is_quiet() and now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            print(f"Looking at {printable(address)} ({plural(pages, 'page')} before)", file=sys.stderr, flush=True)
