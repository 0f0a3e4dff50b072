"""The service's own SQLite file: documents and their permissions, jobs, feedback."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE documents (
    source_id TEXT PRIMARY KEY, path TEXT NOT NULL, name TEXT NOT NULL, allow TEXT NOT NULL, own_allow TEXT,
    meta TEXT NOT NULL, is_upload INTEGER NOT NULL, uploaded_by TEXT, added REAL NOT NULL, hidden INTEGER NOT NULL,
    marked TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, source_id TEXT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT, detail TEXT, name TEXT NOT NULL, size INTEGER NOT NULL, passages INTEGER,
    spool TEXT, caller TEXT NOT NULL, created REAL NOT NULL, changed REAL NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX jobs_by_source ON jobs (source_id, number);
CREATE TABLE feedback (
    id TEXT PRIMARY KEY, created REAL NOT NULL, caller TEXT NOT NULL, source_id TEXT, verdict TEXT NOT NULL,
    body TEXT NOT NULL
);
"""


class Database:
    """
    One connection for all threads, each transaction forced to disk before it returns.

    :raises RuntimeError: when the file was written by a newer version of Excerpt.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        for statement in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {statement}")
        with self.writing() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise RuntimeError(
                    f"{path} was written by a newer version of Excerpt (format {version}; this one reads up to "
                    f"{SCHEMA_VERSION}). Upgrade Excerpt, or give another `data` folder."
                )
            if version == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: done whole when the block ends, not at all when it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What a SELECT finds."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()
