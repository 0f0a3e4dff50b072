"""The Haystack component that turns files into documents: one document a file, holding its whole text."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haystack import Document, component
from haystack.dataclasses import ByteStream

from indexing.convert.pool import Converted, ConverterPool, Limits
from indexing.fingerprint import source_version
from indexing.refused_file import RefusedFile
from indexing.sources import shown, source_id_of


@component
class FileConverter:
    """
    Converts txt, md, html, pdf, docx, pptx, xlsx, csv, json, jsonl, eml and msg files, each in a process of its own.

    A document's `content` is the extracted text (pages separated by a form feed), its `blob` the word rectangles where
    the format has them (`components.page_layout`), its id and `meta["source_id"]` name the file by its resolved path.

    :param workers: files converted at once.
    :param timeout: seconds one file may take.
    :param memory_mb: memory one file may take.
    :param max_file_mb: size of the largest file that is read.
    :raises ValueError: for a limit that is not positive.
    """

    def __init__(self, workers: int = 2, timeout: float = 30.0, memory_mb: int = 1024, max_file_mb: int = 256) -> None:
        given = {"workers": workers, "timeout": timeout, "memory_mb": memory_mb, "max_file_mb": max_file_mb}
        for name, value in given.items():
            if value <= 0:
                raise ValueError(f"FileConverter: '{name}' is {value}; it must be greater than 0.")
        self.workers = workers
        self.timeout = timeout
        self.memory_mb = memory_mb
        self.max_file_mb = max_file_mb
        self._pool: ConverterPool | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "FileConverter":
        return FileConverter(self.workers, self.timeout, self.memory_mb, self.max_file_mb)  # processes are not copied

    def warm_up(self) -> None:
        if self._pool is None:
            limits = Limits(self.timeout, self.memory_mb << 20, self.max_file_mb << 20)
            self._pool = ConverterPool(self.workers, limits)

    def close(self) -> None:
        """End the converting processes; a later run starts them again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    @component.output_types(documents=list[Document], failures=list[RefusedFile])
    def run(
        self,
        sources: list[str | Path],
        meta: dict[str, Any] | list[dict[str, Any]] | None = None,
        fingerprint: str = "",
    ) -> dict[str, Any]:
        """
        :param sources: files; symbolic links are not followed.
        :param meta: what all documents, or with a list each of them, bring along; a `file_name` there is the name a
            file is known by, in place of the one it lies under.
        :param fingerprint: of the pipeline (`indexing.fingerprint`); part of each `source_version`.
        :returns: `documents`, and `failures`: the files that could not be read, and why.
        :raises ValueError: when `meta` is a list of another length than `sources`.
        """
        metas: Sequence[dict[str, Any]] = meta if isinstance(meta, list) else [meta or {}] * len(sources)
        if len(metas) != len(sources):
            raise ValueError(
                f"FileConverter: 'meta' has {len(metas)} entries for {len(sources)} sources; give one each."
            )
        self.warm_up()
        assert self._pool is not None  # noqa: S101 - warm_up has just seen to it
        paths = [_absolute(source) for source in sources]
        documents, failures = [], []
        for converted, extra in zip(self._pool.convert(paths), metas, strict=True):
            if converted.page is None:
                failures.append(_failure(converted, fingerprint))
            else:
                documents.append(_document(converted, extra, fingerprint))
        return {"documents": documents, "failures": failures}


def _absolute(source: str | Path) -> str:
    """Folders resolved, the last part not: a symbolic link is refused by the converter, not followed."""
    folder, name = os.path.split(os.path.abspath(source))
    return os.path.join(os.path.realpath(folder), name)


def _document(converted: Converted, extra: dict[str, Any], fingerprint: str) -> Document:
    page = converted.page
    assert page is not None and converted.content_hash is not None  # noqa: S101 - the caller has looked
    source_id = source_id_of(converted.path)
    path = shown(converted.path)
    meta = {
        **extra,
        "source_id": source_id,
        "source_version": source_version(converted.content_hash, fingerprint),
        "file_path": path,
        "file_name": extra.get("file_name") or path.rpartition("/")[2],
        "mime_type": page.mime_type,
        "content_hash": converted.content_hash,
        "fingerprint": fingerprint,
        "size": converted.size,
        "mtime_ns": converted.stamp,
        "heading_places": [list(heading) for heading in page.headings],
        "page_starts": list(page.page_starts),
        "notes": page.notes,
    }
    if page.paged:
        meta["page_kind"] = page.page_kind
    if page.page_labels:
        meta["page_labels"] = page.page_labels
    if page.title:
        meta["title"] = page.title
    blob = ByteStream(page.layout, mime_type="application/json+deflate") if page.layout is not None else None
    return Document(id=source_id, content=page.text, blob=blob, meta=meta)


def _failure(converted: Converted, fingerprint: str) -> RefusedFile:
    return RefusedFile(
        path=shown(converted.path),
        reason=converted.reason or "failed",
        detail=converted.detail,
        source_id=source_id_of(converted.path),
        content_hash=converted.content_hash or "",
        fingerprint=fingerprint,
        size=converted.size,
        mtime_ns=converted.stamp,
    )
