"""OpenAI's protocol: POST /v1/chat/completions, plain and streamed, and GET /v1/models."""

import json
import math
import time
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from service.answering import answer_questions
from service.errors import ServiceError
from service.routes.common import ERRORS, asked, json_response, service_of, while_connected
from service.schemas import ChatRequest

router = APIRouter(tags=["chat"])
MODEL = "excerpt"
_STARTED = int(time.time())


@router.get("/v1/models", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def models(request: Request) -> Response:
    """The one model there is: the documents."""
    model = {"id": MODEL, "object": "model", "created": _STARTED, "owned_by": "excerpt"}
    return json_response({"object": "list", "data": [model]})


@router.post("/v1/chat/completions", responses={200: {"model": dict[str, Any]}, **ERRORS})
async def chat(body: ChatRequest, request: Request) -> Response:
    """
    Answers the last message of the user with the exact words of the documents, and cites where they stand.

    Settings of text generation (temperature and so on) are taken and mean nothing: nothing is generated. `excerpt` in
    the reply holds the whole result as `POST /ask` gives it.
    """
    if body.model not in (MODEL, f"{MODEL}:latest"):
        raise ServiceError(404, "model_not_found", f"There is no such model; there is `{MODEL}`.")
    question = _question(body)
    results, _ = await while_connected(
        request,
        answer_questions(
            service_of(request), asked(request, "chat"), [question], top_k=body.top_k, filters=body.filters
        ),
    )
    text, citations = written_answer(results[0], str(request.base_url).rstrip("/"))
    usage = _usage(question, text)
    head = {"id": f"chatcmpl-{request.state.request_id}", "created": int(time.time()), "model": MODEL}
    if body.stream:
        want_usage = bool((body.stream_options or {}).get("include_usage"))
        events = _events(head, text, citations, results[0], usage if want_usage else None)
        return StreamingResponse(_encoded(events), media_type="text/event-stream")
    message = {"role": "assistant", "content": text, "annotations": citations, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return json_response(
        {**head, "object": "chat.completion", "choices": [choice], "usage": usage, "excerpt": results[0]}
    )


def written_answer(result: dict[str, Any], base: str) -> tuple[str, list[dict[str, Any]]]:
    """A result as text with numbered citations, and the same citations as OpenAI's annotations."""
    answers = result["answers"]
    if result["abstained"]:
        lines = ["The documents do not seem to hold the answer."]
        if answers:
            lines.append("The nearest passages:")
    else:
        lines = [f"{answers[0]['answer']} [1]"]
    citations: list[dict[str, Any]] = []
    for number, answer in enumerate(answers, start=1):
        place = answer["file"] or answer["document_id"]
        page = f", page {answer['page']}" if answer["page"] is not None else ""
        context = " ".join(str(answer["context"]).split())
        line = f"[{number}] {place}{page} ({_percent(answer['probability'])}): {context}"
        begin = len("\n\n".join(lines)) + 2
        lines.append(line)
        links = answer["links"] or {}
        if url := links.get("page") or links.get("text"):
            span = {"start_index": begin, "end_index": begin + len(line), "title": str(place), "url": base + url}
            citations.append({"type": "url_citation", "url_citation": span})
    return "\n\n".join(lines), citations


def _question(body: ChatRequest) -> str:
    for message in reversed(body.messages):
        if message.role == "user":
            if isinstance(message.content, str):
                return message.content
            return " ".join(str(part.get("text", "")) for part in message.content or [] if part.get("type") == "text")
    raise ServiceError(422, "no_question", "There is no message of the user.")


def _events(
    head: dict[str, Any],
    text: str,
    citations: list[dict[str, Any]],
    result: dict[str, Any],
    usage: dict[str, int] | None,
) -> Iterator[dict[str, Any]]:
    """The chunks of a stream: the answer first, then each citation."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**head, "object": "chat.completion.chunk", "choices": [choice], **more}

    yield chunk({"role": "assistant", "content": ""})
    for number, line in enumerate(text.split("\n\n")):
        yield chunk({"content": line if number == 0 else f"\n\n{line}"})
    yield chunk({"annotations": citations}, "stop", excerpt=result)
    if usage is not None:
        yield {**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}


async def _encoded(events: Iterator[dict[str, Any]]) -> Any:
    for event in events:
        yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
    yield b"data: [DONE]\n\n"


def _usage(question: str, text: str) -> dict[str, int]:
    """Tokens as clients expect to be told them; estimated, as nothing is generated."""
    asked_for, given = math.ceil(len(question) / 4), math.ceil(len(text) / 4)
    return {"prompt_tokens": asked_for, "completion_tokens": given, "total_tokens": asked_for + given}


def _percent(probability: float) -> str:
    return f"{min(max(100 * probability, 0.1), 99.9):.0f} %"
