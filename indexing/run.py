"""One index run: what changed under the given paths goes through the index pipeline, what is gone is taken out."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.stores.busy import Held
from components.stores.sources import Source
from indexing.fingerprint import pipeline_fingerprint
from indexing.lock import writing
from indexing.parts import Parts, PipelineShapeError, parts_of
from indexing.record import IndexWriter
from indexing.sources import Changes, FoundFile, compare, find_files, is_under, shown, source_id_of

if TYPE_CHECKING:
    from haystack import Pipeline

__all__ = ["IndexReport", "PipelineShapeError", "Progress", "RefusedFile", "index"]


@dataclass(frozen=True)
class Progress:
    """How far a run is; totals count new and changed files only."""

    files: int
    files_total: int
    bytes: int
    bytes_total: int
    passages: int


@dataclass(frozen=True)
class RefusedFile:
    """A file that is not in the index. `reason` is one of `convert.extracted.REASONS`."""

    path: str
    reason: str
    detail: str
    is_new: bool  # False: refused in an earlier run, and unchanged since


@dataclass
class IndexReport:
    """
    What a run did.

    :param indexed: paths of new and changed files that are in the index now.
    :param removed: paths of files that were in the index and are gone.
    :param refused: what is not in the index, and why.
    :param notes: (path, note): parts of indexed files that were not read.
    :param passages: written.
    """

    indexed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    unchanged: int = 0
    passages: int = 0
    generation: int | None = None


def index(
    pipeline: "Pipeline",
    paths: Sequence[str | Path],
    *,
    meta: dict[str, Any] | Callable[[str], dict[str, Any]] | None = None,
    rehash: bool = False,
    retry_refused: bool = False,
    batch_files: int = 32,
    batch_bytes: int = 4_000_000,
    lock_wait: float = 0.0,
    held: Held | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IndexReport:
    """
    Make the index true to the files under `paths`. May be killed at any moment and run again.

    :param pipeline: with a `FileConverter` and a `SourceWriter` in it, whatever their names.
    :param meta: what every document of this run brings along, or a function that tells it by the file's path.
    :param rehash: read every file to compare its hash, also where size and times are unchanged.
    :param retry_refused: try refused files again although they are unchanged.
    :param batch_files: most files, and `batch_bytes` most bytes of files, that go through the pipeline at once: these
        bound the memory of a run. A larger file goes alone.
    :param lock_wait: seconds to wait for another process that indexes into the same store.
    :param held: the right to write, where the caller has it already.
    :param progress: called after each batch.
    :raises FileNotFoundError: for a path that does not exist and is not in the index either.
    :raises PipelineShapeError: when the pipeline is none for indexing.
    :raises indexing.lock.StoreBusyError: when another process is indexing into the store.
    """
    parts = parts_of(pipeline)
    # A store that has something to hold back while much is written (Elasticsearch: refreshes) does so until the end.
    loading = getattr(parts.store, "loading", nullcontext)
    with nullcontext(held) if held is not None else writing(parts.store, lock_wait) as right, loading():
        try:
            return _Run(pipeline, parts, meta, batch_files, batch_bytes, progress, right).do(
                paths, rehash, retry_refused
            )
        finally:
            parts.files.close()


class _Run:
    def __init__(
        self,
        pipeline: "Pipeline",
        parts: Parts,
        meta: dict[str, Any] | Callable[[str], dict[str, Any]] | None,
        batch_files: int,
        batch_bytes: int,
        progress: Callable[[Progress], None] | None,
        held: Held,
    ) -> None:
        self.pipeline, self.parts, self.meta = pipeline, parts, meta
        self.batch_files, self.batch_bytes = batch_files, batch_bytes
        self.progress, self.held = progress, held
        self.fingerprint = pipeline_fingerprint(parts.made_by)
        self.record = getattr(parts.store, "sources", None)
        self.report = IndexReport()

    def do(self, paths: Sequence[str | Path], rehash: bool, retry_refused: bool) -> IndexReport:
        changes = self._changes(paths, rehash, retry_refused)
        report = self.report
        report.unchanged = changes.unchanged
        for file in changes.problems:
            reason, detail = file.problem or ("unreadable", "")
            report.refused.append(RefusedFile(shown(file.path), reason, detail, is_new=True))
        for source_id in changes.still_refused:
            source = self.record.get(source_id) if self.record is not None else None
            if source is not None:
                reason, _, detail = (source.reason or "").partition(": ")
                report.refused.append(RefusedFile(source.path, reason, detail, is_new=False))
        if self.record is not None and (changes.todo or changes.gone):
            report.generation = self.record.next_generation()
        if changes.gone:
            self.held.check()
            IndexWriter(self.parts.store, self.record).remove(list(changes.gone))
            report.removed = sorted(changes.gone.values())
        if self.record is not None and changes.touched:
            for source_id, stamp in changes.touched.items():
                if (source := self.record.get(source_id)) is not None:
                    self.record.put([replace(source, mtime_ns=stamp)])
        files, size, total = 0, 0, sum(file.size for file in changes.todo)
        for batch in _batches(changes.todo, self.batch_files, self.batch_bytes):
            self.held.check()
            self._through(batch)
            files, size = files + len(batch), size + sum(file.size for file in batch)
            if self.progress is not None:
                self.progress(Progress(files, len(changes.todo), size, total, report.passages))
        return report

    def _changes(self, paths: Sequence[str | Path], rehash: bool, retry_refused: bool) -> Changes:
        roots = [os.path.realpath(path) for path in paths]
        known: dict[str, Source] = {}
        if self.record is not None:
            for root in roots:
                known.update((source.source_id, source) for source in self.record.all(under=shown(root)))
        there = [path for path, root in zip(paths, roots, strict=True) if self._is_there(root, known)]
        limit = self.parts.files.max_file_mb << 20
        return compare(
            find_files(there), known, roots, self.fingerprint,
            rehash=rehash, retry_refused=retry_refused, max_bytes=limit,
        )  # fmt: skip

    @staticmethod
    def _is_there(root: str, known: dict[str, Source]) -> bool:
        """False for a path that is gone and known: it is removed. One never seen is an error of `find_files`."""
        return os.path.lexists(root) or not any(is_under(source.path, [root]) for source in known.values())

    def _through(self, batch: list[FoundFile]) -> None:
        """A batch that a converter, splitter or embedder fails on goes through again file by file."""
        written = self._tried(batch)
        if written is None:  # outside of any except block: a traceback would keep the failed batch in memory
            for file in batch:
                self._through([file])
            return
        failed = {failure["source_id"]: failure for failure in written["failures"]}
        for file in batch:
            failure = failed.get(source_id_of(file.path))
            if failure is None:
                self.report.indexed.append(shown(file.path))
            else:
                refused = RefusedFile(failure["file_path"], failure["reason"], failure["detail"], is_new=True)
                self.report.refused.append(refused)
        self.report.passages += written["counts"]["passages"]
        self.report.notes += written["notes"]

    def _tried(self, batch: list[FoundFile]) -> dict[str, Any] | None:
        """The writer's outputs; None when several files failed together. A file that fails alone is recorded."""
        from haystack.core.errors import PipelineRuntimeError

        try:
            return self._run(batch)
        except PipelineRuntimeError as error:
            if error.component_name == self.parts.writer:
                raise  # the store's trouble is not a file's
            return self._give_up(batch[0], error) if len(batch) == 1 else None

    def _run(self, batch: list[FoundFile]) -> dict[str, Any]:
        data = {
            self.parts.converter: {
                "sources": [file.path for file in batch],
                "meta": [self.meta(file.path) for file in batch] if callable(self.meta) else self.meta or {},
                "fingerprint": self.fingerprint,
            },
            self.parts.writer: {"generation": self.report.generation},
        }
        return dict(self.pipeline.run(data)[self.parts.writer])

    def _give_up(self, file: FoundFile, error: Exception) -> dict[str, Any]:
        """Record a file that the pipeline failed on, by the exception's type: its text may quote the document."""
        cause = error.__cause__ or error
        failure = {
            "source_id": source_id_of(file.path),
            "file_path": shown(file.path),
            "reason": "failed",
            "detail": f"{type(cause).__name__} in component '{getattr(error, 'component_name', '?')}'",
            "content_hash": "",
            "fingerprint": self.fingerprint,
            "size": file.size,
            "mtime_ns": file.stamp,
        }
        writer = self.pipeline.get_component(self.parts.writer)
        return dict(writer.run(documents=[], failures=[failure], generation=self.report.generation))


def _batches(files: Sequence[FoundFile], most: int, most_bytes: int) -> Iterator[list[FoundFile]]:
    batch: list[FoundFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) >= most or size + file.size > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch
