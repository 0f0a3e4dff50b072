"""
The process that conversions are forked from: ``python -m indexing.convert.worker``.

It never sees a document itself. For each file it forks a child, which limits its own memory, time and rights, reads
the file, converts it and writes the result to a pipe. Requests come as JSON lines on stdin; each is answered on stdout
by one JSON line, whose `parts` are the lengths of the bytes that follow. Nothing is unpickled. It must start fast:
neither Haystack nor torch is imported here.
"""

import contextlib
import hashlib
import importlib
import json
import mmap
import os
import select
import signal
import stat
import time
from pathlib import PurePath
from typing import Any

from indexing.convert.dispatch import Options, convert, header_of
from indexing.convert.extracted import Refusal
from indexing.convert.sandbox import Allowance, restrict, share

# Loaded before the fork, so that the files of a folder share the cost.
_LIBRARIES = {
    ".pdf": ["pypdfium2", "ctypes", "statistics", "indexing.convert.pdf"],
    ".docx": ["indexing.convert.word"],
    ".pptx": ["indexing.convert.slides"],
    ".xlsx": ["indexing.convert.sheets"],
    ".html": ["selectolax.lexbor"],
    ".md": ["selectolax.lexbor", "markdown_it"],
    ".eml": ["email.policy", "selectolax.lexbor"],
    ".odt": ["indexing.convert.office.opendocument"],
    ".epub": ["indexing.convert.web.epub"],
    ".msg": ["oxmsg"],
}
_MAX_RESULT = 400_000_000


def serve() -> None:
    """Answer requests until stdin ends, which it also does when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    lines = _Lines(0)
    while (line := lines.next()) is not None:
        request = json.loads(line)
        for library in _LIBRARIES.get(PurePath(request["path"]).suffix.lower(), []):
            with contextlib.suppress(ImportError):  # the child will say so for its file
                importlib.import_module(library)
        try:
            header, body = _in_child(request)
        except OSError as error:  # no process, pipe or memory to be had: the machine's fault, not the file's
            header, body = {"fault": error.errno, "detail": error.strerror or str(error), "parts": []}, b""
        _write(1, json.dumps(header).encode("ascii") + b"\n" + body)


def _in_child(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    reading, writing = os.pipe()
    allowance = Allowance(mmap.mmap(-1, 8), request["seconds"])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            share(allowance)
            _child(request, writing)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    try:
        result, ended = _collected(reading, child, time.monotonic() + request["seconds"], allowance)
        request["seconds"] += allowance.extra()
    finally:
        os.close(reading)
        allowance.shared.close()
    return _judged(request, result, ended)


def _collected(reading: int, child: int, deadline: float, allowance: Allowance) -> tuple[bytes, int | None]:
    """Everything the child wrote and its wait status; None as status when it had to be killed for time."""
    chunks, size, late = [], 0, False
    while True:
        remaining = deadline + allowance.extra() - time.monotonic()
        if remaining > 0:  # look again: more time may be granted meanwhile
            remaining = min(remaining, max(deadline - time.monotonic(), 0.5))
        ready = select.select([reading, 0], [], [], max(0.0, remaining))[0] if remaining > 0 else []
        if reading in ready:
            chunk = os.read(reading, 1 << 20)
            chunks.append(chunk)
            size += len(chunk)
            if not chunk or size > _MAX_RESULT:
                break
        elif 0 in ready:  # requests come one at a time: stdin speaks now only when the parent is gone
            os.kill(child, signal.SIGKILL)
            os._exit(0)
        elif not ready and deadline + allowance.extra() > time.monotonic():
            continue
        elif not ready:
            late = True
            os.kill(child, signal.SIGKILL)
            break
    _, status = os.waitpid(child, 0)
    return b"".join(chunks), None if late else status


def _judged(request: dict[str, Any], result: bytes, status: int | None) -> tuple[dict[str, Any], bytes]:
    if status is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return _refused(
            "timeout", f"not converted within {request['seconds']:.0f} seconds; raise the converter's timeout"
        ), b""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL:
            return _refused("memory", "the system ended its converter"), b""
        return _refused("crashed", f"its converter ended by {signal.Signals(number).name}"), b""
    head, newline, body = result.partition(b"\n")
    try:
        header = json.loads(head)
        if not newline or sum(header["parts"]) != len(body):
            raise ValueError("torn")
    except (ValueError, KeyError, TypeError):
        return _refused("crashed", "its converter ended without a whole result"), b""
    return header, body


def _refused(reason: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"refused": reason, "detail": detail, "parts": [], **more}


def _child(request: dict[str, Any], writing: int) -> None:
    known: dict[str, Any] = {}
    try:
        restrict(request["seconds"], request["memory"], keep=writing)
        data, known = _read(request["path"], request["max_bytes"])
        chosen = {"options": options} if (options := request.get("options")) else {}
        header, body = _converted(data, PurePath(request["path"]).suffix.lower(), **chosen)
        header.update(known)
    except Refusal as refusal:
        header, body = _refused(refusal.reason, refusal.detail, **known), []
    except MemoryError:
        header, body = (
            _refused("memory", f"over {request['memory'] >> 20:,} MB; raise the converter's memory_mb", **known),
            [],
        )
    except RecursionError:
        header, body = _refused("damaged", "nested deeper than is read", **known), []
    except Exception as error:  # libraries raise whatever a broken file provokes; its message may quote the file
        header, body = _refused("damaged", f"{type(error).__name__} in its converter", **known), []
    _write(writing, json.dumps(header).encode("ascii") + b"\n")
    for part in body:
        _write(writing, part)


def _converted(data: bytes, suffix: str, options: dict[str, bool] | None = None) -> tuple[dict[str, Any], list[bytes]]:
    """The file's header, with those of the files inside it as `members`, and for each its text and its layout."""
    header: dict[str, Any] = {}
    body: list[bytes] = []
    for page in convert(data, suffix, Options(**(options or {}))):
        if not header:
            header = {**header_of(page), "members": []}
        else:
            header["members"].append(header_of(page))
        body += [page.text.encode("utf-8", "replace"), page.layout or b""]
    return {**header, "parts": [len(part) for part in body]}, body


def _read(path: str, limit: int) -> tuple[bytes, dict[str, Any]]:
    """The file's bytes as they were at one moment, with their hash: what is indexed is what was hashed."""
    try:
        descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal("unreadable", error.strerror or "cannot be opened") from None
    with open(descriptor, "rb") as opened:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise Refusal("not a file", "not a regular file")
        if before.st_size > limit:
            raise Refusal("too large", f"{before.st_size:,} bytes; above the converter's max_file_mb")
        data = opened.read(limit + 1)
        after = os.fstat(descriptor)
    if len(data) != before.st_size or (before.st_mtime_ns, before.st_ctime_ns) != (
        after.st_mtime_ns,
        after.st_ctime_ns,
    ):
        raise Refusal("unreadable", "it changed while it was read; index again")
    stamp = max(after.st_mtime_ns, after.st_ctime_ns)
    return data, {"content_hash": hashlib.sha256(data).hexdigest(), "size": len(data), "stamp": stamp}


class _Lines:
    """Lines of a file descriptor, read without Python's buffering, which a fork would copy."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def next(self) -> bytes | None:
        while b"\n" not in self._pending:
            chunk = os.read(self._descriptor, 65536)
            if not chunk:
                return None
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    serve()
