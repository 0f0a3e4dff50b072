"""Documents and jobs as clients see them."""

from datetime import UTC, datetime
from typing import Any

from components.stores.contract import Source
from service.access.caller import Caller
from service.access.permissions import listed
from service.documents.catalogue import Entry
from service.documents.jobs import Job
from service.links import links
from service.service import Service


def document_view(service: Service, caller: Caller, source: Source | None, entry: Entry | None) -> dict[str, Any]:
    """One document; one of both is there at least: an upload that waits has no source yet."""
    source_id = source.source_id if source is not None else entry.source_id  # type: ignore[union-attr]
    job = service.jobs.of_source(source_id)
    path = source.path if source is not None else entry.path  # type: ignore[union-attr]
    name = entry.name if entry is not None else path.rpartition("/")[2]
    is_upload = entry is not None and entry.is_upload
    manages = caller.may("upload")
    return {
        "id": source_id,
        "name": name,
        "file": name if is_upload else path,
        "title": source.title if source is not None else None,
        "mime_type": source.mime_type if source is not None else None,
        "state": source.state if source is not None else "queued",
        "reason": source.reason if source is not None else None,
        "size": source.size if source is not None else job.size if job is not None else 0,
        "pages": len(source.page_starts) or None if source is not None else None,
        "passages": source.passages if source is not None else 0,
        "modified": _moment(source.mtime_ns / 1e9) if source is not None and source.mtime_ns else None,
        "added": _moment(entry.added) if entry is not None and entry.added else None,
        "uploaded_by": entry.uploaded_by if entry is not None and manages else None,
        "allow": listed(entry.allow) if entry is not None and manages else None,
        "job": job_view(job) if job is not None and manages else None,
        "links": links(source_id, 1 if source is not None and source.page_starts else None),
    }


def job_view(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "document": job.source_id,
        "kind": job.kind,
        "state": job.state,
        "reason": job.reason,
        "detail": job.detail,
        "name": job.name,
        "size": job.size,
        "passages": job.passages,
        "created": _moment(job.created),
        "changed": _moment(job.changed),
        "links": {"job": f"/jobs/{job.id}", "document": f"/documents/{job.source_id}"},
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
