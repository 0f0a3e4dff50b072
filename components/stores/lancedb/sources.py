"""The record of sources of an embedded store: one SQLite file beside the passages."""

import json
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from components.stores.contract import Source

SCHEMA_VERSION = 1
# How long a process waits for another one's transaction.
BUSY_SECONDS = 30.0
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)

_COLUMNS = [field.name for field in fields(Source)]
_LATER = "validator"  # a column that files of older versions lack; it is added with the next write
_HEAVY = ("text", "layout")
_SCHEMA = """
CREATE TABLE sources (
    source_id TEXT PRIMARY KEY, path TEXT NOT NULL, content_hash TEXT NOT NULL, fingerprint TEXT NOT NULL,
    version TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'indexed', 'refused')), reason TEXT,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, title TEXT, mime_type TEXT, passages INTEGER NOT NULL,
    page_starts TEXT NOT NULL, generation INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sources_by_path ON sources (path);
CREATE TABLE contents (
    source_id TEXT PRIMARY KEY REFERENCES sources ON DELETE CASCADE, text BLOB, layout BLOB
);
CREATE TABLE generations (number INTEGER PRIMARY KEY AUTOINCREMENT);
"""
# Later than the rest, and nothing that an older version of Excerpt would stumble over: made where it is missing.
_PIPELINES = "CREATE TABLE IF NOT EXISTS pipelines (fingerprint TEXT PRIMARY KEY, description TEXT NOT NULL)"


class SQLiteSourceRecord:
    """
    A SourceRecord (see `components.stores.contract`) in a SQLite file, safe for several threads and processes.

    Texts lie compressed in a table of their own, so that listing thousands of sources does not read past them.

    :param path: The file; it and its folder are made when first needed.
    :param durable: Force every transaction to disk; otherwise a power cut may undo the last ones (never half of one).
    """

    def __init__(self, path: str | Path, durable: bool = True) -> None:
        self.path = Path(path)
        self.durable = durable
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._reads_only = False
        self._has_later = False

    def all(self, under: str | None = None) -> Iterator[Source]:
        """
        :raises RuntimeError: When the file was written by a newer version of Excerpt.
        """
        light = [name for name in _COLUMNS if name not in _HEAVY]
        parameters: tuple[str, ...] = ()
        where = ""
        if under is not None:
            folder = under.rstrip("/")
            # A range, not LIKE: paths may hold % and _. "0" is the character after "/".
            where = " WHERE path = ? OR (path >= ? AND path < ?)"
            parameters = (folder, folder + "/", folder + "0")
        with self._reading() as connection:
            if connection is None:
                return
            query = f"SELECT {self._named(light)} FROM sources{where} ORDER BY path, source_id"  # noqa: S608 - our names
            found = connection.execute(query, parameters).fetchall()
        for row in found:
            yield _source(dict(zip(light, row, strict=True)))

    def get(self, source_id: str) -> Source | None:
        with self._reading() as connection:
            names = self._named(_COLUMNS)
            query = f"SELECT {names} FROM sources LEFT JOIN contents USING (source_id) WHERE source_id = ?"  # noqa: S608
            row = None if connection is None else connection.execute(query, (source_id,)).fetchone()
        return None if row is None else _source(dict(zip(_COLUMNS, row, strict=True)))

    def get_layout(self, source_id: str) -> tuple[str, bytes | None] | None:
        query = "SELECT version, layout FROM sources LEFT JOIN contents USING (source_id) WHERE source_id = ?"
        with self._reading() as connection:
            row = None if connection is None else connection.execute(query, (source_id,)).fetchone()
        return None if row is None else (str(row[0]), row[1])

    def put(self, sources: Sequence[Source]) -> None:
        light = [name for name in _COLUMNS if name not in _HEAVY]
        upsert = (
            f"INSERT INTO sources ({', '.join(light)}) VALUES ({', '.join('?' * len(light))}) "  # noqa: S608
            f"ON CONFLICT (source_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in light[1:])}"
        )
        rows = [tuple(_stored(source, name) for name in light) for source in sources]
        contents = [(source.source_id, _stored(source, "text"), source.layout) for source in sources]
        with self._writing() as connection:
            connection.executemany(upsert, rows)
            connection.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", contents)

    def delete(self, source_ids: Sequence[str]) -> None:
        with self._writing() as connection:
            connection.executemany("DELETE FROM sources WHERE source_id = ?", [(name,) for name in source_ids])

    def clear(self) -> None:
        """Forget every source. Generations go on from where they are."""
        if self.path.exists():
            with self._writing() as connection:
                connection.execute("DELETE FROM sources")

    def put_pipeline(self, fingerprint: str, description: Mapping[str, Any]) -> None:
        with self._writing() as connection:
            connection.execute(_PIPELINES)
            connection.execute(
                "INSERT OR REPLACE INTO pipelines VALUES (?, ?)", (fingerprint, json.dumps(dict(description)))
            )

    def get_pipeline(self, fingerprint: str) -> dict[str, Any] | None:
        query = "SELECT description FROM pipelines WHERE fingerprint = ?"
        with self._reading() as connection:
            if (
                connection is None
                or not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'pipelines'").fetchone()
            ):
                return None
            row = connection.execute(query, (fingerprint,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def next_generation(self) -> int:
        with self._writing() as connection:
            number = connection.execute("INSERT INTO generations DEFAULT VALUES").lastrowid
            connection.execute("DELETE FROM generations")  # AUTOINCREMENT remembers
        return int(number or 0)

    def continue_generations(self, after: int) -> None:
        """Count index runs on from there: in a record that takes another one's place."""
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO generations (number) VALUES (?)", (after,))
            connection.execute("DELETE FROM generations")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "durable": self.durable}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _named(self, columns: Sequence[str]) -> str:
        """The columns as a SELECT names them, NULL for one that this file does not have yet."""
        return ", ".join("NULL" if name == _LATER and not self._has_later else name for name in columns)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, or None while there is no file: a question about an empty store must not make one."""
        with self._lock:
            yield self._opened(for_reading=True) if self.path.exists() else None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._opened()
            # Taken at once: a transaction that starts by reading can fail later, when it wants to write.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _opened(self, for_reading: bool = False) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid() and (for_reading or not self._reads_only):
            return self._connection
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection, reads_only = self._connected("rwc"), False
        except sqlite3.OperationalError as error:
            if not for_reading or error.sqlite_errorcode & 0xFF not in (
                sqlite3.SQLITE_READONLY,
                sqlite3.SQLITE_CANTOPEN,
            ):
                raise
            connection, reads_only = self._connected_for_reading(), True
        self._connection, self._process, self._reads_only = connection, os.getpid(), reads_only
        self._has_later = _has_column(connection)
        return connection

    def _connected_for_reading(self) -> sqlite3.Connection:
        """Where this process may not write: a disk mounted so, or somebody else's index."""
        try:
            return self._connected("ro")
        except sqlite3.OperationalError:
            # SQLite wants to make files beside it even to read. As nobody can write, nothing needs to be shared.
            return self._connected("ro&immutable=1")

    def _connected(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.resolve().as_uri()}?mode={mode}",
            uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            if mode == "rwc":
                self._prepare(connection)
            self._check_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        _use_wal(connection)
        connection.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
        if self._version(connection) == 0:
            connection.execute("BEGIN IMMEDIATE")
            if self._version(connection) == 0:  # not made by another process meanwhile
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        if not _has_column(connection):
            connection.execute("BEGIN IMMEDIATE")
            if not _has_column(connection):
                connection.execute(f"ALTER TABLE sources ADD COLUMN {_LATER} TEXT")
            connection.execute("COMMIT")

    def _check_version(self, connection: sqlite3.Connection) -> None:
        version = self._version(connection)
        if version > SCHEMA_VERSION:
            raise RuntimeError(
                f"{self.path} was written by a newer version of Excerpt (format {version}; this one reads up to "
                f"{SCHEMA_VERSION}). Upgrade Excerpt, or index anew into an empty folder."
            )

    @staticmethod
    def _version(connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _has_column(connection: sqlite3.Connection) -> bool:
    return any(row[1] == _LATER for row in connection.execute("PRAGMA table_info(sources)"))


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging. SQLite does not wait by itself while another process does the same."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _stored(source: Source, name: str) -> Any:
    value = getattr(source, name)
    if name == "page_starts":
        return json.dumps(value)
    if name == "text" and value is not None:
        return zlib.compress(value.encode("utf-8", "surrogatepass"), 6)
    return value


def _source(row: dict[str, Any]) -> Source:
    row["page_starts"] = tuple(json.loads(row["page_starts"]))
    if row.get("text") is not None:
        row["text"] = zlib.decompress(row["text"]).decode("utf-8", "surrogatepass")
    return Source(**row)
