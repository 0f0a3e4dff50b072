"""POST /feedback, its undoing, and its export as a SQuAD file that `excerpt train`, `calibrate` and `eval` take."""

import asyncio
import json
import secrets
import time
from typing import Any

from fastapi import APIRouter, Request, Response

from service.documents.labels import squad_of
from service.errors import ServiceError, not_found
from service.routes.common import ERRORS, asked, caller_of, json_response, service_of
from service.schemas import FeedbackRequest
from service.service import Service

router = APIRouter(tags=["feedback"])


@router.post("/feedback", status_code=201, responses={201: {"model": dict[str, str]}, **ERRORS})
async def give_feedback(body: FeedbackRequest, request: Request) -> Response:
    """
    Keeps what somebody thinks of an answer: `right`, `right_passage` (but wrong words), `wrong`; and the right words.

    Places are checked against the document's text: what does not stand there is refused.
    """
    service, caller = service_of(request), caller_of(request)
    kept = await asyncio.to_thread(_checked, service, caller, body)
    feedback_id = secrets.token_hex(12)
    await asyncio.to_thread(_store, service, feedback_id, caller.name, body, kept)
    service.metrics.feedback.labels(body.verdict).inc()
    asking = asked(request, "feedback")
    service.audit.record(
        caller,
        "feedback",
        asking.request_id,
        documents=[body.document] if body.document else [],
        question=body.question,
        verdict=body.verdict,
    )
    return json_response({"id": feedback_id}, 201)


@router.delete("/feedback/{feedback_id}", responses={200: {"model": dict[str, str]}, **ERRORS})
async def take_back(feedback_id: str, request: Request) -> Response:
    """Takes feedback back: one's own, or with the scope admin anybody's."""
    service, caller = service_of(request), caller_of(request)

    def remove() -> int:
        with service.database.writing() as connection:
            return connection.execute(
                "DELETE FROM feedback WHERE id = ? AND (caller = ? OR ?)",
                (feedback_id, caller.name, caller.may("admin")),
            ).rowcount

    if not await asyncio.to_thread(remove):
        raise not_found("feedback")
    return json_response({"id": feedback_id})


@router.get("/feedback/export", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def export(request: Request) -> Response:
    """
    All feedback that tells a right answer, or that there is none, as SQuAD 2.0.

    The header X-Skipped counts what it cannot tell: only a verdict, or a document that has changed since.
    """
    service = service_of(request)
    squad, skipped = await asyncio.to_thread(squad_of, service, caller_of(request))
    service.audit.record(caller_of(request), "export", request.state.request_id, count=len(squad["data"]))
    return json_response(squad, headers={"X-Skipped": str(skipped)})


def _checked(service: Service, caller: Any, body: FeedbackRequest) -> dict[str, Any]:
    """
    The feedback as it is kept, with the words that stand at its places.

    :raises ServiceError: 404 for a document the caller may not see, 422 for places outside the text or other words.
    """
    kept = body.model_dump(exclude={"correct", "verdict"})
    if body.document is not None:
        text = _text(service, caller, body.document)
        if (body.start is None) != (body.end is None):
            raise ServiceError(422, "invalid_place", "Give `start` and `end` together.")
        if body.start is not None and body.end is not None:
            kept["words"] = _words(text, body.start, body.end, body.answer)
    if body.correct is not None:
        if body.not_in_documents:
            raise ServiceError(422, "contradiction", "Either there are right words, or the documents do not hold them.")
        text = _text(service, caller, body.correct.document)
        words = _words(text, body.correct.start, body.correct.end, body.correct.text)
        kept["correct"] = {**body.correct.model_dump(exclude={"text"}), "words": words}
    return kept


def _text(service: Service, caller: Any, document: str) -> str:
    source = service.engine.store.sources.get(document) if service.catalogue.may_see(caller, document) else None
    if source is None or source.text is None:
        raise not_found("document")
    return str(source.text)


def _words(text: str, start: int, end: int, given: str | None) -> str:
    words = text[start:end]
    if not 0 <= start < end <= len(text) or not words.strip():
        raise ServiceError(422, "invalid_place", f"`start` and `end`: the text has {len(text):,} characters.")
    if given is not None and given != words:
        raise ServiceError(422, "invalid_place", "Other words than the given ones stand at that place.")
    return words


def _store(service: Service, feedback_id: str, caller: str, body: FeedbackRequest, kept: dict[str, Any]) -> None:
    source_id = body.correct.document if body.correct else body.document
    with service.database.writing() as connection:
        connection.execute(
            "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)",
            (feedback_id, time.time(), caller, source_id, body.verdict, json.dumps(kept, ensure_ascii=False)),
        )
