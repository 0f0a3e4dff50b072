"""Many questions at once: concurrent runs of the pipeline, bounded, answered in the order of the lines as they come."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from cli import exits
from cli.terminal.text import json_line

if TYPE_CHECKING:
    from cli.asking import Asker

# Enough for the reader to fill its batches, little enough that a file of a million questions needs no memory.
AT_ONCE = 64


def ask_file(asker: "Asker", file: str) -> int:
    """
    Ask every line of `file` ("-": standard input) and print one JSON object a line, in the order of the lines.

    An answer is printed as soon as it and those before it are there, so that whoever writes a line and waits gets its
    answer; what waits meanwhile is asked together. Empty lines are skipped. A question that fails gives
    {"question": ..., "error": ...}; the others go on.

    :returns: the exit code: 3 when some questions failed.
    """
    with _opened(file) as lines:
        failed = asyncio.run(_print_all(asker, lines))
    return exits.SOME_REFUSED if failed else exits.OK


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        lines = open(file, "rb")  # noqa: SIM115 closed below; only its opening is to be told this way
    except OSError as error:
        raise exits.CommandError(f"--file {file}: {error.strerror}") from error
    with lines:
        yield lines


async def _print_all(asker: "Asker", lines: BinaryIO) -> int:
    failed = 0
    async for result in _in_order(asker, lines):
        failed += "error" in result
        print(json_line(result), flush=True)
    return failed


async def _in_order(asker: "Asker", lines: BinaryIO) -> AsyncIterator[dict[str, Any]]:
    """Keep at most AT_ONCE questions under way; hand results out oldest first."""
    under_way: asyncio.Queue[asyncio.Task[dict[str, Any]] | None] = asyncio.Queue()
    room = asyncio.Semaphore(AT_ONCE)
    coming = _read(lines)

    async def begin() -> None:
        async for line in coming:
            await room.acquire()
            under_way.put_nowait(asyncio.create_task(_answer(asker, line)))
        under_way.put_nowait(None)

    beginning = asyncio.create_task(begin())
    try:
        while (task := await under_way.get()) is not None:
            yield await task
            room.release()
        await beginning  # its error, if it had one
    finally:
        beginning.cancel()
        while not under_way.empty():
            if (left := under_way.get_nowait()) is not None:
                left.cancel()


async def _read(lines: BinaryIO) -> AsyncIterator[bytes]:
    """Lines without the empty ones, read in a thread of their own: a line that does not come holds nobody up."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
    room = threading.Semaphore(AT_ONCE)

    def put(item: bytes | BaseException | None) -> None:
        loop.call_soon_threadsafe(waiting.put_nowait, item)

    def read() -> None:
        try:
            for number, line in enumerate(lines):
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
                if line.strip():
                    room.acquire()
                    put(line.strip())
            put(None)
        except RuntimeError:
            return  # the loop is gone: nobody wants the rest
        except BaseException as error:
            put(error)

    threading.Thread(target=read, daemon=True).start()
    while (item := await waiting.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        room.release()
        yield item


async def _answer(asker: "Asker", line: bytes) -> dict[str, Any]:
    try:
        question = line.decode("utf-8")
    except UnicodeDecodeError:
        return {"question": line.decode("utf-8", "replace"), "error": "the question is not UTF-8"}
    try:
        return await asker.ask_async(question)
    except Exception as error:
        return {"question": question, "error": exits.describe(error)}
