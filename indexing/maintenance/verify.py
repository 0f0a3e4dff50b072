"""Holds three things against each other: a store's passages, the record of their sources, and the files themselves."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from components.stores.contract import PassageStore, Source
from components.stores.filters import MAX_VALUES
from indexing.remote.addresses import is_address
from indexing.sources import content_hash, stamp_of

_AT_ONCE = 20  # sources whose passages are in memory together
_T = TypeVar("_T")


@dataclass
class Findings:
    """
    Where store, record and files disagree; all empty when nothing does.

    :param incomplete: sources of which passages are missing, or are more or older than the record says.
    :param unfinished: sources that a run was in the middle of.
    :param strays: ids of passages that belong to no source of the record, or to an older version of one.
    :param gone: indexed sources whose file is not there any more.
    :param changed: indexed sources whose file holds something else now.
    :param sources: how many sources were looked at, `passages` how many passages.
    """

    incomplete: list[Source] = field(default_factory=list)
    unfinished: list[Source] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    gone: list[Source] = field(default_factory=list)
    changed: list[Source] = field(default_factory=list)
    sources: int = 0
    passages: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the store holds what its record says: files may have changed since."""
        return not (self.incomplete or self.unfinished or self.strays)

    @property
    def is_current(self) -> bool:
        """Whether the index is also true to the files as they are now."""
        return not (self.gone or self.changed)


def verify(store: PassageStore, rehash: bool = False, progress: Callable[[int, int], None] | None = None) -> Findings:
    """
    Look at every source and every passage.

    :param rehash: read every file to compare its hash, also where size and times are those of the record.
    :param progress: called with the sources looked at, and how many there are.
    """
    sources = list(store.sources.all())
    findings = Findings(sources=len(sources), passages=store.count_documents())
    counted = done = 0
    for some in _chunks(sources, _AT_ONCE):
        ids = [source.source_id for source in some]
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for one in store.filter_documents({"field": "meta.source_id", "operator": "in", "value": ids}):
            found[str(one.meta["source_id"])].append((str(one.meta.get("source_version")), one.id))
            counted += 1
        for source in some:
            _hold_against(source, found[source.source_id], findings)
            if source.state == "indexed":
                _look_at_file(source, rehash, findings)
        done += len(some)
        if progress is not None:
            progress(done, len(sources))
    if counted < findings.passages:
        findings.strays += _of_nobody(store, [source.source_id for source in sources])
    return findings


def repair(store: PassageStore, findings: Findings) -> list[str]:
    """
    Delete what belongs to no source, and make pending what is not whole, so that the next index run does it again.

    :returns: the paths to index again.
    """
    record = store.sources
    for some in _chunks(findings.strays, 1_000):
        store.delete_documents(list(some))
    for light in findings.incomplete:
        if (source := record.get(light.source_id)) is not None:
            record.put([replace(source, state="pending")])
    again = {source.path for source in [*findings.incomplete, *findings.unfinished]}
    return sorted(again)


def _hold_against(source: Source, found: Sequence[tuple[str, str]], findings: Findings) -> None:
    current = [passage for version, passage in found if version == source.version]
    if source.state == "pending":
        findings.unfinished.append(source)
        return
    findings.strays += [passage for version, passage in found if version != source.version]
    if source.state == "refused":
        findings.strays += current
    elif len(current) != source.passages:
        findings.incomplete.append(source)


def _look_at_file(source: Source, rehash: bool, findings: Findings) -> None:
    # A path with escapes in it (`indexing.sources.shown`) is not the file's name, and cannot be looked at by it.
    # Nor is one that lies elsewhere asked for: an index run does that.
    if "\\" in source.path or is_address(source.path):
        return
    try:
        status = os.lstat(source.path)
        looks_same = (status.st_size, stamp_of(status)) == (source.size, source.mtime_ns)
        if (rehash or not looks_same) and content_hash(source.path) != source.content_hash:
            findings.changed.append(source)
    except FileNotFoundError:
        findings.gone.append(source)
    except OSError:
        return  # unreadable now: an index run says so


def _of_nobody(store: PassageStore, known: list[str]) -> list[str]:
    if len(known) <= MAX_VALUES:
        others = {"field": "meta.source_id", "operator": "not in", "value": known}
        return [one.id for one in store.filter_documents(others)]
    there = set(known)
    return [one.id for one in store.filter_documents() if one.meta.get("source_id") not in there]


def _chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[first : first + size] for first in range(0, len(items), size))
