"""Opening a table after a crash: versions that were never whole on disk are given up, and that is said."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from components.stores.contract import SourceRecord
from components.stores.lancedb.disk import durability
from components.stores.lancedb.disk.durability import Durability

if TYPE_CHECKING:
    from lancedb import AsyncConnection
    from lancedb.table import AsyncTable

T = TypeVar("T")
logger = logging.getLogger(__name__)

# Beside the table while passages may be missing that the record of sources promises; the next index run compares.
LOSSES = "passages-lost"
_AT_ONCE = 500


async def open_whole(connection: "AsyncConnection", name: str, folder: Path, known: Durability) -> "AsyncTable | None":
    """
    The table at its newest version that is whole; None when there is none to open yet.

    :param folder: Of the table.
    :raises Exception: LanceDB's, when no version can be opened.
    """
    marked, newest = known.marked(), durability.newest_version(folder)
    if newest is None:
        return None
    if newest == marked or (marked is None and durability.looks_whole(folder)):
        return await connection.open_table(name)
    async with in_thread(durability.nobody_writing(folder.parent)) as alone:
        newest, marked = durability.newest_version(folder), known.marked()
        if newest is None:
            return None
        if newest == marked:
            return await connection.open_table(name)
        if marked is not None and marked < newest and marked in durability.versions(folder):
            if alone:
                return await _go_back(connection, name, folder, marked, known)
            try:
                return await connection.open_table(name)  # a live writer's, who is about to force it to disk
            except Exception:
                return await _at(connection, name, marked)  # nobody here may put it right: what is whole is read
        return await _first_readable(connection, name, folder, alone, marked)


async def _go_back(
    connection: "AsyncConnection", name: str, folder: Path, version: int, known: Durability
) -> "AsyncTable":
    """Make `version` the newest: what came after it was never reported as written."""
    lost = [one for one in durability.versions(folder) if one > version]
    durability.set_aside_torn(folder)
    try:
        # As a new version with the old content: a reader that is still at one of the lost goes on undisturbed.
        table = await _at(connection, name, version)
        await table.restore()
        await table.checkout_latest()
    except Exception:  # one of the lost is damaged where it must be read
        durability.set_aside(folder, [one for one in durability.versions(folder) if one > version])
        table = await connection.open_table(name)
    await asyncio.to_thread(known.sync)
    _say(folder, len(lost))
    return table


async def _first_readable(
    connection: "AsyncConnection", name: str, folder: Path, alone: bool, marked: int | None
) -> "AsyncTable":
    """Where no marker says what is whole: the newest version of which every row can be read."""
    unreadable = durability.set_aside_torn(folder) if alone else []
    error: Exception | None = None
    for version in durability.versions(folder):
        try:
            table = await _at(connection, name, version)
            await _read_through(table)
        except Exception as one:
            error = error or one
            unreadable.append(version)
            continue
        if not alone:
            return table
        durability.set_aside(folder, [one for one in unreadable if one in durability.versions(folder)])
        if unreadable or (marked or 0) > version:
            _say(folder, max(1, len(unreadable)))
        return await connection.open_table(name)
    raise error or FileNotFoundError(f"{folder} holds no version that could be opened")


async def _at(connection: "AsyncConnection", name: str, version: int) -> "AsyncTable":
    table = await connection.open_table(name)
    await table.checkout(version)
    return table


async def _read_through(table: "AsyncTable") -> None:
    async for _ in await table.query().to_batches():
        pass
    for index in await table.list_indices():
        await table.index_stats(index.name)


def _say(folder: Path, lost: int) -> None:
    (folder.parent / LOSSES).touch()
    logger.warning(
        "The newest changes of the index in %s were lost, as by a power cut: %d version(s) that were not yet whole on "
        "disk are given up, the newest whole one is used. Run `excerpt index` again to bring it up to date.",
        folder.parent,
        lost,
    )


@asynccontextmanager
async def in_thread(blocking: AbstractContextManager[T]) -> AsyncIterator[T]:
    """A context whose entry may block, entered in a thread so that the event loop goes on."""
    value = await asyncio.to_thread(blocking.__enter__)
    try:
        yield value
    finally:
        blocking.__exit__(None, None, None)


def expect_again(record: SourceRecord, metas: Iterable[dict[str, Any]]) -> int:
    """
    Make pending every source of which passages are missing, so that the next index run does it again.

    :param metas: of all passages there are.
    :returns: how many sources these are.
    """
    there = Counter((meta.get("source_id"), meta.get("source_version")) for meta in metas)
    short = [
        source.source_id
        for source in record.all()
        if source.state == "indexed" and there[source.source_id, source.version] != source.passages
    ]
    for first in range(0, len(short), _AT_ONCE):
        found = [record.get(source_id) for source_id in short[first : first + _AT_ONCE]]
        record.put([replace(source, state="pending") for source in found if source is not None])
    return len(short)
