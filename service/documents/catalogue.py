"""Who may see which document? Kept by the service, written into the passages, and asked before anything is shown."""

import json
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.stores.contract import Source
from service.access.caller import Caller
from service.access.permissions import EVERYONE, FIELD, carries_one_of, listed, may_see, merged, not_of, written
from service.access.rules import Rules
from service.documents.database import Database

_AT_ONCE = 200  # sources in one filter


@dataclass(frozen=True)
class Entry:
    """
    A document as the service knows it.

    :param name: what people call it; an upload lies under another one.
    :param allow: who may see it, as its passages carry it (`service.access.permissions.written`).
    :param own_allow: what was said at upload or set since; None: rules and sidecars decide.
    :param meta: given at upload.
    :param hidden: it is being deleted: nobody sees it any more.
    :param marked: the version of the source whose passages carry `allow`.
    """

    source_id: str
    path: str
    name: str
    allow: str = EVERYONE
    own_allow: str | None = None
    meta: str = "{}"
    is_upload: bool = False
    uploaded_by: str | None = None
    added: float = 0.0
    hidden: bool = False
    marked: str = ""


class Catalogue:
    """
    The documents' permissions, in memory and in the database.

    What is written here holds for the next question: a caller's filter is made of it, and every result is held against
    it once more before it leaves.
    """

    def __init__(self, database: Database, store: Any, rules: Rules) -> None:
        self.database, self.store, self.rules = database, store, rules
        self._lock = threading.RLock()
        self._syncing = threading.Lock()
        self.is_marked = False  # whether every passage that is known of carries who may see it
        self.entries: dict[str, Entry] = {
            row["source_id"]: Entry(**{**dict(row), "is_upload": bool(row["is_upload"]), "hidden": bool(row["hidden"])})
            for row in database.rows("SELECT * FROM documents")
        }
        self._count()

    # Asking

    def get(self, source_id: str) -> Entry | None:
        return self.entries.get(source_id)

    def may_see(self, caller: Caller, source_id: str) -> bool:
        entry = self.entries.get(source_id)
        if entry is None:
            return caller.sees_all or not self.restricted
        return not entry.hidden and may_see(caller, entry.allow)

    def filter_for(self, caller: Caller) -> dict[str, Any] | None:
        """
        What has to be true of the passages that the caller may see, in Haystack's filter syntax; None for all.

        As long as every document is for everyone, passages are not marked. From the first one that is not until all are
        marked, documents are kept out by their ids.
        """
        if caller.sees_all or not self.restricted:
            return not_of(self._hidden)
        if not self.is_marked:
            return not_of(name for name in list(self.entries) if not self.may_see(caller, name))
        return merged(carries_one_of(text for text in self._in_use if may_see(caller, text)), not_of(self._hidden))

    def version(self, caller: Caller) -> tuple[Any, ...]:
        """Equal for equal sets of visible documents: the key of whatever is kept for later."""
        return (self._changes, caller.sees_all, tuple(sorted(caller.principals)))

    # Changing

    def put(self, entry: Entry, connection: Any = None) -> None:
        """Add or replace an entry; within the caller's transaction, if there is one."""
        self._store([entry], connection)

    def forget(self, source_ids: Iterable[str]) -> None:
        gone = list(source_ids)
        with self.database.writing() as connection:
            connection.executemany("DELETE FROM documents WHERE source_id = ?", [(name,) for name in gone])
        with self._lock:
            for name in gone:
                self.entries.pop(name, None)
            self._count()

    def allow(self, source_id: str, principals: Sequence[str] | None) -> Entry:
        """
        Set who may see a document; None hands it back to the rules. Holds when this returns.

        :raises KeyError: when it is not known.
        """
        entry = self.entries[source_id]
        own = None if principals is None else written(principals)
        entry = replace(entry, own_allow=own, allow=own or self.rules.allow_of(entry.path))
        self._store([entry])
        if self.restricted and not self.is_marked:
            self.synchronise()
        self._mark([entry])
        return entry

    def learn(self, source: Source) -> Entry:
        """The entry of a source that somebody else indexed a moment ago."""
        entry = self._renewed(source) or self.entries[source.source_id]
        self._store([replace(entry, marked="")])
        return entry

    def mark_for(self, path: str, entry: Entry | None) -> dict[str, Any]:
        """What the passages of a file bring along when it is indexed by the service."""
        if entry is None:
            return {FIELD: self.rules.allow_of(path)}
        return {**json.loads(entry.meta), "file_name": entry.name, FIELD: entry.allow}

    def synchronise(self) -> int:
        """
        Take over what others indexed meanwhile and what the rules say now; the passages are marked accordingly.

        :returns: how many documents were marked; none as long as every document is for everyone.
        """
        with self._syncing:
            self.rules.changed()
            if not self.restricted:
                return 0
            found = {source.source_id: source for source in self.store.sources.all()}
            stale = [entry for source in found.values() if (entry := self._renewed(source)) is not None]
            gone = [name for name, entry in self.entries.items() if name not in found and not entry.is_upload]
            if stale:
                self._store([replace(entry, marked="") for entry in stale])
                self._mark(stale)
            if gone:
                self.forget(gone)
            self.is_marked = True
            return len(stale)

    def _renewed(self, source: Source) -> Entry | None:
        """The entry as it should be, when it is not that yet."""
        entry = self.entries.get(source.source_id)
        version = f"{source.version}/{source.generation}"
        if entry is None:
            name = source.path.rpartition("/")[2]
            entry = Entry(source.source_id, source.path, name, self.rules.allow_of(source.path), added=time.time())
            return replace(entry, marked=version)
        allow = entry.own_allow or (entry.allow if entry.is_upload else self.rules.allow_of(entry.path))
        if allow == entry.allow and entry.marked == version:
            return None
        return replace(entry, allow=allow, marked=version)

    def _mark(self, entries: Sequence[Entry]) -> None:
        """Write `allow` into the passages, and note that it is there."""
        by_allow: dict[str, list[str]] = {}
        for entry in entries:
            by_allow.setdefault(entry.allow, []).append(entry.source_id)
        for allow, names in by_allow.items():
            for first in range(0, len(names), _AT_ONCE):
                some = names[first : first + _AT_ONCE]
                self.store.update_by_filter(
                    {"field": "meta.source_id", "operator": "in", "value": some}, {FIELD: allow}
                )
        self._store(entries)

    def _store(self, entries: Sequence[Entry], connection: Any = None) -> None:
        rows = [tuple(vars(entry).values()) for entry in entries]
        statement = f"INSERT OR REPLACE INTO documents VALUES ({', '.join('?' * 11)})"  # noqa: S608 - only question marks
        if connection is not None:
            connection.executemany(statement, rows)
        else:
            with self.database.writing() as own:
                own.executemany(statement, rows)
        with self._lock:
            for entry in entries:
                self.entries[entry.source_id] = entry
            self._count()

    def _count(self) -> None:
        entries = list(self.entries.values())
        self._in_use = {entry.allow for entry in entries}
        self._hidden = {entry.source_id for entry in entries if entry.hidden}
        self.restricted = self.rules.restrict or self._in_use - {EVERYONE} != set()
        self._changes = getattr(self, "_changes", 0) + 1


def principals_of(entry: Entry) -> list[str]:
    """Who may see it, as a list."""
    return listed(entry.allow)
