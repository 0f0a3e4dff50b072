"""One index run: what changed under the given paths goes through the index pipeline, what is gone is taken out."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.stores.contract import PassageStore, Source, WriteLock
from indexing.fingerprint import describe_pipeline, fingerprint_of
from indexing.index_writer import IndexWriter
from indexing.known_content import Sorted, sort_by_content, take_over
from indexing.pipeline import IndexPipeline, PipelineShapeError, StoreInPlace, index_pipeline
from indexing.refused_file import RefusedFile
from indexing.remote.origin import NotFetchedError, Origin, compare_remote
from indexing.report import IndexReport, Progress
from indexing.sources import Changes, FoundFile, compare, find_files, is_under, shown, source_id_of

if TYPE_CHECKING:
    from haystack import Pipeline

    from components.named_pipeline import NamedPipeline

__all__ = ["IndexReport", "PipelineShapeError", "Progress", "RefusedFile", "index"]


def index(
    pipeline: "Pipeline | NamedPipeline",
    paths: Sequence[str | Path],
    *,
    meta: dict[str, Any] | Callable[[str], dict[str, Any]] | None = None,
    rehash: bool = False,
    retry_refused: bool = False,
    batch_files: int = 32,
    batch_bytes: int = 4_000_000,
    lock_wait: float = 0.0,
    held: WriteLock | None = None,
    store: PassageStore | None = None,
    origins: Sequence[Origin] = (),
    progress: Callable[[Progress], None] | None = None,
) -> IndexReport:
    """
    Make the index true to the files under `paths`. May be killed at any moment and run again.

    :param pipeline: loaded from YAML, or built in Python: see `indexing.pipeline` for what it must take and give.
    :param meta: what every document of this run brings along, or a function that tells it by the file's path.
    :param rehash: read every file to compare its hash, also where size and times are unchanged.
    :param retry_refused: try refused files again although they are unchanged.
    :param batch_files: most files, and `batch_bytes` most bytes of files, that go through the pipeline at once: these
        bound the memory of a run. A larger file goes alone.
    :param lock_wait: seconds to wait for another process that indexes into the same store.
    :param held: the right to write, where the caller has it already.
    :param store: where to write instead of the pipeline's own store: the next version of an index.
    :param origins: places elsewhere that the index is to be true to as well (`indexing.remote`); they are closed.
    :param progress: called after each batch.
    :raises OriginError: when one of them cannot be read; nothing was changed then.
    :raises FileNotFoundError: for a path that does not exist and is not in the index either.
    :raises PipelineShapeError: when the pipeline is none for indexing.
    :raises components.stores.contract.StoreBusyError: when another process is indexing into the store.
    """
    indexing = index_pipeline(pipeline)
    target = indexing.document_store if store is None else store
    with nullcontext(held) if held is not None else target.one_writer(lock_wait) as right, target.loading():
        run = _Run(indexing, target, store is not None, meta, batch_files, batch_bytes, progress, right)
        try:
            return run.do(paths, origins, rehash, retry_refused)
        finally:
            indexing.reader_of_files.close()
            for origin in origins:
                origin.close()


class _Run:
    def __init__(
        self,
        pipeline: IndexPipeline,
        store: PassageStore,
        store_is_given: bool,
        meta: dict[str, Any] | Callable[[str], dict[str, Any]] | None,
        batch_files: int,
        batch_bytes: int,
        progress: Callable[[Progress], None] | None,
        held: WriteLock,
    ) -> None:
        self.pipeline, self.store, self.meta = pipeline, store, meta
        self.in_place = StoreInPlace(store) if store_is_given else None
        self.batch_files, self.batch_bytes = batch_files, batch_bytes
        self.progress, self.held = progress, held
        self.description = describe_pipeline(pipeline.made_by)
        self.fingerprint = fingerprint_of(self.description)
        self.record = store.sources
        self.known: dict[str, Source] = {}
        self.done = Progress(0, 0, 0, 0, 0)
        self.report = IndexReport()

    def do(
        self, paths: Sequence[str | Path], origins: Sequence[Origin], rehash: bool, retry_refused: bool
    ) -> IndexReport:
        changes = self._changes(paths, rehash, retry_refused)
        for origin in origins:
            changes.add(self._changes_of(origin, rehash, retry_refused))
        report = self.report
        report.unchanged = changes.unchanged
        self.done = Progress(0, len(changes.todo), 0, sum(file.size for file in changes.todo), 0)
        for source_id in changes.still_refused:
            source = self.record.get(source_id)
            if source is not None:
                report.refused.append(RefusedFile.of_record(source))
        if changes.todo or changes.gone:
            report.generation = self.record.next_generation()
        if changes.todo and self.record.get_pipeline(self.fingerprint) is None:
            self.record.put_pipeline(self.fingerprint, self.description)
        sorted_files = self._sorted_by_content(changes.todo)
        # Before anything is removed: what was renamed is copied from what is about to go.
        self._take_over(sorted_files.there, sorted_files.others)
        if changes.gone:
            self.held.check()
            IndexWriter(self.store).remove(list(changes.gone))
            report.removed = sorted(changes.gone.values())
        self._remember_problems(changes.problems)
        for source_id, stamp in changes.touched.items():
            if (source := self.record.get(source_id)) is not None:
                self.record.put([replace(source, mtime_ns=stamp)])
        self._all_through(sorted_files.others)
        copies: list[FoundFile] = []
        self._take_over([(file, source_id_of(like.path)) for file, like in sorted_files.alike], copies)
        self._all_through(copies)
        return report

    def _sorted_by_content(self, todo: list[FoundFile]) -> Sorted:
        if not todo or self.meta is not None:  # what the documents of this run bring along is not in those copied
            return Sorted(others=todo)
        return sort_by_content(todo, self.record.all(), self.fingerprint)

    def _take_over(self, pairs: list[tuple[FoundFile, str]], others: list[FoundFile]) -> None:
        """Index files by copying what the index holds of their content; what cannot be copied joins the `others`."""
        for first in range(0, len(pairs), self.batch_files):
            self.held.check()
            some = pairs[first : first + self.batch_files]
            left, passages = take_over(self.store, some, self.report.generation)
            others += left
            taken = [file for file, _ in some if file not in left]
            self.report.indexed += [shown(file.path) for file in taken]
            self.report.taken_over += len(taken)
            self.report.passages += passages
            self._tell_progress(taken)

    def _all_through(self, files: list[FoundFile]) -> None:
        begin = getattr(self.pipeline.reader_of_files, "begin", None)
        batches = list(_batches(files, self.batch_files, self.batch_bytes))
        for number, batch in enumerate(batches):
            self.held.check()
            if begin is not None:  # one batch is converted while the one before is embedded
                following = batches[number : number + 2]
                begin([file.path for some in following for file in some if file.fetch is None])
            self._through(self._fetched(batch))
            self._tell_progress(batch)

    def _fetched(self, batch: list[FoundFile]) -> list[FoundFile]:
        """With the bytes of what lies elsewhere; without those that do not come, which are reported."""
        fetched = []
        for file in batch:
            try:
                fetched.append(file if file.fetch is None else replace(file, content=file.fetch()))
            except NotFetchedError as error:
                self._remember_problems([replace(file, problem=("unreadable", str(error)))])
        return fetched

    def _tell_progress(self, done: list[FoundFile]) -> None:
        now = self.done
        now = replace(
            now, files=now.files + len(done), bytes=now.bytes + sum(file.size for file in done),
            passages=self.report.passages,
        )  # fmt: skip
        self.done = now
        if self.progress is not None and done:
            self.progress(now)

    def _changes(self, paths: Sequence[str | Path], rehash: bool, retry_refused: bool) -> Changes:
        roots = [os.path.realpath(path) for path in paths]
        known = self.known
        for root in roots:
            known.update((source.source_id, source) for source in self.record.all(under=shown(root)))
        there = [path for path, root in zip(paths, roots, strict=True) if self._is_there(root, known)]
        limit = self.pipeline.reader_of_files.max_file_mb << 20
        return compare(
            find_files(there, self.store.folder), known, roots, self.fingerprint,
            rehash=rehash, retry_refused=retry_refused, max_bytes=limit,
        )  # fmt: skip

    def _changes_of(self, origin: Origin, rehash: bool, retry_refused: bool) -> Changes:
        known = {source.source_id: source for source in self.record.all(under=shown(origin.scope))}
        self.known.update(known)
        limit = self.pipeline.reader_of_files.max_file_mb << 20
        return compare_remote(
            origin, known, self.fingerprint, rehash=rehash, retry_refused=retry_refused, max_bytes=limit
        )

    def _remember_problems(self, problems: Sequence[FoundFile]) -> None:
        """
        Report what may not be indexed (links, pipes, what cannot be listed), and record it, so that it is news once.

        What the index holds of a file that cannot be read now stays; such a file is reported as new in every run.
        """
        for file in problems:
            reason, detail = file.problem or ("unreadable", "")
            source_id = source_id_of(file.path)
            refusal = RefusedFile(
                shown(file.path), reason, detail, source_id=source_id, fingerprint=self.fingerprint, mtime_ns=file.stamp
            )
            before = self.record.get(source_id)
            is_known = before is not None and before.state == "refused" and before.reason == refusal.to_source(0).reason
            if not is_known and (before is None or before.state == "refused"):
                self.record.put([refusal.to_source(before.generation if before is not None else 0)])
            self.report.refused.append(replace(refusal, is_new=not is_known))

    @staticmethod
    def _is_there(root: str, known: dict[str, Source]) -> bool:
        """False for a path that is gone and known: it is removed. One never seen is an error of `find_files`."""
        return os.path.lexists(root) or not any(is_under(source.path, [root]) for source in known.values())

    def _through(self, batch: list[FoundFile]) -> None:
        """A batch that a converter, splitter or embedder fails on goes through again file by file."""
        if not batch:
            return
        written = self._tried(batch)
        if written is None:  # outside of any except block: a traceback would keep the failed batch in memory
            for file in batch:
                self._through([file])
            return
        refused: list[RefusedFile] = [self._known_before(refusal) for refusal in written["failures"]]
        self.report.refused += refused
        names = {refusal.source_id for refusal in refused}
        self.report.indexed += [shown(file.path) for file in batch if source_id_of(file.path) not in names]
        self.report.passages += written["counts"]["passages"]
        self.report.truncated += len(written.get("truncated", ()))
        self.report.notes += written["notes"]

    def _known_before(self, refusal: RefusedFile) -> RefusedFile:
        """What could not be read in an earlier run either, for the same reason, is no news."""
        before = self.known.get(refusal.source_id)
        if refusal.reason != "unreadable" or before is None or before.reason != refusal.to_source(0).reason:
            return refusal
        return replace(refusal, is_new=False)

    def _tried(self, batch: list[FoundFile]) -> dict[str, Any] | None:
        """The pipeline's outputs; None when several files failed together. A file that fails alone is recorded."""
        from haystack.core.errors import PipelineRuntimeError

        try:
            return self._run(batch)
        except PipelineRuntimeError as error:
            if error.component_name == self.pipeline.writer:
                raise  # the store's trouble is not a file's
            if error.component_name == self.pipeline.converter and isinstance(error.__cause__, OSError):
                raise  # nor is the machine's: a process that cannot start, a descriptor or memory that is not to be had
            return self._run([], [self._failed(batch[0], error)]) if len(batch) == 1 else None

    def _run(self, files: list[FoundFile], refused: list[RefusedFile] | None = None) -> dict[str, Any]:
        metas = [{**(self.meta(file.path) if callable(self.meta) else self.meta or {}), **file.meta} for file in files]
        return self.pipeline.run(
            sources=[file.path if file.content is None else file.content for file in files],
            meta=metas if any(metas) else None,
            fingerprint=self.fingerprint,
            generation=self.report.generation,
            refused=refused,
            store=self.in_place,
        )

    def _failed(self, file: FoundFile, error: Exception) -> RefusedFile:
        """A file that the pipeline failed on, by the exception's type: its text may quote the document."""
        cause = error.__cause__ or error
        return RefusedFile(
            path=shown(file.path),
            reason="failed",
            detail=f"{type(cause).__name__} in component '{getattr(error, 'component_name', '?')}'",
            source_id=source_id_of(file.path),
            fingerprint=self.fingerprint,
            size=file.size,
            mtime_ns=file.stamp,
            validator=None if file.content is None else file.content.meta.get("validator"),
        )


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
