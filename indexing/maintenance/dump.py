"""
A whole collection as one file, from any store into any other: gzip'ed JSON lines.

The first line says what the file is; then each source is followed by its passages, with their vectors; the last line
says how many there were, so that a file that was cut off is not taken for a whole one.
"""

import base64
import gzip
import json
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.contract import PassageStore, Source
from indexing.index_writer import IndexWriter

FORMAT = 1
_AT_ONCE = 16  # sources in memory together, with their passages
_LONGEST_LINE = 1 << 29
Progress = Callable[[int, int], None]  # (sources done, of how many)


class DumpError(ValueError):
    """A file is no dump, was cut off, or cannot be loaded here; the message says what to do."""


@dataclass
class Amount:
    """How many sources and passages went through."""

    sources: int = 0
    passages: int = 0


def dump(store: PassageStore, path: Path, progress: Progress | None = None) -> Amount:
    """
    Write everything that a store holds into the file `path`, which comes into being whole or not at all.

    Nobody should index into the store meanwhile (`one_writer`).
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with gzip.open(half, "wt", encoding="utf-8", compresslevel=6) as file:
            amount = Amount()
            for line in _lines(store, amount, progress):
                file.write(json.dumps(line, ensure_ascii=True) + "\n")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return amount


def load(store: PassageStore, path: Path, progress: Progress | None = None) -> Amount:
    """
    Bring what a file holds into an empty store. May be killed and begun again: what is there is written over.

    :raises DumpError: when the file is none of ours or was cut off; what came before that is in the store then.
    """
    amount = Amount()
    try:
        with gzip.open(path, "rb") as file:
            lines = _read(file, path)
            head = next(lines, {})
            if not isinstance(head.get("excerpt"), int):
                raise DumpError(f"{path} is no dump: make one with `excerpt dump`")
            if head["excerpt"] != FORMAT:
                raise DumpError(f"{path} has format {head['excerpt']}, and this version of Excerpt reads {FORMAT}")
            whole = False
            for batch in _batches(lines):
                _write(store, batch, amount)
                whole = batch.end == asdict(amount)
                if progress is not None:
                    progress(amount.sources, int(head.get("sources", 0)))
    except (EOFError, gzip.BadGzipFile, zlib.error, KeyError, TypeError, AttributeError) as error:
        raise DumpError(f"{path} is damaged or no dump: make it again with `excerpt dump`") from error
    if not whole:
        raise DumpError(f"{path} was cut off: make it again with `excerpt dump`")
    return amount


@dataclass
class _Batch:
    sources: list[Source]
    passages: list[Document]
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    end: dict[str, int] | None = None


def _lines(store: PassageStore, amount: Amount, progress: Progress | None) -> Iterator[dict[str, Any]]:
    sources = list(store.sources.all())
    yield {"excerpt": FORMAT, "sources": len(sources)}
    for fingerprint in sorted({source.fingerprint for source in sources}):
        if (description := store.sources.get_pipeline(fingerprint)) is not None:
            yield {"pipeline": fingerprint, "description": dict(description)}
    for first in range(0, len(sources), _AT_ONCE):
        some = sources[first : first + _AT_ONCE]
        passages: dict[str, list[Document]] = defaultdict(list)
        ids = [source.source_id for source in some]
        for one in store.filter_documents({"field": "meta.source_id", "operator": "in", "value": ids}):
            passages[str(one.meta["source_id"])].append(one)
        for light in some:
            source = store.sources.get(light.source_id)
            if source is None:
                continue
            yield {"source": _source_to_json(source)}
            amount.sources += 1
            for one in sorted(passages[light.source_id], key=lambda one: one.id):
                yield {"passage": _document_to_json(one)}
                amount.passages += 1
        if progress is not None:
            progress(first + len(some), len(sources))
    for one in _without_source(store, amount):
        yield {"passage": _document_to_json(one)}
        amount.passages += 1
    yield {"end": asdict(amount)}


def _without_source(store: PassageStore, amount: Amount) -> Iterable[Document]:
    """Passages that somebody wrote without a record of their source."""
    if store.count_documents() <= amount.passages:
        return []
    known = {source.source_id for source in store.sources.all()}
    return (one for one in store.filter_documents() if one.meta.get("source_id") not in known)


def _batches(lines: Iterator[dict[str, Any]]) -> Iterator[_Batch]:
    batch = _Batch([], [])
    for line in lines:
        if "source" in line:
            if len(batch.sources) >= _AT_ONCE:
                yield batch
                batch = _Batch([], [])
            batch.sources.append(_source_of(line["source"]))
        elif "passage" in line:
            batch.passages.append(_document_of(line["passage"]))
        elif "pipeline" in line:
            batch.pipelines[str(line["pipeline"])] = line["description"]
        elif "end" in line:
            batch.end = line["end"]
    yield batch


def _write(store: PassageStore, batch: _Batch, amount: Amount) -> None:
    known = {source.source_id for source in batch.sources}
    own = [one for one in batch.passages if one.meta.get("source_id") in known]
    others = [one for one in batch.passages if one.meta.get("source_id") not in known]
    for fingerprint, description in batch.pipelines.items():
        store.sources.put_pipeline(fingerprint, description)
    if batch.sources:
        IndexWriter(store).write(batch.sources, own)
    if others:
        store.write_documents(others, DuplicatePolicy.OVERWRITE)
    amount.sources += len(batch.sources)
    amount.passages += len(batch.passages)


def _read(file: Any, path: Path) -> Iterator[dict[str, Any]]:
    while line := file.readline(_LONGEST_LINE):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DumpError(f"{path} is damaged or no dump: make it again with `excerpt dump`") from error
        if not isinstance(value, dict):
            raise DumpError(f"{path} is no dump: make one with `excerpt dump`")
        yield value


def _source_to_json(source: Source) -> dict[str, Any]:
    row = asdict(source)
    row["layout"] = None if source.layout is None else base64.b64encode(source.layout).decode("ascii")
    return row


def _source_of(row: dict[str, Any]) -> Source:
    kept = {one.name: row[one.name] for one in fields(Source) if one.name in row}
    kept["page_starts"] = tuple(kept.get("page_starts", ()))
    if kept.get("layout") is not None:
        kept["layout"] = base64.b64decode(kept["layout"])
    return Source(**kept)


def _document_to_json(document: Document) -> dict[str, Any]:
    row = document.to_dict(flatten=False)
    if document.embedding is not None:
        vector = np.asarray(document.embedding, dtype="<f4").tobytes()
        row["embedding"] = base64.b64encode(vector).decode("ascii")
    return {name: value for name, value in row.items() if value is not None and name != "score"}


def _document_of(row: dict[str, Any]) -> Document:
    if row.get("embedding") is not None:
        row = {**row, "embedding": np.frombuffer(base64.b64decode(row["embedding"]), dtype="<f4").tolist()}
    return Document.from_dict(row)
