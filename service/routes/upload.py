"""POST and PUT of documents, DELETE, and who may see them: 202 and a job, once it is on disk."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from indexing.sources import source_id_of
from service.access.caller import Caller
from service.access.permissions import EVERYONE, FIELD, InvalidAllow, listed, written
from service.documents.catalogue import Entry
from service.documents.jobs import Job
from service.documents.originals import disk_error, shown_name
from service.documents.views import job_view
from service.errors import ServiceError, not_found
from service.routes.common import ERRORS, asked, caller_of, json_response, service_of
from service.schemas import AllowRequest, JobView

router = APIRouter(tags=["documents"])

_MAX_META = 65_536
# What the index itself says of a passage; a client's metadata must not pretend to be it.
_RESERVED = {
    *(FIELD, "source_id", "source_version", "file_path", "file_name", "mime_type", "content_hash", "fingerprint"),
    *("size", "mtime_ns", "heading_places", "page_starts", "page_number", "notes", "split_id", "split_idx_start"),
    *("headings", "title"),
}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "meta": {"type": "string", "description": "a JSON object: metadata of all files"},
                        "allow": {"type": "string", "description": "a JSON list: everyone, user:NAME, group:NAME"},
                    },
                }
            }
        },
    }
}
_JOBS = {202: {"model": dict[str, list[JobView]], "description": "kept, and waiting to be indexed"}, **ERRORS}


@router.post("/documents", status_code=202, responses=_JOBS, openapi_extra=_FORM)
async def upload(request: Request) -> Response:
    """
    Takes files. When this answers they are on disk and will be indexed, whatever happens to the process.

    Each file gets a job; its `state` goes from `queued` to `searchable`, or `refused` with the reason.
    """
    service, caller = service_of(request), caller_of(request)
    form = await _form(request)
    try:
        files = _files(form)
        service.jobs.require_room(len(files))
        meta, allow = _meta(form), _allow(form, caller)
        jobs = []
        for file in files:
            name = shown_name(file.filename)
            target = service.originals.new_path(name)
            size = await service.originals.write(target, _chunks(file))
            entry = Entry(
                source_id_of(str(target)), str(target), name, allow, allow, meta, True, caller.name, time.time()
            )
            jobs.append(await asyncio.to_thread(service.jobs.add, "add", entry, size, caller.name))
    finally:
        await form.close()
    return _accepted(request, jobs, "upload")


@router.put("/documents/{document_id}", status_code=202, responses=_JOBS, openapi_extra=_FORM)
async def replace(document_id: str, request: Request) -> Response:
    """Takes a new version of an uploaded document; the old one is answered from until the new one is searchable."""
    service, caller = service_of(request), caller_of(request)
    entry = _manageable(request, document_id)
    if not entry.is_upload:
        raise ServiceError(409, "not_an_upload", "This document was indexed from a folder: change the file there.")
    form = await _form(request)
    try:
        files = _files(form)
        if len(files) != 1:
            raise ServiceError(422, "one_file", "Give one file: a document is replaced by one document.")
        service.jobs.require_room()
        meta = _meta(form) if "meta" in form else entry.meta
        allow = _allow(form, caller) if "allow" in form else entry.allow
        spool = service.originals.new_path("spool")
        size = await service.originals.write(spool, _chunks(files[0]))
        renewed = Entry(
            **{
                **vars(entry),
                "name": shown_name(files[0].filename),
                "meta": meta,
                "allow": allow,
                "own_allow": allow,
                "uploaded_by": caller.name,
            }
        )
        job = await asyncio.to_thread(service.jobs.add, "replace", renewed, size, caller.name, str(spool))
    finally:
        await form.close()
    return _accepted(request, [job], "replace")


@router.delete("/documents/{document_id}", status_code=202, responses=_JOBS)
async def delete(document_id: str, request: Request) -> Response:
    """
    Takes a document away: from now on nobody sees it; its passages and its original follow as soon as may be.

    A document that was indexed from a folder comes back with the next `excerpt index` of that folder.
    """
    service, caller = service_of(request), caller_of(request)
    entry = _manageable(request, document_id)
    hidden = Entry(**{**vars(entry), "hidden": True})
    job = await asyncio.to_thread(service.jobs.add, "delete", hidden, 0, caller.name)
    return _accepted(request, [job], "delete")


@router.put("/documents/{document_id}/allow", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def set_allow(document_id: str, body: AllowRequest, request: Request) -> Response:
    """Sets who may see a document. It holds for the next question."""
    service, caller = service_of(request), caller_of(request)
    entry = _manageable(request, document_id)
    try:
        entry = await asyncio.to_thread(service.catalogue.allow, entry.source_id, body.allow)
    except InvalidAllow as error:
        raise ServiceError(422, "invalid_allow", str(error)) from None
    asking = asked(request, "allow")
    service.audit.record(caller, "allow", asking.request_id, documents=[entry.source_id], allow=listed(entry.allow))
    return json_response({"id": entry.source_id, "allow": listed(entry.allow)})


def _manageable(request: Request, document_id: str) -> Entry:
    """The document, when the caller may see it: what one cannot see one cannot change."""
    service, caller = service_of(request), caller_of(request)
    entry = service.catalogue.get(document_id)
    if entry is None:
        source = service.engine.store.sources.get(document_id)
        if source is None or not service.catalogue.may_see(caller, document_id):
            raise not_found("document")
        return service.catalogue.learn(source)
    if not service.catalogue.may_see(caller, document_id):
        raise not_found("document")
    return entry


def _accepted(request: Request, jobs: list[Job], did: str) -> Response:
    service = service_of(request)
    service.indexer.wake()
    request_id = request.state.request_id
    service.audit.record(caller_of(request), did, request_id, documents=[job.source_id for job in jobs])
    return json_response({"jobs": [job_view(job) for job in jobs]}, 202, {"Location": f"/jobs/{jobs[0].id}"})


async def _form(request: Request) -> FormData:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ServiceError(422, "not_multipart", "Send the files as multipart/form-data, in fields named `files`.")
    most = service_of(request).settings.max_upload_files
    try:
        return await request.form(max_files=most, max_fields=10, max_part_size=_MAX_META)
    except OSError as error:
        raise disk_error(error) from error


def _files(form: FormData) -> list[UploadFile]:
    unknown = sorted(set(form) - {"files", "file", "meta", "allow"})
    if unknown:
        raise ServiceError(422, "unknown_field", "Only `files`, `meta` and `allow` are fields of an upload.")
    files = [one for name in ("files", "file") for one in form.getlist(name)]
    found = [one for one in files if isinstance(one, UploadFile)]
    if not found or len(found) != len(files):
        raise ServiceError(422, "no_file", "Give at least one file in a field named `files`.")
    return found


def _meta(form: FormData) -> str:
    """Metadata of the upload as JSON: names to texts, numbers, truth values."""
    given = form.get("meta")
    if given is None or given == "":
        return "{}"
    try:
        meta = json.loads(str(given))
        text = json.dumps(meta, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        raise ServiceError(422, "invalid_meta", "`meta` must be a JSON object.") from None
    if not isinstance(meta, dict) or not all(isinstance(value, str | int | float | bool) for value in meta.values()):
        raise ServiceError(422, "invalid_meta", "`meta` must map names to texts, numbers, true or false.")
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in meta.values()):
        raise ServiceError(422, "invalid_meta", "`meta`: whole numbers have at most 63 bits.")
    if reserved := sorted(set(meta) & _RESERVED):
        raise ServiceError(422, "invalid_meta", f"`meta`: {', '.join(reserved)} is what the index itself says.")
    if not all(name.isidentifier() and len(name) <= 64 for name in meta):
        raise ServiceError(422, "invalid_meta", "`meta`: names are letters, digits and _, at most 64.")
    return text


def _allow(form: FormData, caller: Caller) -> str:
    """Who may see the upload: as given; else the uploader, where the key says who that is; else everyone."""
    given = form.get("allow")
    if given is None or given == "":
        user = [one for one in caller.principals if one.startswith("user:")]
        return written(user or sorted(caller.principals) or [EVERYONE])
    try:
        principals = json.loads(str(given))
        if not isinstance(principals, list) or not all(isinstance(one, str) for one in principals):
            raise ValueError
        return written(principals)
    except InvalidAllow as error:
        raise ServiceError(422, "invalid_allow", str(error)) from None
    except (ValueError, RecursionError):
        raise ServiceError(422, "invalid_allow", '`allow` must be a JSON list such as ["group:hr"].') from None


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(1 << 20):
        yield chunk
