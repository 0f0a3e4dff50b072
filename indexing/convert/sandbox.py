"""The rights of a process that reads hostile files: taken away before it opens one, never given back."""

import contextlib
import mmap
import os
import resource
import shutil
import signal
import struct
import sys
from dataclasses import dataclass
from typing import Any

_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
)
MAX_GROWTH = 20  # times the limit
_PAGES_IN_LIMIT = 300  # pages that earn a file the limit once more: a tenth of a second each, where it is 30 seconds
_RECOGNISER = shutil.which("tesseract")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def restrict(seconds: float, memory: int, keep: int) -> None:
    """
    Limit this process for good: memory, processor time, no file written, no connection, no other program, no core dump.

    :param seconds: of processor time.
    :param memory: bytes of address space beyond those in use now.
    :param keep: the one file descriptor that stays open, to answer on; standard input and output lead nowhere.
    """
    os.closerange(keep + 1, 256)
    quiet = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # a library's warnings may quote the document
        os.dup2(quiet, number)
    limit = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, MAX_GROWTH * limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limit + 5)  # in case the process that would kill us is gone
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit but does not take it
        resource.setrlimit(resource.RLIMIT_AS, ((space := _address_space() + memory), space))
    with contextlib.suppress(OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.addaudithook(_guard)


@dataclass
class Allowance:
    """
    Time that a file gets beyond its limit, for the pages that turn out to be in it: known to both processes.

    :param shared: memory that was shared before the fork, 8 bytes.
    :param seconds: the limit.
    """

    shared: mmap.mmap
    seconds: float

    def extra(self) -> float:
        """Seconds that were granted, at most `MAX_GROWTH` times the limit together with it."""
        granted = struct.unpack("d", self.shared[:8])[0]
        return granted if 0.0 <= granted <= (MAX_GROWTH - 1) * self.seconds else 0.0


_allowance: Allowance | None = None


def share(allowance: Allowance) -> None:
    """In the process that converts: what `allow_pages` grants from."""
    global _allowance
    _allowance = allowance


def allow_pages(count: int) -> None:
    """The file has so many pages: its time limit grows with them. Does nothing outside a converting process."""
    if _allowance is None:
        return
    seconds = _allowance.seconds
    extra = min((MAX_GROWTH - 1) * seconds, seconds * count / _PAGES_IN_LIMIT)
    _allowance.shared[:8] = struct.pack("d", extra)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (min(hard, int(seconds + extra) + 1), hard))
    signal.alarm(int(seconds + extra) + 6)


def _may_start(arguments: tuple[Any, ...]) -> bool:
    """tesseract alone, found before any document was read; it works on pipes, under the same limits."""
    return _RECOGNISER is not None and arguments[0] == _RECOGNISER


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen" and _may_start(arguments):
        return
    opens = event == "open" and isinstance(arguments[2], int) and not isinstance(arguments[0], int)  # int: a pipe's end
    if event.startswith(_FORBIDDEN) or (opens and arguments[2] & _WRITING):
        raise PermissionError(f"{event} is not for converters")


def _address_space() -> int:
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 30
