"""The Haystack component that turns files into documents: one document a file, holding its whole text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from haystack import Document, component
from haystack.dataclasses import ByteStream

from indexing.convert.dispatch import Options
from indexing.convert.extracted import Extracted
from indexing.convert.pool import Converted, ConverterPool, Limits
from indexing.fingerprint import source_version
from indexing.refused_file import RefusedFile
from indexing.sources import INSIDE, shown, source_id_of
from indexing.spool import absolute, named_by_its_place, spooled


@component
class FileConverter:
    """
    Converts files of the formats in docs/indexing.md, each in a process of its own.

    A document's `content` is the extracted text (pages separated by a form feed), its `blob` the word rectangles where
    the format has them (`components.page_layout`), its id and `meta["source_id"]` name the file by its resolved path.

    :param workers: files converted at once.
    :param timeout: seconds one file may take.
    :param memory_mb: memory one file may take.
    :param max_file_mb: size of the largest file that is read.
    :param hidden: text, rows, sheets and slides that their file hides: "leave out" (and say so), or "read".
    :param attachments: files attached to mail become documents of their own, ``mail.eml > report.pdf``.
    :param archives: so do the files in ZIP archives; else archives are refused.
    :param ocr: "auto": pictures of text are recognised where tesseract is installed; "off".
    :raises ValueError: for a limit that is not positive.
    """

    def __init__(
        self,
        workers: int = 2,
        timeout: float = 30.0,
        memory_mb: int = 1024,
        max_file_mb: int = 256,
        hidden: Literal["leave out", "read"] = "leave out",
        attachments: bool = True,
        archives: bool = False,
        ocr: Literal["auto", "off"] = "auto",
    ) -> None:
        given = {"workers": workers, "timeout": timeout, "memory_mb": memory_mb, "max_file_mb": max_file_mb}
        for name, value in given.items():
            if value <= 0:
                raise ValueError(f"FileConverter: '{name}' is {value}; it must be greater than 0.")
        for setting, chosen, allowed in (("hidden", hidden, ("leave out", "read")), ("ocr", ocr, ("auto", "off"))):
            if chosen not in allowed:
                raise ValueError(f"FileConverter: '{setting}' is '{chosen}'; it can be {' or '.join(allowed)}.")
        self.hidden = hidden
        self.attachments = attachments
        self.archives = archives
        self.ocr = ocr
        self.workers = workers
        self.timeout = timeout
        self.memory_mb = memory_mb
        self.max_file_mb = max_file_mb
        self._pool: ConverterPool | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "FileConverter":
        return FileConverter(  # processes are not copied
            self.workers, self.timeout, self.memory_mb, self.max_file_mb,
            self.hidden, self.attachments, self.archives, self.ocr,
        )  # fmt: skip

    def warm_up(self) -> None:
        if self._pool is None:
            limits = Limits(self.timeout, self.memory_mb << 20, self.max_file_mb << 20)
            options = Options(self.hidden == "read", self.archives, self.attachments, self.ocr == "auto")
            self._pool = ConverterPool(self.workers, limits, options)

    def begin(self, sources: Sequence[str | Path]) -> None:
        """
        Start converting what the next `run` will be asked for, while the passages of others are embedded.

        :param sources: files; each should be asked for soon, as its text waits in memory.
        """
        self.warm_up()
        assert self._pool is not None  # noqa: S101 - warm_up has just seen to it
        self._pool.begin(absolute(source) for source in sources)

    def close(self) -> None:
        """End the converting processes; a later run starts them again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    @component.output_types(documents=list[Document], failures=list[RefusedFile])
    def run(
        self,
        sources: list[str | Path | ByteStream],
        meta: dict[str, Any] | list[dict[str, Any]] | None = None,
        fingerprint: str = "",
    ) -> dict[str, Any]:
        """
        :param sources: files; symbolic links are not followed. Or bytes from elsewhere, whose meta has `file_path`,
            the address they are known by, and may have `suffix` (of a file of their type) and `validator`.
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
        documents, failures = [], []
        with spooled(sources) as paths:
            for read, source, extra in zip(self._pool.convert(paths), sources, metas, strict=True):
                converted, validator = named_by_its_place(read, source)
                if converted.page is None:
                    failures.append(replace(_failure(converted, fingerprint), validator=validator))
                    continue
                made = [_document(converted, page, extra, fingerprint) for page in _pages(converted)]
                if validator is not None:
                    made = [replace(one, meta={**one.meta, "validator": validator}) for one in made]
                documents += made
        return {"documents": documents, "failures": failures}


def _pages(converted: Converted) -> list[Extracted]:
    return [converted.page, *converted.members] if converted.page is not None else []


def _document(converted: Converted, page: Extracted, extra: dict[str, Any], fingerprint: str) -> Document:
    assert converted.content_hash is not None  # noqa: S101 - what was converted was read
    inside = f"{INSIDE}{page.name}" if page.name else ""
    source_id = source_id_of(converted.path + inside)
    path = shown(converted.path + inside)
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
