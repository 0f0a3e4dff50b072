"""The thread that works the jobs off: through the index pipeline into the store, or out of it."""

import logging
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.named_pipeline import NamedPipeline
from components.stores.contract import PassageStore, StoreBusyError
from indexing.index_writer import IndexWriter
from indexing.run import index
from indexing.sources import shown, source_id_of
from service.access.permissions import FIELD
from service.documents.catalogue import Catalogue
from service.documents.jobs import Job, Jobs
from service.documents.originals import Originals
from service.stages import Stages, current_stages

JOBS_AT_ONCE = 8
BYTES_AT_ONCE = 4_000_000  # one batch of an index run: then the stage that is on is the stage of each of its files
SYNCHRONISE_EVERY = 5.0  # seconds: what others index meanwhile is marked within
MOST_TRIES = 5
_STAGES = {
    "FileConverter": "converting",
    "PassageSplitter": "splitting",
    "PassageEmbedder": "embedding",
    "SourceWriter": "writing",
}
log = logging.getLogger("excerpt.indexer")


class Indexer:
    """
    One thread, as only one index run may be under way in a store.

    :param pipeline: the loaded index pipeline; its components' names say which stage is on.
    """

    def __init__(
        self, pipeline: NamedPipeline, store: PassageStore, jobs: Jobs, catalogue: Catalogue, originals: Originals
    ) -> None:
        self.pipeline, self.store = pipeline, store
        self.jobs, self.catalogue, self.originals = jobs, catalogue, originals
        self.last_error: str | None = None
        self._stage_of = {name: _STAGES.get(type(part).__name__, "") for name, part in pipeline.pipeline.walk()}
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="indexer", daemon=True)
        self._tries: dict[str, int] = {}

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def close(self, wait: float = 10.0) -> None:
        """End after the batch that is under way; what is queued stays queued."""
        self._ended.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(wait)

    def _work(self) -> None:
        pause = 0.0
        while not self._ended.is_set():
            self._wake.wait(pause or SYNCHRONISE_EVERY)
            self._wake.clear()
            try:
                self.catalogue.synchronise()
                while not self._ended.is_set() and (batch := self.jobs.next_batch(JOBS_AT_ONCE, BYTES_AT_ONCE)):
                    self._do(batch)
                    self.last_error, pause = None, 0.0
            except StoreBusyError:
                self._put_off("another index run is under way")
                pause = 1.0
            except Exception as error:
                # By its type: the message may quote a document.
                self.last_error = type(error).__name__
                log.warning("indexing failed with %s; trying again", self.last_error)
                self._put_off(f"trying again after {self.last_error}")
                pause = min(30.0, 2 * pause or 1.0)

    def _do(self, batch: list[Job]) -> None:
        if batch[0].kind == "delete":
            self._delete(batch)
        else:
            self._index(batch)

    def _delete(self, batch: list[Job]) -> None:
        with self.store.one_writer(wait=2.0) as held:
            held.check()
            IndexWriter(self.store).remove([job.source_id for job in batch])
        for job in batch:
            if (entry := self.catalogue.get(job.source_id)) is not None:
                self.originals.remove(entry.path)
        self.catalogue.forget(job.source_id for job in batch)
        for job in batch:
            self.jobs.finish(job, "deleted")

    def _index(self, batch: list[Job]) -> None:
        paths: dict[str, Job] = {}
        for job in batch:
            entry = self.catalogue.get(job.source_id)
            if entry is None or entry.hidden:
                self.jobs.finish(job, "failed", "deleted", "it was deleted before its turn came")
                continue
            if job.spool is not None and os.path.exists(job.spool):
                self.originals.replace(Path(job.spool), Path(entry.path))
            paths[entry.path] = job
        if not paths:
            return
        written_with: dict[str, Any] = {}

        def meta_of(path: str) -> dict[str, Any]:
            meta = self.catalogue.mark_for(path, self.catalogue.get(source_id_of(path)))
            written_with[path] = meta[FIELD]
            return meta

        token = current_stages.set(Stages(lambda name: self._note(list(paths.values()), name)))
        try:
            report = index(
                self.pipeline,
                list(paths),
                meta=meta_of,
                retry_refused=True,
                lock_wait=2.0,
                batch_files=JOBS_AT_ONCE,
                batch_bytes=2 * BYTES_AT_ONCE,
            )
        except StoreBusyError:
            raise
        except Exception as error:
            if not self._given_up(list(paths.values()), error):
                raise
            return
        finally:
            current_stages.reset(token)
        refused = {one.path: one for one in report.refused}
        for path, job in paths.items():
            entry = self.catalogue.get(job.source_id)
            source = self.store.sources.get(job.source_id)
            if (one := refused.get(shown(path))) is not None:
                self.jobs.finish(job, "refused", one.reason, one.detail)
            elif source is None or source.state != "indexed":
                self.jobs.finish(job, "failed", "vanished", "the file was gone when its turn came")
            else:
                self.jobs.finish(job, "searchable", passages=source.passages)
            if entry is not None and source is not None:
                # What was allowed meanwhile is not in the passages that were written: the next look marks them anew.
                marked = f"{source.version}/{source.generation}" if written_with.get(path) == entry.allow else ""
                self.catalogue.put(replace(entry, marked=marked))

    def _note(self, jobs: list[Job], component: str) -> None:
        if stage := self._stage_of.get(component):
            for job in jobs:
                self.jobs.stage[job.id] = stage

    def _given_up(self, jobs: list[Job], error: Exception) -> bool:
        """Whether these have failed often enough; they are then failed for good. A store that is away never counts."""
        if isinstance(error, OSError | ConnectionError):
            return False
        for job in jobs:
            self._tries[job.id] = self._tries.get(job.id, 0) + 1
        if min(self._tries[job.id] for job in jobs) < MOST_TRIES:
            return False
        for job in jobs:
            self._tries.pop(job.id, None)
            self.jobs.finish(job, "failed", "failed", type(error).__name__)
        return True

    def _put_off(self, reason: str) -> None:
        self.jobs.wait_for(self.jobs.next_batch(JOBS_AT_ONCE, BYTES_AT_ONCE), reason)
