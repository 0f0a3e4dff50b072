"""The list of uploads, replacements and deletions: what is acknowledged is in it, and outlives the process."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from service.documents.catalogue import Catalogue, Entry
from service.documents.database import Database
from service.errors import ServiceError

Kind = Literal["add", "replace", "delete"]
# What a client sees of a job, in order. The stages between are those of the index pipeline.
STATES = ("queued", "converting", "splitting", "embedding", "writing", "searchable", "refused", "failed", "deleted")
FINAL = ("searchable", "refused", "failed", "deleted")


@dataclass(frozen=True)
class Job:
    """
    :param state: one of `STATES`; `searchable` and `deleted` are success.
    :param reason: why it was refused or failed, or what it waits for.
    :param spool: where a replacement lies until its turn comes.
    """

    number: int
    id: str
    source_id: str
    kind: Kind
    state: str
    reason: str | None
    detail: str | None
    name: str
    size: int
    passages: int | None
    spool: str | None
    caller: str
    created: float
    changed: float


class Jobs:
    """
    :param most: jobs that may wait; more are refused.
    """

    def __init__(self, database: Database, catalogue: Catalogue, most: int) -> None:
        self.database, self.catalogue, self.most = database, catalogue, most
        self.stage: dict[str, str] = {}  # job id -> what is being done to it now
        with database.writing() as connection:
            connection.execute(
                f"UPDATE jobs SET state = 'queued' WHERE state NOT IN {FINAL}"  # noqa: S608 - words of our own
            )

    def require_room(self, more: int = 1) -> None:
        """:raises ServiceError: 503 when too many are waiting."""
        if self.waiting() + more > self.most:
            raise ServiceError(503, "busy", f"{self.most} uploads are waiting. Try again later.", retry_after=30)

    def waiting(self) -> int:
        return int(self.database.rows("SELECT count(*) FROM jobs WHERE state = 'queued'")[0][0])

    def last_success(self) -> float:
        """When a job last ended well, in seconds since 1970; 0 when none has."""
        return float(self.database.rows("SELECT max(changed) FROM jobs WHERE state = 'searchable'")[0][0] or 0.0)

    def add(self, kind: Kind, entry: Entry, size: int, caller: str, spool: str | None = None) -> Job:
        """Note a job and its document in one transaction: once this returns, neither is lost."""
        now = time.time()
        job_id = secrets.token_hex(12)
        with self.database.writing() as connection:
            self.catalogue.put(entry, connection)
            connection.execute(
                "INSERT INTO jobs (id, source_id, kind, state, name, size, spool, caller, created, changed) "
                "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
                (job_id, entry.source_id, kind, entry.name, size, spool, caller, now, now),
            )
        found = self.get(job_id)
        assert found is not None  # noqa: S101 - written just now
        return found

    def get(self, job_id: str) -> Job | None:
        return next(iter(self._jobs("WHERE id = ?", job_id)), None)

    def of_source(self, source_id: str) -> Job | None:
        """The last job of a document."""
        return next(iter(self._jobs("WHERE source_id = ? ORDER BY number DESC LIMIT 1", source_id)), None)

    def recent(self, limit: int) -> list[Job]:
        return self._jobs("ORDER BY number DESC LIMIT ?", limit)

    def next_batch(self, most: int, most_bytes: int) -> list[Job]:
        """
        The oldest jobs that can be done together: deletions, or additions and replacements of different documents,
        few enough to be one batch of the index pipeline.
        """
        batch: list[Job] = []
        for job in self._jobs("WHERE state = 'queued' ORDER BY number LIMIT ?", most):
            if batch and (
                (job.kind == "delete") != (batch[0].kind == "delete")
                or any(job.source_id == other.source_id for other in batch)
                or sum(other.size for other in batch) + job.size > most_bytes
            ):
                break
            batch.append(job)
        return batch

    def finish(
        self,
        job: Job,
        state: str,
        reason: str | None = None,
        detail: str | None = None,
        passages: int | None = None,
    ) -> None:
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, reason = ?, detail = ?, passages = ?, changed = ? WHERE id = ?",
                (state, reason, detail, passages, time.time(), job.id),
            )
        self.stage.pop(job.id, None)

    def wait_for(self, jobs: Iterable[Job], reason: str) -> None:
        """The jobs stay queued, and say what for."""
        with self.database.writing() as connection:
            connection.executemany("UPDATE jobs SET reason = ? WHERE id = ?", [(reason, job.id) for job in jobs])
        for job in jobs:
            self.stage.pop(job.id, None)

    def prune(self, keep: int = 100_000) -> None:
        """Forget the oldest finished jobs."""
        with self.database.writing() as connection:
            connection.execute(
                f"DELETE FROM jobs WHERE state IN {FINAL} AND number <= (SELECT max(number) FROM jobs) - ?",  # noqa: S608
                (keep,),
            )

    def _jobs(self, condition: str, *values: Any) -> list[Job]:
        rows = self.database.rows(f"SELECT * FROM jobs {condition}", *values)  # noqa: S608 - conditions of our own
        jobs = [Job(**dict(row)) for row in rows]
        return [
            job if job.state != "queued" or job.id not in self.stage else _at(job, self.stage[job.id]) for job in jobs
        ]


def _at(job: Job, stage: str) -> Job:
    return Job(**{**vars(job), "state": stage})
