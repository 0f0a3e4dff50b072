"""Many questions at once: concurrent runs of the pipeline, bounded, answered in the order of the file."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from cli import exits
from components.places import add_places
from pipelines.answers import answers_json

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

# Enough for the reader to fill its batches, little enough that a file of a million questions needs no memory.
AT_ONCE = 64


def ask_file(loaded: "LoadedPipeline", file: str, asked: dict[str, Any]) -> int:
    """
    Ask every line of `file` ("-": standard input) and print one JSON object a line, in the order of the lines.

    Empty lines are skipped. A question that fails gives {"question": ..., "error": ...}; the others go on.

    :returns: the exit code: 3 when some questions failed.
    """
    with _lines(file) as lines:
        failed = asyncio.run(_print_all(loaded, lines, asked))
    return exits.SOME_REFUSED if failed else exits.OK


@contextmanager
def _lines(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdin
        return
    try:
        lines = open(file, encoding="utf-8-sig")  # noqa: SIM115 closed below; only its opening is to be told this way
    except OSError as error:
        raise exits.CommandError(f"--file {file}: {error.strerror}") from error
    with lines:
        try:
            yield lines
        except UnicodeDecodeError as error:
            raise exits.CommandError(f"--file {file}: is not UTF-8; save it as UTF-8") from error


async def _print_all(loaded: "LoadedPipeline", lines: TextIO, asked: dict[str, Any]) -> int:
    failed = 0
    async for result in _in_order(loaded, lines, asked):
        failed += "error" in result
        print(json.dumps(result, ensure_ascii=False), flush=True)
    return failed


async def _in_order(loaded: "LoadedPipeline", lines: TextIO, asked: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Keep AT_ONCE questions under way; hand results out oldest first."""
    waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
    try:
        for line in lines:
            if not line.strip():
                continue
            waiting.append(asyncio.create_task(_answer(loaded, line.strip(), asked)))
            if len(waiting) >= AT_ONCE:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


async def _answer(loaded: "LoadedPipeline", question: str, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        result = await loaded.run_async(query=question, **asked)
        await asyncio.to_thread(add_places, result["answers"], loaded.document_store)
    except Exception as error:
        return {"question": question, "error": exits.describe(error)}
    return answers_json(question, result["answers"])
