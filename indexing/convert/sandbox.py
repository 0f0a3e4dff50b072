"""The rights of a process that reads hostile files: taken away before it opens one, never given back."""

import contextlib
import os
import resource
import shutil
import signal
import sys
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
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limit + 5)  # in case the process that would kill us is gone
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit but does not take it
        resource.setrlimit(resource.RLIMIT_AS, ((space := _address_space() + memory), space))
    with contextlib.suppress(OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.addaudithook(_guard)


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
