"""POST /ask and POST /search."""

import time

from fastapi import APIRouter, Request, Response

from service.answering import answer_questions, search_passages
from service.routes.common import ERRORS, asked, json_response, service_of, while_connected
from service.schemas import AskRequest, AskResponse, ManyResponse, SearchRequest, SearchResponse
from service.spelling import did_you_mean

router = APIRouter(tags=["questions"])


@router.post("/ask", responses={200: {"model": AskResponse | ManyResponse}, **ERRORS})
async def ask(body: AskRequest, request: Request) -> Response:
    """
    Answers with the exact words of the documents the caller may see, where they stand, and how probable they are.

    With `questions` the results come in their order under `results`.
    """
    begin = time.perf_counter()
    questions = body.questions if body.question is None else [body.question]
    results, timings = await while_connected(
        request,
        answer_questions(
            service_of(request),
            asked(request, "ask"),
            questions or [],
            top_k=body.top_k,
            filters=body.filters,
            score_threshold=body.score_threshold,
            passages=body.passages,
        ),
    )
    timings["total"] = round(1000 * (time.perf_counter() - begin), 2)
    shared = {"request_id": request.state.request_id, "timings": timings}
    return json_response({**results[0], **shared} if body.question is not None else {"results": results, **shared})


@router.post("/search", responses={200: {"model": SearchResponse}, **ERRORS})
async def search(body: SearchRequest, request: Request) -> Response:
    """The passages that fit, best first, without reading them: highlights, counts over the results, paging."""
    begin = time.perf_counter()
    service = service_of(request)
    asking = asked(request, "search")
    found = await while_connected(
        request,
        search_passages(
            service, asking, body.query, filters=body.filters, offset=body.offset, limit=body.limit, facets=body.facets
        ),
    )
    found["did_you_mean"] = await did_you_mean(service, asking.caller, body.query)
    found["request_id"] = request.state.request_id
    found["timings"]["total"] = round(1000 * (time.perf_counter() - begin), 2)
    return json_response(found)
