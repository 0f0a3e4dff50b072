"""The one way to an answer: every door (HTTP, chat, MCP, Hayhooks) calls `answer_questions` or `search_passages`."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from haystack import Document, ExtractedAnswer

from components.stores.filters import Comparison, Condition, InvalidFilter, normalise, to_haystack
from pipelines.answers import answers_json
from service.access.caller import Caller
from service.access.permissions import FIELD, merged
from service.engine import Answered
from service.errors import ServiceError, explain
from service.highlight import highlights
from service.links import links
from service.service import Service

_HIDDEN_META = {FIELD, "heading_places", "page_starts", "notes", "fingerprint", "content_hash", "mtime_ns"}


@dataclass(frozen=True)
class Asked:
    """
    Who asks, by which door, and until when.

    :param deadline: on the monotonic clock.
    :param door: for metrics: "ask", "chat", "mcp", "hayhooks".
    """

    caller: Caller
    request_id: str
    deadline: float
    door: str = "ask"


async def answer_questions(
    service: Service,
    asked: Asked,
    questions: Sequence[str],
    *,
    top_k: int | None = None,
    filters: dict[str, Any] | None = None,
    score_threshold: float | None = None,
    passages: bool = False,
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """
    Answer questions from what the caller may see.

    :returns: one result a question as `Result` has it, and milliseconds by stage, of all questions together.
    :raises ServiceError: when the request is refused, or any of its questions fails.
    """
    settings = service.settings
    texts = [_checked_question(question, settings.max_question_characters) for question in questions]
    if len(texts) > settings.max_questions:
        raise ServiceError(422, "too_many_questions", f"At most {settings.max_questions} questions in one request.")
    _check_top_k(top_k, settings.max_top_k)
    allowed = merged(service.catalogue.filter_for(asked.caller), checked_filters(filters))
    service.rates.take(asked.caller, len(texts))
    cost = max(1, round(service.token_cost * len(texts)))
    async with service.gate.admit(asked.caller, cost, asked.deadline) as waited:
        few, reason = _reduced(service, asked.deadline)
        async with asyncio.timeout(max(0.0, asked.deadline - time.monotonic())):
            answered = await _all_of(
                [
                    service.engine.answer(
                        text, filters=allowed, top_k=top_k, deadline=asked.deadline, documents=passages, passages=few
                    )
                    for text in texts
                ]
            )
    results = [
        _result(service, asked, text, one, score_threshold, reason) for text, one in zip(texts, answered, strict=True)
    ]
    seconds: Counter[str] = Counter({"waiting": waited})
    for one in answered:
        seconds.update(one.seconds)
    for stage, value in seconds.items():
        service.metrics.stages.labels(stage).observe(value)
    return results, {stage: round(1000 * value, 2) for stage, value in seconds.items()}


async def search_passages(
    service: Service,
    asked: Asked,
    query: str,
    *,
    filters: dict[str, Any] | None = None,
    offset: int = 0,
    limit: int = 10,
    facets: Sequence[str] = (),
) -> dict[str, Any]:
    """
    The passages that fit a query, best first, without reading them: a page of results, and counts over all of them.

    :returns: `query`, `results`, `total`, `more`, `facets`, `timings`.
    :raises ServiceError: as `answer_questions`.
    """
    settings = service.settings
    text = _checked_question(query, settings.max_question_characters)
    if limit > settings.max_top_k:
        raise ServiceError(422, "out_of_bounds", f"`limit`: at most {settings.max_top_k} results a page.")
    if offset + limit > settings.max_search_depth:
        raise ServiceError(422, "out_of_bounds", f"Only the first {settings.max_search_depth} results can be had.")
    allowed = merged(service.catalogue.filter_for(asked.caller), checked_filters(filters))
    service.rates.take(asked.caller, 1)
    depth = min(settings.max_search_depth, max(100, offset + limit + 1)) if facets else offset + limit + 1
    async with service.gate.admit(asked.caller, max(1, round(service.token_cost / 20)), asked.deadline) as waited:
        async with asyncio.timeout(max(0.0, asked.deadline - time.monotonic())):
            found, seconds = await service.engine.search(text, filters=allowed, top_k=depth, deadline=asked.deadline)
    found = [document for document in found if _visible(service, asked.caller, document)]
    shown = found[offset : offset + limit]
    service.audit.record(asked.caller, "search", asked.request_id, documents=_sources(shown), question=text)
    for stage, value in {**seconds, "waiting": waited}.items():
        service.metrics.stages.labels(stage).observe(value)
    return {
        "query": text,
        "results": [passage_json(service, document, text) for document in shown],
        "total": len(found),
        "more": len(found) >= depth,
        "facets": {name: _counted(found, name) for name in facets},
        "timings": {stage: round(1000 * value, 2) for stage, value in seconds.items()},
    }


def checked_filters(filters: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    A caller's filter, when it is one.

    :raises ServiceError: 422, saying what is wrong with it, or that it asks for permissions.
    """
    try:
        condition = normalise(filters, "filters", allow_empty=False)
    except InvalidFilter as error:
        raise ServiceError(422, "invalid_filter", str(error)) from None
    if condition is None:
        return None
    if FIELD in _fields(condition):
        raise ServiceError(422, "invalid_filter", f"`{FIELD}` cannot be filtered by.")
    if not _is_text(str(condition)):
        raise ServiceError(422, "invalid_filter", "filters: a text holds half a surrogate pair.")
    return to_haystack(condition)


def passage_json(service: Service, document: Document, query: str) -> dict[str, Any]:
    """One passage as clients get it, with the words of the query in it as character ranges."""
    meta, content = document.meta, document.content or ""
    start = meta.get("split_idx_start")
    source_id, page = meta.get("source_id"), meta.get("page_number")
    at = (start, start + len(content)) if isinstance(start, int) else None
    return {
        "document_id": document.id,
        "source_id": source_id,
        "content": content,
        "score": document.score,
        "highlights": highlights(query, content, service.engine.retriever.language),
        "file": _shown_file(service, source_id, meta.get("file_path")),
        "title": meta.get("title"),
        "headings": meta.get("headings"),
        "page": page,
        "start_in_file": at[0] if at else None,
        "end_in_file": at[1] if at else None,
        "meta": {name: value for name, value in meta.items() if name not in _HIDDEN_META and name != "file_path"},
        "links": links(source_id, page, at),
    }


def _result(
    service: Service, asked: Asked, question: str, answered: Answered, threshold: float | None, degraded: str | None
) -> dict[str, Any]:
    answers = [
        answer
        for answer in answered.answers
        if answer.data is None
        or (_shows(service, asked.caller, answer) and (threshold is None or (answer.score or 0.0) >= threshold))
    ]
    result = answers_json(question, answers)
    found = [answer for answer in answers if answer.data is not None]
    for view, answer in zip(result["answers"], found, strict=True):
        _complete(service, view, answer)
    documents = [one for one in answered.documents or [] if _visible(service, asked.caller, one)]
    if answered.documents is not None:
        result["passages"] = [passage_json(service, document, question) for document in documents]
    result["degraded"] = degraded
    outcome = "abstained" if result["abstained"] else "answered"
    service.metrics.answers.labels(outcome, asked.door).inc()
    service.audit.record(
        asked.caller,
        asked.door,
        asked.request_id,
        documents=[*_sources(answer.document for answer in found if answer.document), *_sources(documents)],
        question=question,
        outcome=outcome,
    )
    return result


def _complete(service: Service, view: dict[str, Any], answer: ExtractedAnswer) -> None:
    """Add what only the service knows: links, and the name that an upload came under."""
    source_id = answer.document.meta.get("source_id") if answer.document else None
    at = (view["start_in_file"], view["end_in_file"])
    view["links"] = links(source_id, view["page"], at if None not in at else None)
    for place in (view, *view["places"]):
        place["file"] = _shown_file(service, place["source_id"], place["file"])


def _shown_file(service: Service, source_id: str | None, path: str | None) -> str | None:
    entry = service.catalogue.get(source_id) if source_id else None
    return entry.name if entry is not None and entry.is_upload else path


def _shows(service: Service, caller: Caller, answer: ExtractedAnswer) -> bool:
    return answer.document is None or _visible(service, caller, answer.document)


def _visible(service: Service, caller: Caller, document: Document) -> bool:
    """The filter has seen to it; this holds it against the newest permissions once more."""
    source_id = document.meta.get("source_id")
    return not isinstance(source_id, str) or service.catalogue.may_see(caller, source_id)


def _sources(documents: Any) -> list[str]:
    return [str(document.meta.get("source_id") or document.id) for document in documents]


def _counted(documents: Sequence[Document], name: str) -> list[dict[str, Any]]:
    """How often each value of a field comes, most frequent first; permissions are no facet."""
    name = name.removeprefix("meta.")
    if name in _HIDDEN_META:
        return []
    values = (document.meta.get(name) for document in documents)
    counts = Counter(value for value in values if isinstance(value, str | int | float | bool))
    return [{"value": value, "count": count} for value, count in counts.most_common(50)]


def _reduced(service: Service, deadline: float) -> tuple[int | None, str | None]:
    """Under load, when the operator wants that: fewer passages, and what is said of it."""
    few = service.settings.busy_passages
    if few and service.gate.waiting and service.gate.expected_wait() > 0.5 * (deadline - time.monotonic()):
        return few, f"busy: only the {few} best passages were read"
    return None, None


async def _all_of(questions: list[Any]) -> list[Answered]:
    """All at once; the first failure ends the others and is what the caller is told."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except BaseExceptionGroup as group_error:
        raise explain(group_error.exceptions[0]) from group_error.exceptions[0]
    return [task.result() for task in tasks]


def _checked_question(question: str, most: int) -> str:
    text = question.strip()
    if not text:
        raise ServiceError(422, "empty_question", "The question is empty.")
    if len(text) > most:
        raise ServiceError(
            422, "question_too_long", f"The question has {len(text):,} characters; {most:,} are allowed."
        )
    if not _is_text(text):
        raise ServiceError(422, "no_text", "The question holds half a surrogate pair, which is no text.")
    return text


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_top_k(top_k: int | None, most: int) -> None:
    if top_k is not None and top_k > most:
        raise ServiceError(422, "out_of_bounds", f"`top_k` is {top_k}; at most {most} is allowed.")


def _fields(condition: Condition) -> set[str]:
    """Names of the meta fields that a filter compares; nested ones by their first step."""
    if isinstance(condition, Comparison):
        return {condition.field.removeprefix("meta.").split(".")[0]}
    return set().union(*(_fields(one) for one in condition.conditions))
