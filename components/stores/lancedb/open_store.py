"""What is open of a store: made at the first need, and anew after a fork or when a rebuild has taken its place."""

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from components.stores.lancedb.disk.rebuild import folder_in_use
from components.stores.lancedb.passages import Passages
from components.stores.lancedb.runtime import run, run_async
from components.stores.lancedb.sources import SQLiteSourceRecord
from components.stores.lancedb.table import PassageTable

_T = TypeVar("_T")


class OpenStore:
    """
    :param folder: of the store.
    :param make_table: gives the table in a folder; nothing is opened by that.
    :param boosts: the searchable fields and their weights.
    :param durable: force the record to disk with every transaction.
    :param pinned: the folder inside the store that counts, whatever is in use: of a rebuild under way.
    """

    def __init__(
        self,
        folder: Path,
        make_table: Callable[[Path], PassageTable],
        boosts: dict[str, float],
        durable: bool,
        pinned: Path | None = None,
    ) -> None:
        self.folder, self.pinned = folder, pinned
        self._make_table, self._boosts, self._durable = make_table, boosts, durable
        self._passages: Passages | None = None
        self._sources: SQLiteSourceRecord | None = None
        self._home: Path | None = None
        self._process = os.getpid()

    @property
    def home(self) -> Path:
        """The folder inside the store that passages and record lie in now; another one after a rebuild."""
        home = self.pinned or folder_in_use(self.folder)
        if home != self._home:
            self.forget()  # not closed: another thread may be in the middle of a search
            self._home = home
        return home

    @property
    def passages(self) -> Passages:
        """What works with the table."""
        if self._process != os.getpid():
            self.forget()  # a fork shares no handles with its parent
        home = self.home
        if self._passages is None:
            self._passages = Passages(self._make_table(home), self._boosts)
        return self._passages

    @property
    def sources(self) -> SQLiteSourceRecord:
        """The record, beside the table."""
        home = self.home
        if self._sources is None:
            self._sources = SQLiteSourceRecord(home / "sources.sqlite3", self._durable)
        return self._sources

    def read(self, work: Callable[[Passages], Coroutine[Any, Any, _T]]) -> _T:
        """What `work` reads; once more where a rebuild has put another folder in the place of the one it read."""
        passages = self.passages
        try:
            found = run(work(passages))
        except (RuntimeError, OSError, ValueError):
            if self.passages is passages:
                raise
        else:
            if self.passages is passages:  # else it may have opened an empty folder
                return found
        return run(work(self.passages))

    async def read_async(self, work: Callable[[Passages], Coroutine[Any, Any, _T]]) -> _T:
        """`read`, without keeping the event loop waiting."""
        passages = self.passages
        try:
            found = await run_async(work(passages))
        except (RuntimeError, OSError, ValueError):
            if self.passages is passages:
                raise
        else:
            if self.passages is passages:
                return found
        return await run_async(work(self.passages))

    def close(self) -> None:
        """Let go of files and connections; the next use opens them again."""
        if self._passages is not None:
            self._passages.table.close()
        if self._sources is not None:
            self._sources.close()
        self.forget()

    def forget(self) -> None:
        """Let go of what is open without closing it."""
        self._passages = self._sources = None
        self._home = None
        self._process = os.getpid()
