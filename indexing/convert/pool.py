"""Converting files side by side, each in a process of its own, from the parent's point of view."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexing.convert.dispatch import Options
from indexing.convert.extracted import Extracted
from indexing.convert.sandbox import MAX_GROWTH
from indexing.sources import content_hash, stamp_of

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-X", "utf8", "-m", "indexing.convert.worker"]
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
_WITHOUT_A_WORD = ("timeout", "crashed", "memory", "too large")  # refusals that come without the file's hash
_LOST = "lost"
_NO_CONVERTER = "no file can be converted on this machine now (too many processes, open files, or too little memory)"
_MORE_TIME_EACH = 2_000_000  # bytes
_GRACE = 5.0  # seconds that the forking process gets beyond a file's own limit before it is replaced


@dataclass(frozen=True)
class Limits:
    """
    What one file may cost.

    :param seconds: of wall time and of processor time, for a small file (`seconds_for`).
    :param memory: bytes of address space beyond those of the empty converter, for a small file (`memory_for`).
    :param max_bytes: size of the largest file that is read.
    """

    seconds: float = 30.0
    memory: int = 1 << 30
    max_bytes: int = 256 << 20

    def seconds_for(self, size: int) -> float:
        """Time grows with the file, as its pages do: a manual of 2,400 pages has some 10 MB. Twenty times at most."""
        return self.seconds * min(20.0, 1.0 + size / _MORE_TIME_EACH)

    def memory_for(self, size: int) -> int:
        """Bytes beyond those of the empty converter: some libraries hold a file several times."""
        return self.memory + 4 * min(size, self.max_bytes)


@dataclass(frozen=True)
class Converted:
    """
    What came of one file: `page`, or a `reason` of `extracted.REASONS` with its `detail`.

    :param content_hash: sha256 of exactly the bytes that were converted; None where the file was not read.
    :param members: the files inside it that were read (attachments), each with its `name`.
    :param size: of the file in bytes, and `stamp` its time of change (`sources.stamp_of`); 0 where it was not read.
    """

    path: str
    page: Extracted | None
    content_hash: str | None
    size: int
    stamp: int
    reason: str | None = None
    detail: str = ""
    members: list[Extracted] = field(default_factory=list)


class ConverterPool:
    """
    Converts with `workers` processes at once; they start at the first file and end with `close`.

    A converter that hangs, crashes or runs out of memory costs its own file only. That no converter can be started is
    nobody's file's fault, and an OSError.
    """

    def __init__(self, workers: int = 2, limits: Limits | None = None, options: Options | None = None) -> None:
        self._limits = limits or Limits()
        self._options = (options or Options()).changed()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="convert")
        self._idle: queue.LifoQueue[_Forker] = queue.LifoQueue()
        self._begun: dict[str, Future[Converted]] = {}
        for _ in range(workers):
            self._idle.put(_Forker())

    def convert(self, paths: Iterable[str | Path]) -> Iterator[Converted]:
        """
        Results in the order of `paths`.

        :raises OSError: when this machine has no process, descriptor or memory left for a converter.
        """
        names = [os.fspath(path) for path in paths]
        self.begin(name for name in names if name not in self._begun)
        futures = [
            self._begun.pop(name) if name in self._begun else self._threads.submit(self._one, name) for name in names
        ]
        for future in futures:
            yield future.result()

    def begin(self, paths: Iterable[str]) -> None:
        """Start with files that `convert` will be asked for next, while others do something with the ones before."""
        for path in paths:
            if path not in self._begun:
                self._begun[path] = self._threads.submit(self._one, path)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().stop()

    def _one(self, path: str) -> Converted:
        before = _status(path)
        forker = self._idle.get()
        try:
            size = before.st_size if before is not None else 0
            header, body = forker.ask(path, size, self._limits, self._options)
        finally:
            self._idle.put(forker)
        if header.get("refused") in _WITHOUT_A_WORD and before is not None:
            header |= _told_from_outside(path, before, self._limits.max_bytes)
        return _result(path, header, body)


def _result(path: str, header: dict[str, Any], body: bytes) -> Converted:
    content_hash, size, stamp = header.get("content_hash"), int(header.get("size", 0)), int(header.get("stamp", 0))
    if "refused" in header:
        return Converted(path, None, content_hash, size, stamp, str(header["refused"]), str(header["detail"]))
    texts = []
    start = 0
    for length in header["parts"]:
        texts.append(body[start : start + length])
        start += length
    told = [header, *header.get("members", ())]
    pages = [_page(one, *texts[2 * index : 2 * index + 2]) for index, one in enumerate(told)]
    return Converted(path, pages[0], content_hash, size, stamp, members=pages[1:])


def _page(header: dict[str, Any], text: bytes, layout: bytes) -> Extracted:
    return Extracted(
        text=text.decode("utf-8"),
        mime_type=str(header["mime_type"]),
        title=header["title"],
        headings=[(int(offset), int(level), str(text)) for offset, level, text in header["headings"]],
        paged=bool(header["paged"]),
        layout=layout if header["has_layout"] else None,
        notes=[str(note) for note in header["notes"]],
        page_kind=header["page_kind"],
        page_labels=[str(label) for label in header["page_labels"]],
        name=header["name"],
    )


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path, follow_symlinks=False)
    except OSError:
        return None


def _told_from_outside(path: str, before: os.stat_result, max_bytes: int) -> dict[str, Any]:
    """What is recorded of a file whose converter did not live to say it, so that it is not tried again unchanged."""
    known: dict[str, Any] = {"size": before.st_size, "stamp": stamp_of(before)}
    if before.st_size <= max_bytes:
        try:
            known["content_hash"] = content_hash(path)
        except OSError:
            return {}
    after = _status(path)
    return known if after is not None and (after.st_size, stamp_of(after)) == (before.st_size, known["stamp"]) else {}


def _longest(path: str, seconds: float) -> float:
    """What a file may take when it turns out to have many pages (`sandbox.allow_pages`)."""
    return seconds * MAX_GROWTH if path.lower().endswith(".pdf") else seconds


class _Forker:
    """The process that forks the converters, one request at a time; started when first asked and when it was lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, path: str, size: int, limits: Limits, options: dict[str, bool]) -> tuple[dict[str, Any], bytes]:
        """
        :raises OSError: when no converter can be started. This process never sees a document, so that its being lost
            twice is the machine's doing.
        """
        for _ in range(2):
            header, body = self._asked(path, size, limits, options)
            if "fault" in header:
                raise OSError(header["fault"], f"{_NO_CONVERTER}: {header['detail']}")
            if header.get("refused") != _LOST:
                return header, body
        raise ChildProcessError(f"{_NO_CONVERTER}: the process that starts them was ended twice")

    def _asked(self, path: str, size: int, limits: Limits, options: dict[str, bool]) -> tuple[dict[str, Any], bytes]:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes, for mypy
        request: dict[str, Any] = {
            "path": path, "seconds": limits.seconds_for(size), "memory": limits.memory_for(size),
            "max_bytes": limits.max_bytes,
        }  # fmt: skip
        if options:
            request["options"] = options
        hung = threading.Event()

        def end_it() -> None:
            hung.set()
            process.kill()

        watchdog = threading.Timer(_longest(path, request["seconds"]) + _GRACE, end_it)
        watchdog.daemon = True
        watchdog.start()
        try:
            process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            process.stdin.flush()
            header = json.loads(process.stdout.readline())
            body = process.stdout.read(sum(header["parts"]))
            if len(body) != sum(header["parts"]):
                raise ValueError("torn")
            return header, body
        except (OSError, ValueError, KeyError):
            self.stop()
            reason = "timeout" if hung.is_set() else _LOST
            return {"refused": reason, "detail": "its converter could not be ended in time", "parts": []}, b""
        finally:
            watchdog.cancel()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
            environment["PYTHONPATH"] = str(_ROOT)
            self._process = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
        return self._process
