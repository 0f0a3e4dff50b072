"""Copies an embedded store into another folder while it is being written to: one state of it, whole or not at all."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from components.stores.disk_sync import force_to_disk
from components.stores.lancedb.disk.durability import VERSIONS, Durability, newest_version, versions
from components.stores.lancedb.disk.recovery import LOSSES
from components.stores.lancedb.table import TABLE

if TYPE_CHECKING:
    from components.stores.lancedb.store import LanceDBDocumentStore

RECORD = "sources.sqlite3"
# Between two commits of an index run lie some tenths of a second; a record of one state is caught in a few tries.
_TRIES = 20
_BETWEEN_TRIES = 0.2


class BackupError(RuntimeError):
    """The store was not copied; nothing was left behind."""


def back_up(documents: "LanceDBDocumentStore", target: Path) -> int:
    """
    Copy the store into the new folder `target`, at its newest version.

    Files of a table never change once they are named, so that names of their own (hard links) keep them while they are
    copied, whatever an index run deletes meanwhile. The record of sources is read by SQLite's own backup, and taken
    together with the version of the passages that was the newest before and after it. Files that an index run is at in
    that moment are pending in the copy, and done again by the next run over it.

    :param target: comes into being at the end, by one rename, with everything forced to disk.
    :returns: bytes copied.
    :raises BackupError: when there is no store, or something is at `target` already.
    """
    store, target = documents.home, target.resolve()
    if not (store / RECORD).exists() and newest_version(store / f"{TABLE}.lance") is None:
        raise BackupError(f"there is no index at '{store}' that could be copied")
    if target.exists():
        raise BackupError(f"'{target}' exists already: name a folder that does not, such as '{target}-2'")
    if target.is_relative_to(documents.folder.resolve()):
        raise BackupError(f"'{target}' lies inside the index: name a folder outside of it")
    documents.warm_up()  # after a crash, what was never whole is given up first
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        part.chmod(0o777 & ~_umask())
        with _HeldFiles(store, part) as (held, version):
            _copy_table(held, part / f"{TABLE}.lance", version)
        if version is not None:
            Durability(part / f"{TABLE}.lance").sync()
        for file in part.iterdir():
            force_to_disk(file)
        force_to_disk(part)
        part.rename(target)
        force_to_disk(target.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())


class _HeldFiles:
    """The table's files under names of their own, and the version that goes with the record copied beside."""

    def __init__(self, store: Path, part: Path) -> None:
        self.store, self.part = store, part
        self.links: Path | None = None

    def __enter__(self) -> tuple[Path, int | None]:
        table = self.store / f"{TABLE}.lance"
        for _ in range(_TRIES):
            version = newest_version(table)
            _copy_record(self.store / RECORD, self.part / RECORD)
            held = self._hold(table)
            if newest_version(table) == version:
                return held, version
            time.sleep(_BETWEEN_TRIES)
        # Record and passages are some commits apart: the next index run over the copy compares them.
        (self.part / LOSSES).touch()
        return held, version

    def __exit__(self, *_: object) -> None:
        if self.links is not None:
            shutil.rmtree(self.links, ignore_errors=True)

    def _hold(self, table: Path) -> Path:
        """The folder that holds the table's files for as long as they are copied."""
        self.__exit__()
        try:
            self.links = Path(tempfile.mkdtemp(prefix=".backup-", dir=self.store))
            for name in _names(table):
                (self.links / name).parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(table / name, self.links / name)
                except FileNotFoundError:
                    continue  # of an older version, deleted in this moment
        except OSError:  # a file system without links, or a store that nobody may write
            self.__exit__()
            self.links = None
            return table
        return self.links


def _copy_record(record: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    if not record.exists():
        return
    try:
        source = sqlite3.connect(f"{record.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
        source.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:  # on a disk that may only be read
        source = sqlite3.connect(f"{record.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    with closing(source), closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


def _copy_table(held: Path, to: Path, version: int | None) -> None:
    if version is None:
        return
    newer = {f"{(1 << 64) - 1 - one:020}" for one in versions(held) if one > version}
    newer |= {str(one) for one in versions(held) if one > version}
    for name in _names(held):
        if Path(name).parts[0] == VERSIONS and Path(name).stem in newer:
            continue
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(held / name, to / name)


def _names(table: Path) -> Iterator[str]:
    for folder, _, names in os.walk(table):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), table)
            if not name.startswith(".tmp") and not name.endswith(("_hint.json", ".broken")):
                yield path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
