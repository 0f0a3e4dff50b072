"""The application: Hayhooks in durable mode, our routes before its own, and the door around both."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from mcp.server.fastmcp import FastMCP
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from service.errors import error_body
from service.load.canary import Canary
from service.load.door import Door
from service.routes import admin, ask, chat, documents, feedback, health, upload
from service.routes.common import json_response
from service.routes.mcp import create_mcp
from service.service import Service, building

THREADS = 16  # for what blocks: files, SQLite, stores
_ROUTERS = (admin.router, ask.router, documents.router, upload.router, feedback.router, chat.router, health.router)
_WRAPPERS = Path(__file__).resolve().parent / "hayhooks"


def create_service_app(service: Service) -> Door:
    """
    The ASGI application. Its lifespan warms nothing: `service.engine.warm_up` is called before the port opens.
    """
    with building(service):
        app = _hayhooks_app()
    app.user_middleware.clear()  # request ids are the door's, and no other origin may read answers
    own = FastAPI(openapi_url=None)
    for router in _ROUTERS:
        own.include_router(router)
    app.openapi_url = app.docs_url = app.redoc_url = None
    for router in (*_ROUTERS, health.page_router):
        app.include_router(router)
    ours = app.router.routes[-len(_ROUTERS) - 1 :]
    del app.router.routes[-len(_ROUTERS) - 1 :]
    app.router.routes[:0] = ours
    mcp = create_mcp()
    app.router.routes.insert(0, Mount("/mcp", mcp.streamable_http_app()))
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.router.lifespan_context = _lifespan(service, mcp, app.router.lifespan_context)
    app.openapi = lambda: _described(own)  # type: ignore[method-assign]
    app.state.service = service
    return Door(app, service)


def _hayhooks_app() -> FastAPI:
    """Hayhooks' application with its settings made here, not by variables of the environment."""
    from hayhooks.settings import settings as hayhooks
    from loguru import logger

    logger.disable("hayhooks")  # it logs the questions of every run
    for name, value in {
        "durable_mode": True,
        "pipelines_dir": str(_WRAPPERS),
        "cors_allow_origins": [],
        "tracing_enabled": False,
        "tracing_include_haystack_spans": False,
        "monitoring_enabled": False,
        "show_tracebacks": False,
        "intercepted_loggers": [],
    }.items():
        setattr(hayhooks, name, value)
    from hayhooks import create_app

    return create_app()


def _lifespan(service: Service, mcp: FastMCP[None], inner: Any) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="service"))
        async with inner(app), mcp.session_manager.run():
            await asyncio.to_thread(service.catalogue.synchronise)
            service.indexer.start()
            service.indexer.wake()
            canary = Canary(service)
            await canary.start()
            try:
                yield
            finally:
                await canary.close()
                await asyncio.to_thread(service.close)

    return lifespan


async def _told(request: Request, error: Exception) -> Response:
    """Errors of the framework in our form. What it says of 4xx is its own words, never the request's."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    codes = {400: "not_readable", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    words = {
        400: "The request cannot be read.",
        404: "There is no such address.",
        405: "This address does not take that method.",
        413: "The request is too large.",
    }
    status = error.status_code
    body = error_body(
        status, codes.get(status, "refused"), words.get(status, "The request was refused."), request.state.request_id
    )
    return json_response(body, status, dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    """Where a value is wrong, and what is allowed there; the value itself is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    problems = [
        f"`{'.'.join(str(part) for part in one['loc'] if part != 'body') or 'body'}`: {one['msg']}"
        for one in error.errors()[:5]
    ]
    body = error_body(422, "invalid_request", "; ".join(problems)[:1000], request.state.request_id)
    return json_response(body, 422)


def _described(own: FastAPI) -> dict[str, Any]:
    """OpenAPI of our routes alone, with the ways to send a key."""
    if own.openapi_schema is None:
        schema = get_openapi(
            title="Excerpt",
            version="1",
            description="Answers with the exact words of your documents. docs/service.md tells more.",
            routes=own.routes,
        )
        schema.setdefault("components", {})["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        schema["security"] = [{"bearer": []}, {"key": []}]
        own.openapi_schema = schema
    return own.openapi_schema
