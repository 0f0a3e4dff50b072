"""
Files whose very content the index holds already, under another path: renamed, moved or copied.

Their passages and vectors are copied from those that are there, so that nothing is converted or embedded again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from haystack import Document

from components.stores.contract import PassageStore, Source
from indexing.index_writer import IndexWriter
from indexing.passages import passage_id
from indexing.sources import FoundFile, content_hash, shown, source_id_of

# What converter and splitter write into a passage's meta. With anything else in it (an owner, a collection) a passage
# belongs to its file in a way that a copy must not guess.
_KNOWN_META = frozenset(
    {
        *("source_id", "source_version", "file_path", "file_name", "mime_type", "title"),
        *("split_id", "split_idx_start", "headings", "page_number", "page_name", "page_kind"),
    }
)


def brought_along(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What of a passage's meta neither converter nor splitter wrote: who may see it, a collection, labels."""
    return {name: value for name, value in meta.items() if name not in _KNOWN_META}


@dataclass
class Sorted:
    """
    :param there: (file, id of a source of the index with the same content).
    :param alike: (file, earlier file of `others` with the same content).
    :param others: what has to go through the pipeline.
    """

    there: list[tuple[FoundFile, str]] = field(default_factory=list)
    alike: list[tuple[FoundFile, FoundFile]] = field(default_factory=list)
    others: list[FoundFile] = field(default_factory=list)


def sort_by_content(files: Sequence[FoundFile], known: Iterable[Source], fingerprint: str) -> Sorted:
    """
    Which files' content is there already, made by this very pipeline? Only files of equal size and suffix are read.

    :param known: every source of the index.
    """
    sources: dict[tuple[int, str], list[Source]] = defaultdict(list)
    for source in known:
        if source.state == "indexed" and source.fingerprint == fingerprint and source.content_hash:
            sources[source.size, _suffix(source.path)].append(source)
    sizes: dict[tuple[int, str], int] = defaultdict(int)
    for file in files:
        sizes[file.size, _suffix(file.path)] += 1
    result = Sorted()
    first: dict[tuple[str, str], FoundFile] = {}
    for file in files:
        suffix = _suffix(file.path)
        candidates = sources.get((file.size, suffix), [])
        if file.fetch is not None or (not candidates and sizes[file.size, suffix] < 2):
            result.others.append(file)
            continue
        try:
            digest = content_hash(file.path)
        except OSError:
            result.others.append(file)  # the converter says why
            continue
        donor = next((one for one in candidates if one.content_hash == digest), None)
        if donor is not None:
            result.there.append((file, donor.source_id))
        elif (earlier := first.get((digest, suffix))) is not None:
            result.alike.append((file, earlier))
        else:
            first[digest, suffix] = file
            result.others.append(file)
    return result


def take_over(
    store: PassageStore, pairs: Sequence[tuple[FoundFile, str]], generation: int | None
) -> tuple[list[FoundFile], int]:
    """
    Index files by copying the passages of sources with the same content.

    :param pairs: (file, id of such a source).
    :returns: the files that could not be taken over, and how many passages were written for the others.
    """
    left: list[FoundFile] = []
    entries: list[Source] = []
    copies: list[Document] = []
    passages: dict[str, list[Document]] = defaultdict(list)
    wanted = sorted({source_id for _, source_id in pairs})
    for one in store.filter_documents({"field": "meta.source_id", "operator": "in", "value": wanted}):
        passages[str(one.meta["source_id"])].append(one)
    for file, source_id in pairs:
        source = store.sources.get(source_id)
        whole = source is not None and source.state == "indexed" and len(passages[source_id]) == source.passages
        if source is None or not whole or any(brought_along(one.meta) for one in passages[source_id]):
            left.append(file)
            continue
        entries.append(
            replace(
                source, source_id=source_id_of(file.path), path=shown(file.path), size=file.size, mtime_ns=file.stamp,
                generation=generation or source.generation,
            )
        )  # fmt: skip
        copies += [_copy(one, entries[-1]) for one in passages[source_id]]
    if entries:
        IndexWriter(store).write(entries, copies)
    return left, len(copies)


def _copy(passage: Document, source: Source) -> Document:
    meta = {
        **passage.meta,
        "source_id": source.source_id,
        "file_path": source.path,
        "file_name": source.path.rpartition("/")[2],
    }
    return replace(passage, id=passage_id(meta, passage.content or ""), meta=meta, score=None)


def _suffix(path: str) -> str:
    return PurePath(path).suffix.lower()  # it has a say in how a file is read
