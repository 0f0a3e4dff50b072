"""GET of documents: the list, one of them, its file, its text, a picture of a page; and of jobs."""

import asyncio
import hashlib
import os
import stat
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from components.reading_view import anchor_of, blocks_of, reading_view
from components.stores.contract import Source
from indexing.sources import stamp_of
from service.access.caller import Caller
from service.documents.catalogue import Entry
from service.documents.find import find_document
from service.documents.pages import render_page
from service.documents.views import document_view, job_view
from service.errors import ServiceError, not_found
from service.routes.common import ERRORS, caller_of, json_response, service_of
from service.schemas import DocumentView, JobView
from service.service import Service

router = APIRouter(tags=["documents"])
_CHUNK = 1 << 18
_TEXT_AT_ONCE = 1_000_000


@router.get("/documents", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def list_documents(
    request: Request,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    name: Annotated[str | None, Query(max_length=200, description="part of the name, path or title")] = None,
    state: Annotated[str | None, Query(pattern="^(indexed|pending|refused|queued)$")] = None,
    mime_type: Annotated[str | None, Query(max_length=200)] = None,
    folder: Annotated[str | None, Query(max_length=4000, description="only what lies below this path")] = None,
    sort: Annotated[str, Query(pattern="^(name|added|modified|size)$")] = "name",
    descending: bool = False,
) -> Response:
    """The documents the caller may see, with counts by state, type and folder over all that match."""
    service, caller = service_of(request), caller_of(request)
    everything = await asyncio.to_thread(_visible, service, caller)
    wanted = (name or "").casefold()
    matching = [
        (source, entry)
        for source, entry in everything
        if (state is None or _state(source) == state)
        and (mime_type is None or (source is not None and source.mime_type == mime_type))
        and (folder is None or _folder(source, entry).startswith(folder.rstrip("/")))
        and (not wanted or wanted in _searched(source, entry))
    ]
    matching.sort(key=lambda pair: _sort_key(pair, sort), reverse=descending)
    page = matching[offset : offset + limit]
    views = await asyncio.to_thread(lambda: [document_view(service, caller, *pair) for pair in page])
    return json_response(
        {
            "documents": views,
            "total": len(matching),
            "offset": offset,
            "facets": {
                "state": _facet(_state(source) for source, _ in matching),
                "mime_type": _facet(source.mime_type for source, _ in matching if source is not None),
                "folder": _facet(_folder(source, entry) for source, entry in matching),
            },
        }
    )


@router.get("/documents/{document_id}", responses={200: {"model": DocumentView}, **ERRORS})
async def get_document(document_id: str, request: Request) -> Response:
    """One document: its state, size, pages, and the job that is under way."""
    service, caller = service_of(request), caller_of(request)
    source, entry = await asyncio.to_thread(find_document, service, caller, document_id)
    return json_response(await asyncio.to_thread(document_view, service, caller, source, entry))


@router.get("/documents/{document_id}/text", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def get_text(
    document_id: str,
    request: Request,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=_TEXT_AT_ONCE)] = 100_000,
    start: Annotated[int | None, Query(ge=0, description="passed through, for the page to mark")] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The document's text as it was extracted: offsets of answers count its characters; a form feed ends a page."""
    service, caller = service_of(request), caller_of(request)
    source, _ = await asyncio.to_thread(find_document, service, caller, document_id)
    if source is None or source.text is None:
        raise ServiceError(409, "not_indexed", "The document is not in the index (yet); see its state.")
    service.audit.record(caller, "text", request.state.request_id, documents=[document_id])
    return json_response(
        {
            "id": document_id,
            "text": source.text[offset : offset + limit],
            "offset": offset,
            "total": len(source.text),
            "page_starts": source.page_starts,
            "start": start,
            "end": end,
        }
    )


@router.get(
    "/documents/{document_id}/original", response_class=Response, responses={200: {"content": {"*/*": {}}}, **ERRORS}
)
async def get_original(document_id: str, request: Request) -> Response:
    """The file itself, to be saved: never shown inside the browser."""
    service, caller = service_of(request), caller_of(request)
    source, entry = await asyncio.to_thread(find_document, service, caller, document_id)
    file, size = await asyncio.to_thread(_opened, source, entry)
    service.audit.record(caller, "original", request.state.request_id, documents=[document_id])
    name = entry.name if entry is not None else (source.path.rpartition("/")[2] if source else "document")
    headers = {"Content-Disposition": _attachment(name), "Content-Length": str(size)}
    return StreamingResponse(_read(file, size), headers=headers, media_type="application/octet-stream")


@router.get("/documents/{document_id}/view", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def get_view(
    document_id: str,
    request: Request,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="blocks to leave out")] = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    start: Annotated[int | None, Query(ge=0, description="characters of the text to look up the anchor of")] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The document to be read: its paragraphs, lines and rows in order, each with an anchor that stays the same."""
    service, caller = service_of(request), caller_of(request)
    source, _ = await asyncio.to_thread(find_document, service, caller, document_id)
    if source is None or source.text is None:
        raise ServiceError(409, "not_indexed", "The document is not in the index (yet); see its state.")
    text = source.text
    blocks = await asyncio.to_thread(reading_view, text, source.page_starts, source.mime_type)
    service.audit.record(caller, "view", request.state.request_id, documents=[document_id])
    marked = blocks_of(blocks, start, end) if start is not None and end is not None else []
    return json_response(
        {
            "id": document_id,
            "total": len(blocks),
            "offset": offset,
            "anchor": anchor_of(blocks, start, end) if start is not None and end is not None else None,
            "block": blocks.index(marked[0]) if marked else None,
            "blocks": [
                {**asdict(block), "text": text[block.start : block.end]} for block in blocks[offset : offset + limit]
            ],
        }
    )


@router.get(
    "/documents/{document_id}/pages/{number}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **ERRORS},
)
async def get_page(
    document_id: str,
    number: int,
    request: Request,
    start: Annotated[int | None, Query(ge=0, description="characters of the document's text to mark")] = None,
    end: Annotated[int | None, Query(ge=0)] = None,
    dpi: Annotated[int, Query(ge=20, le=300, description="dots an inch")] = 110,
) -> Response:
    """A picture of a page, with the words of the given stretch of text marked on it; for PDF."""
    service, caller = service_of(request), caller_of(request)
    source, _ = await asyncio.to_thread(find_document, service, caller, document_id)
    if source is None or source.mime_type != "application/pdf":
        raise ServiceError(409, "no_pages", "There are pictures of pages for PDF only; see /view.")
    if not 1 <= number <= len(source.page_starts):
        raise not_found("page")
    marked = (start, end) if start is not None and end is not None and start < end else None
    picture = await render_page(service, source, number, dpi, marked)
    service.audit.record(caller, "page", request.state.request_id, documents=[document_id], page=number)
    return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=300"})


@router.get("/jobs", responses={200: {"model": dict[str, list[JobView]]}, **ERRORS})
async def list_jobs(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
    """The newest jobs of documents the caller may see."""
    service, caller = service_of(request), caller_of(request)
    jobs = await asyncio.to_thread(service.jobs.recent, limit)
    return json_response({"jobs": [job_view(job) for job in jobs if _may_follow(service, caller, job)]})


@router.get("/jobs/{job_id}", responses={200: {"model": JobView}, **ERRORS})
async def get_job(job_id: str, request: Request) -> Response:
    """How far an upload, a replacement or a deletion is."""
    service, caller = service_of(request), caller_of(request)
    job = await asyncio.to_thread(service.jobs.get, job_id)
    if job is None or not _may_follow(service, caller, job):
        raise not_found("job")
    return json_response(job_view(job))


def _may_follow(service: Service, caller: Caller, job: Any) -> bool:
    """One's own jobs, and those of documents one may see: a deletion can be followed by who asked for it."""
    return job.caller == caller.name or service.catalogue.may_see(caller, job.source_id)


def _visible(service: Service, caller: Caller) -> list[tuple[Source | None, Entry | None]]:
    found: list[tuple[Source | None, Entry | None]] = []
    seen = set()
    for source in service.engine.store.sources.all():
        seen.add(source.source_id)
        if service.catalogue.may_see(caller, source.source_id):
            found.append((source, service.catalogue.get(source.source_id)))
    for entry in list(service.catalogue.entries.values()):  # uploads that wait
        if entry.source_id not in seen and entry.is_upload and service.catalogue.may_see(caller, entry.source_id):
            found.append((None, entry))
    return found


def _opened(source: Source | None, entry: Entry | None) -> tuple[Any, int]:
    """The original, as long as it is the file that was indexed."""
    path = entry.path if entry is not None else source.path if source is not None else ""
    try:
        descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise ServiceError(410, "original_gone", "The file is no longer where it was indexed.") from None
    file = open(descriptor, "rb")  # noqa: SIM115 - closed by whoever reads it
    status = os.fstat(descriptor)
    same = source is None or (
        status.st_size == source.size and (stamp_of(status) == source.mtime_ns or _digest(file) == source.content_hash)
    )
    if not stat.S_ISREG(status.st_mode) or not same:
        file.close()
        raise ServiceError(410, "original_changed", "The file has changed since it was indexed.")
    file.seek(0)
    return file, status.st_size


def _digest(file: Any) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


async def _read(file: Any, size: int) -> Any:
    try:
        left = size
        while left > 0 and (chunk := await asyncio.to_thread(file.read, min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
    finally:
        file.close()


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _state(source: Source | None) -> str:
    return "queued" if source is None else source.state


def _folder(source: Source | None, entry: Entry | None) -> str:
    if entry is not None and entry.is_upload:
        return "uploads"
    return source.path.rpartition("/")[0] if source is not None else ""


def _searched(source: Source | None, entry: Entry | None) -> str:
    name = entry.name if entry is not None else ""
    path = source.path if source is not None and not (entry is not None and entry.is_upload) else ""
    title = source.title if source is not None else ""
    return f"{name}\n{path}\n{title}".casefold()


def _sort_key(pair: tuple[Source | None, Entry | None], by: str) -> Any:
    source, entry = pair
    name = (entry.name if entry is not None else source.path.rpartition("/")[2] if source else "").casefold()
    if by == "added":
        return (entry.added if entry is not None else 0.0, name)
    if by == "modified":
        return (source.mtime_ns if source is not None else 0, name)
    return (source.size if source is not None else 0, name) if by == "size" else name


def _facet(values: Any) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in Counter(filter(None, values)).most_common(100)]
