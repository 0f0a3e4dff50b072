"""MCP: the tools `ask`, `search` and `get_document` for assistants, with the permissions of the key they bring."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings

from service.answering import Asked, answer_questions, search_passages
from service.documents.find import find_document
from service.documents.views import document_view
from service.errors import explain, not_found
from service.service import Service

T = TypeVar("T")
MAX_TEXT = 100_000
log = logging.getLogger("excerpt.mcp")


def create_mcp() -> FastMCP[None]:
    """The tools. Hosts are checked at the door; nothing is kept between requests, so any request may come first."""
    mcp: FastMCP[None] = FastMCP(
        "excerpt",
        instructions="Answers questions with the exact words of the user's documents, and says where they stand.",
        stateless_http=True,
        json_response=True,
        streamable_http_path="/",
        log_level="CRITICAL",
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    for name in ("mcp", "mcp.server.lowlevel.server"):  # their warnings quote requests
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    @mcp.tool()
    async def ask(
        question: str, ctx: Context[Any, Any, Any], top_k: int = 3, filters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """
        Answer a question with the exact words of the documents, with their probability and place.

        `abstained` true means that the documents do not seem to hold the answer.
        """
        service, asked = _asked(ctx)

        async def work() -> dict[str, Any]:
            results, _ = await answer_questions(service, asked, [question], top_k=max(1, top_k), filters=filters)
            return results[0]

        return await _told(work)

    @mcp.tool()
    async def search(
        query: str, ctx: Context[Any, Any, Any], limit: int = 10, filters: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Find the passages of the documents that fit a query by words and by meaning, best first."""
        service, asked = _asked(ctx)
        return await _told(lambda: search_passages(service, asked, query, limit=max(1, limit), filters=filters))

    @mcp.tool()
    async def get_document(
        document: str, ctx: Context[Any, Any, Any], offset: int = 0, limit: int = 20_000
    ) -> dict[str, Any]:
        """Read a document's text by its id (`source_id` of an answer), from a character on."""
        service, asked = _asked(ctx)

        async def work() -> dict[str, Any]:
            source, entry = find_document(service, asked.caller, document)
            if source is None or source.text is None:
                raise not_found("document")
            service.audit.record(asked.caller, "text", asked.request_id, documents=[document])
            text = source.text[max(0, offset) :][: min(max(0, limit), MAX_TEXT)]
            view = document_view(service, asked.caller, source, entry)
            return {"document": view, "text": text, "offset": offset, "total": len(source.text)}

        return await _told(work)

    return mcp


def _asked(ctx: Context[Any, Any, Any]) -> tuple[Service, Asked]:
    request = ctx.request_context.request
    assert request is not None  # noqa: S101 - there is no way in but HTTP
    state = request.state
    return state.service, Asked(state.caller, state.request_id, state.deadline, "mcp")


async def _told(work: Callable[[], Awaitable[T]]) -> T:
    """Failures in our words: those of the inside may quote questions."""
    try:
        return await work()
    except Exception as error:
        told = explain(error)
        if told.status == 500:
            log.error("a tool failed with %s", type(error).__name__)
        raise ToolError(told.message) from None
