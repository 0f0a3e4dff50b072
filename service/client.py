"""
A client of the service, synchronous and asynchronous, over httpx.

```python
from service.client import Client
with Client("http://127.0.0.1:8000", key="exk_...") as excerpt:
    excerpt.upload("contract.pdf", allow=["group:law"])
    print(excerpt.ask("Who signed the contract?")["answers"][0]["answer"])
```
"""

import asyncio
import json
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar

import httpx

T = TypeVar("T")
Json = dict[str, Any]
DONE = ("searchable", "refused", "failed", "deleted")


class Result(TypedDict):
    """docs/json.md tells the fields of an answer."""

    question: str
    answers: list[Json]
    no_answer_probability: float | None
    abstained: bool
    degraded: str | None


class Job(TypedDict):
    id: str
    document: str
    state: str
    reason: str | None


class ExcerptError(Exception):
    """What the service says went wrong; `retry_after` (seconds) where asking again later makes sense, else None."""

    def __init__(self, status: int, code: str, message: str, retry_after: str | None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.retry_after = float(retry_after) if retry_after else None


class _Call(NamedTuple):
    method: str  # none: there is nothing to send, only to wait
    path: str = ""
    options: Json = {}  # noqa: RUF012 - never changed
    wait: float = 0.0


# What has to be sent, in order, and what comes of it: the same for both clients, which only differ in how they wait.
Steps = Generator[_Call, httpx.Response, T]


def _one(method: str, path: str, **options: Any) -> Steps[Any]:
    return (yield _Call(method, path, options)).json()


def _ask(asked: Json, options: Json) -> Steps[Any]:
    found = yield from _one("POST", "/ask", json={**asked, **options})
    return found["results"] if "questions" in asked else found


def _job(call: _Call, wait: float) -> Steps[Job]:
    """Send a change of a document and, for `wait` seconds, follow its job to the end."""
    job: Job = (yield call).json()["jobs"][0]
    end, pause = time.monotonic() + wait, 0.05
    while job["state"] not in DONE and time.monotonic() < end:
        yield _Call("", wait=pause)
        pause = min(1.0, 1.5 * pause)
        job = (yield _Call("GET", f"/jobs/{job['id']}")).json()
    return job


def _upload(file: str | Path, meta: Json | None, allow: Sequence[str] | None, wait: float, document: str) -> Steps[Job]:
    fields = {"meta": meta, "allow": None if allow is None else list(allow)}
    data = {name: json.dumps(value) for name, value in fields.items() if value is not None}
    options = {"files": {"files": (Path(file).name, Path(file).read_bytes())}, "data": data}
    return _job(_Call("PUT" if document else "POST", f"/documents/{document}".rstrip("/"), options), wait)


def _checked(reply: httpx.Response) -> httpx.Response:
    if reply.is_success:
        return reply
    is_ours = reply.headers.get("content-type", "").startswith("application/json")
    error = reply.json()["error"] if is_ours else {"code": "unknown", "message": reply.reason_phrase}
    raise ExcerptError(reply.status_code, error["code"], error["message"], reply.headers.get("retry-after"))


def _options(address: str, key: str | None, timeout: float) -> Json:
    headers = {"X-Request-Timeout": f"{timeout:g}"} | ({"Authorization": f"Bearer {key}"} if key else {})
    return {"base_url": address, "headers": headers, "timeout": timeout + 5}


class Client:
    """Synchronous. `timeout`: seconds a request may take. Raises `ExcerptError`, or httpx's error without a reply."""

    def __init__(self, address: str, key: str | None = None, timeout: float = 30.0) -> None:
        self._http = httpx.Client(**_options(address, key, timeout))

    def ask(self, question: str, **options: Any) -> Result:
        """Options: top_k, filters, score_threshold, passages."""
        return self._run(_ask({"question": question}, options))

    def ask_many(self, questions: Sequence[str], **options: Any) -> list[Result]:
        return self._run(_ask({"questions": list(questions)}, options))

    def search(self, query: str, **options: Any) -> Json:
        """Options: filters, offset, limit, facets."""
        return self._run(_one("POST", "/search", json={"query": query, **options}))

    def documents(self, **options: Any) -> Json:
        """Options: offset, limit, name, state, mime_type, folder, sort, descending."""
        return self._run(_one("GET", "/documents", params=options))

    def upload(
        self, file: str | Path, *, meta: Json | None = None, allow: Sequence[str] | None = None,
        replace: str = "", wait: float = 60,
    ) -> Job:  # fmt: skip
        """Add a file, or put it in place of the document `replace`; follow the job for `wait` seconds."""
        return self._run(_upload(file, meta, allow, wait, replace))

    def delete(self, document: str, *, wait: float = 60) -> Job:
        return self._run(_job(_Call("DELETE", f"/documents/{document}"), wait))

    def feedback(self, question: str, verdict: Literal["right", "right_passage", "wrong"], **more: Any) -> Json:
        """More: document, start, end, answer, correct, not_in_documents, comment, request_id."""
        return self._run(_one("POST", "/feedback", json={"question": question, "verdict": verdict, **more}))

    def _run(self, steps: Steps[T]) -> T:
        reply: Any = None
        while True:
            try:
                call = steps.send(reply)
            except StopIteration as end:
                return end.value
            time.sleep(call.wait)
            reply = _checked(self._http.request(call.method, call.path, **call.options)) if call.method else None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


class AsyncClient:
    """Asynchronous: what `Client` does, to be awaited."""

    def __init__(self, address: str, key: str | None = None, timeout: float = 30.0) -> None:
        self._http = httpx.AsyncClient(**_options(address, key, timeout))

    async def ask(self, question: str, **options: Any) -> Result:
        return await self._run(_ask({"question": question}, options))

    async def ask_many(self, questions: Sequence[str], **options: Any) -> list[Result]:
        return await self._run(_ask({"questions": list(questions)}, options))

    async def search(self, query: str, **options: Any) -> Json:
        return await self._run(_one("POST", "/search", json={"query": query, **options}))

    async def documents(self, **options: Any) -> Json:
        return await self._run(_one("GET", "/documents", params=options))

    async def upload(
        self, file: str | Path, *, meta: Json | None = None, allow: Sequence[str] | None = None,
        replace: str = "", wait: float = 60,
    ) -> Job:  # fmt: skip
        return await self._run(_upload(file, meta, allow, wait, replace))

    async def delete(self, document: str, *, wait: float = 60) -> Job:
        return await self._run(_job(_Call("DELETE", f"/documents/{document}"), wait))

    async def feedback(self, question: str, verdict: str, **more: Any) -> Json:
        return await self._run(_one("POST", "/feedback", json={"question": question, "verdict": verdict, **more}))

    async def _run(self, steps: Steps[T]) -> T:
        reply: Any = None
        while True:
            try:
                call = steps.send(reply)
            except StopIteration as end:
                return end.value
            await asyncio.sleep(call.wait)
            reply = _checked(await self._http.request(call.method, call.path, **call.options)) if call.method else None

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
