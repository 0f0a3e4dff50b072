"""Health, metrics, the search page's files, who am I, suggestions, and the description of all this."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from service.describe import describe
from service.errors import not_found
from service.load.routes import PAGE, is_page_file
from service.routes.common import ERRORS, caller_of, json_response, service_of
from service.spelling import suggestions

router = APIRouter()


@router.get("/health/live", tags=["operation"], responses={200: {"model": dict[str, bool]}})
async def live(request: Request) -> Response:
    """The process runs and its event loop turns."""
    return json_response({"live": True})


@router.get("/health/ready", tags=["operation"], responses={200: {"model": dict[str, bool]}})
async def ready(request: Request) -> Response:
    """A canary question went through the queue within the last seconds, and the server is not about to end."""
    service = service_of(request)
    return json_response({"ready": service.ready}, 200 if service.ready else 503)


@router.get("/metrics", tags=["operation"], response_class=Response, responses=ERRORS)
async def metrics(request: Request) -> Response:
    """In Prometheus' text format."""
    return Response(service_of(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/me", tags=["operation"], responses={200: {"model": dict[str, object]}, **ERRORS})
async def me(request: Request) -> Response:
    """Who the key says one is, and what it allows: for the search page."""
    caller, settings = caller_of(request), service_of(request).settings
    return json_response(
        {
            "name": caller.name,
            "scopes": sorted(scope for scope in ("ask", "upload", "admin", "metrics") if caller.may(scope)),
            "principals": sorted(caller.principals),
            "needs_key": service_of(request).needs_key,
            "limits": {
                "max_question_characters": settings.max_question_characters,
                "max_top_k": settings.max_top_k,
                "max_upload_mb": settings.max_upload_mb,
                "max_upload_files": settings.max_upload_files,
            },
        }
    )


@router.get("/suggestions", tags=["questions"], responses={200: {"model": dict[str, object]}, **ERRORS})
async def suggest(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=200, description="what was typed so far")],
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> Response:
    """Titles and headings of documents the caller may see that begin like this, and the query corrected."""
    service, caller = service_of(request), caller_of(request)
    found, corrected = await suggestions(service, caller, q, limit)
    return json_response({"suggestions": found, "did_you_mean": corrected})


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """All of this, for programs."""
    return json_response(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """All of this, for people: without scripts, and without anything from elsewhere."""
    return Response(describe(request.app.openapi()), media_type="text/html; charset=utf-8")


page_router = APIRouter()


@page_router.get("/{path:path}", include_in_schema=False)
async def page(path: str, request: Request) -> Response:
    """The files of the search page."""
    if not is_page_file(f"/{path}"):
        raise not_found("address")
    file = PAGE / (path or "index.html")
    return FileResponse(file, headers={"Cache-Control": "no-cache"})
