"""What the routes share: who asks, answers as JSON, and giving up when the client is gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from fastapi import Request, Response

from service.access.caller import Caller
from service.answering import Asked
from service.errors import ServiceError
from service.schemas import ErrorResponse
from service.service import Service

T = TypeVar("T")

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse, "description": what}
    for status, what in {
        400: "not readable",
        401: "no key, or a wrong one",
        403: "the key lacks a scope",
        404: "not there, or not for this caller",
        408: "the request came too slowly",
        413: "too large",
        422: "a value is not allowed",
        429: "this key asks too much; Retry-After says when to come again",
        503: "busy or not available; Retry-After says when to come again",
        504: "not done in the time allowed",
    }.items()
}


def service_of(request: Request) -> Service:
    return request.state.service


def caller_of(request: Request) -> Caller:
    return request.state.caller


def asked(request: Request, door: str) -> Asked:
    """Who asks, by which door, until when: as the door of the server has found out."""
    return Asked(caller_of(request), request.state.request_id, request.state.deadline, door)


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, headers, media_type="application/json")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work unless the client goes away meanwhile: then it is cancelled, and so is what it had queued."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ServiceError(499, "client_gone", "The client went away.")
        if task.cancelled():  # by the watch over the engine
            raise ServiceError(503, "engine_hangs", "Nothing is answered at present.", retry_after=10)
        return task.result()
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
