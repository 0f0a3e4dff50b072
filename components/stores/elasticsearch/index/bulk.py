"""
Writes many documents over several connections, each there in the end or reported with the reason; raises
ElasticsearchStoreError when the server does not come back.
"""

import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Literal

from components.stores.elasticsearch.client import smile
from components.stores.elasticsearch.client.connection import SMILE
from components.stores.elasticsearch.client.errors import (
    Refused,
    StoreUnavailable,
    TooLarge,
    explain_block,
    explain_refusal,
)
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.index.indices import IndexTarget

Operation = Literal["index", "create", "update", "delete"]
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_SHORTEST_ATTEMPT = 2.0
# A replica that is missing or a primary that is moving: the item may succeed a moment later.
_PASSING = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Action:
    """One document to write or delete; `source` is its SMILE, None for a deletion."""

    operation: Operation
    id: str
    source: bytes | None = None

    def lines(self) -> bytes:
        head = smile.encode({self.operation: {"_id": self.id}}) + smile.SEPARATOR
        return head if self.source is None else head + self.source + smile.SEPARATOR


@dataclass
class BulkResult:
    """
    :param done: Documents written, or deleted.
    :param conflicts: Ids that a `create` found there already.
    :param missing: Ids that a `delete` did not find.
    :param refused: What the server refused for good.
    :param uncertain: Ids of conflicts that may be our own: an earlier attempt got no reply.
    """

    done: int = 0
    conflicts: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    uncertain: set[str] = field(default_factory=set)

    def add(self, other: "BulkResult") -> None:
        self.done += other.done
        self.conflicts += other.conflicts
        self.missing += other.missing
        self.refused += other.refused
        self.uncertain |= other.uncertain


@dataclass
class _Chunk:
    """A request's worth of actions; `blind` once an attempt got no reply, so that it may have been carried out."""

    actions: list[Action]
    blind: bool = False


class BulkWriter:
    """
    Sends actions in requests of about `max_bytes` over `connections` connections.

    What passes (429, 503, a connection that broke, a time-out) is sent again, each item by itself, with growing random
    pauses, for `write_timeout` seconds without any progress. Ids make that safe: no document is ever there twice.

    :param requests: Sends one request.
    :param target: What is written to. An alias must be one still: otherwise Elasticsearch would make an index of that
        name.
    :param connections: Requests under way at the same time.
    :param max_bytes: Of one request; halved when the server calls it too large.
    :param write_timeout: Seconds to go on trying. One attempt may take a third of them: a reply that the network
        swallowed leaves time to ask again.
    """

    def __init__(
        self,
        requests: Requests,
        target: IndexTarget,
        *,
        connections: int,
        max_bytes: int,
        write_timeout: float,
    ) -> None:
        self.requests, self.target = requests, target
        self.connections, self.max_bytes = connections, max_bytes
        self.write_timeout, self.request_timeout = write_timeout, max(_SHORTEST_ATTEMPT, write_timeout / 3)
        self._progress = time.monotonic()
        self._lock = threading.Lock()

    def run(self, actions: Iterable[Action]) -> BulkResult:
        """
        Carry out all actions.

        :returns: What became of each of them.
        :raises ElasticsearchStoreError: When the server does not come back, or refuses everything; what was written
            until then stays written.
        """
        self._progress = time.monotonic()
        total = BulkResult()
        chunks = self._chunks(actions)
        first = next(chunks, None)
        if first is None:
            return total
        second = next(chunks, None)
        if second is None:  # one request: no threads needed
            return self._send(first)
        with ThreadPoolExecutor(self.connections, thread_name_prefix="elasticsearch-bulk") as pool:
            under_way: set[Future[BulkResult]] = {pool.submit(self._send, first), pool.submit(self._send, second)}
            try:
                for chunk in chunks:
                    while len(under_way) > self.connections:  # one more than is sent, so that none has to wait
                        under_way = self._collect(under_way, total)
                    under_way.add(pool.submit(self._send, chunk))
                while under_way:
                    under_way = self._collect(under_way, total)
            except BaseException:
                for future in under_way:
                    future.cancel()
                self._progress = float("-inf")  # those under way stop trying
                raise
        return total

    @staticmethod
    def _collect(under_way: set[Future[BulkResult]], total: BulkResult) -> set[Future[BulkResult]]:
        done, rest = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            total.add(future.result())
        return rest

    def _chunks(self, actions: Iterable[Action]) -> Iterator[_Chunk]:
        chunk: list[Action] = []
        size = 0
        for action in actions:
            length = len(action.source or b"") + 64
            if chunk and size + length > self.max_bytes:
                yield _Chunk(chunk)
                chunk, size = [], 0
            chunk.append(action)
            size += length
        if chunk:
            yield _Chunk(chunk)

    def _send(self, chunk: _Chunk) -> BulkResult:
        result = BulkResult()
        pause = _FIRST_PAUSE
        while chunk.actions:
            try:
                reply = self._request(chunk.actions)
                left, reason = self._sort(chunk, reply, result)
            except TooLarge as error:
                return self._halve(chunk, result, error)
            except StoreUnavailable as error:
                left, reason = chunk.actions, str(error)
                chunk.blind = True
            if len(left) < len(chunk.actions):
                self._progress = max(self._progress, time.monotonic())
                pause = _FIRST_PAUSE
            chunk.actions = left
            if left:
                left_to_try = self.write_timeout - (time.monotonic() - self._progress)
                if left_to_try < 0:
                    raise StoreUnavailable(f"gave up after {self.write_timeout:g} s without progress: {reason}")
                time.sleep(min(random.uniform(0, pause), left_to_try))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE)
        return result

    def _halve(self, chunk: _Chunk, result: BulkResult, error: TooLarge) -> BulkResult:
        middle = len(chunk.actions) // 2
        if middle == 0:
            document_id = chunk.actions[0].id
            result.refused.append(Refused(document_id, None, f"the document is larger than the server takes: {error}"))
            return result
        self.max_bytes = max(1 << 16, self.max_bytes // 2)
        for part in (chunk.actions[:middle], chunk.actions[middle:]):
            result.add(self._send(_Chunk(part, chunk.blind)))
        return result

    def _request(self, actions: Sequence[Action]) -> list[tuple[int, Any]]:
        """(status, error) of each item."""

        def check(reply: Any) -> None:
            items = reply.get("items") if isinstance(reply, dict) else None
            if not isinstance(items, list) or [_item(item).get("_id") for item in items] != [one.id for one in actions]:
                raise StoreUnavailable("the reply to a bulk request did not hold what was sent: is a proxy cutting it?")

        reply = self.requests.send(
            "POST",
            f"/{self.target.name}/_bulk",
            b"".join(action.lines() for action in actions),
            timeout=self.request_timeout,
            params={
                "filter_path": "items.*._id,items.*.status,items.*.error",
                **({"require_alias": "true"} if self.target.is_alias else {}),
            },
            content_type=SMILE,
            check=check,
            attempts=1,
        )
        return [(int(_item(item).get("status", 0)), _item(item).get("error")) for item in reply["items"]]

    def _sort(self, chunk: _Chunk, reply: list[tuple[int, Any]], result: BulkResult) -> tuple[list[Action], str]:
        """Books what is settled and returns what must be sent again, with a reason."""
        again, reason = [], ""
        for action, (status, error) in zip(chunk.actions, reply, strict=True):
            kind = error.get("type", "") if isinstance(error, dict) else ""
            if 200 <= status < 300:
                result.done += 1
            elif status == 404 and action.operation == "delete" and kind in ("", "document_missing_exception"):
                result.missing.append(action.id)
            elif status == 409 and action.operation == "create":
                result.conflicts.append(action.id)
                if chunk.blind:
                    result.uncertain.add(action.id)
            elif status in _PASSING or kind == "cluster_block_exception" or status == 409:
                again.append(action)
                detail = str(error.get("reason", "")) if isinstance(error, dict) else ""
                reason = (
                    explain_block(self.target.name, detail)
                    if kind == "cluster_block_exception"
                    else f"{kind or status}"
                )
            else:
                result.refused.append(explain_refusal(action.id, error if isinstance(error, dict) else {}))
        return again, reason


def _item(item: Any) -> dict[str, Any]:
    """The content of `{"index": {...}}`."""
    content = next(iter(item.values()), None) if isinstance(item, dict) else None
    return content if isinstance(content, dict) else {}
