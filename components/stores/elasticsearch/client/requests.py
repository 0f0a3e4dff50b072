"""Sends requests until they succeed or their time is over; raises ElasticsearchStoreError with cause and remedy."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from elasticsearch import Elasticsearch

from components.stores.elasticsearch.client.connection import Connection
from components.stores.elasticsearch.client.retry import retry

_MOST_PREPARED = 200


class Requests:
    """
    Requests over one connection, which the first of them opens.

    :param connection: Opens the client.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._prepared: dict[tuple[Elasticsearch, float, tuple[int, ...]], Elasticsearch] = {}
        self._thread = threading.local()

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """All requests of this thread in the block share this time, whatever each is allowed by itself."""
        before = self._deadline()
        deadline = time.monotonic() + seconds
        self._thread.deadline = deadline if before is None else min(before, deadline)
        try:
            yield
        finally:
            self._thread.deadline = before

    def left(self, seconds: float) -> float:
        """Of so many seconds, how many this thread has (see `until`); never below 0."""
        deadline = self._deadline()
        return seconds if deadline is None else max(0.0, min(seconds, deadline - time.monotonic()))

    def _deadline(self) -> float | None:
        return self._thread.__dict__.get("deadline")

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        timeout: float,
        params: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        check: Callable[[Any], None] | None = None,
        allow: Sequence[int] = (),
        attempts: int | None = None,
    ) -> Any:
        """
        One request, tried again with growing, random pauses while that can help.

        :param timeout: Seconds for all attempts together, less where `until` leaves less. One attempt may take two
            thirds of what is left, so that a node that went silent leaves time to ask another.
        :param check: Raises when a reply is not whole; it is then asked for again.
        :param allow: Statuses of errors whose reply is handed back instead of raised.
        :param attempts: Most attempts; None tries until the time is over. A single one may take all the time.
        :returns: The reply's body.
        :raises ElasticsearchStoreError: When it does not succeed; StoreUnavailable when it might later.
        """
        headers = {"accept": "application/json"}
        data = None
        if body is not None:
            headers["content-type"] = content_type
            data = body if isinstance(body, bytes) else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        opened = self.connection.client()

        def attempt(left: float) -> Any:
            # An attempt of a request that may run for minutes still ends in time to be tried again.
            client = self._prepare(opened, max(0.05, left if attempts == 1 else left * 2 / 3), tuple(allow))
            reply = client.perform_request(method, path, params=params, headers=headers, body=data).body
            if check is not None:
                check(reply)
            return reply

        return retry(attempt, self.left(timeout), self.connection.explain, attempts)

    def _prepare(self, opened: Elasticsearch, seconds: float, allow: tuple[int, ...]) -> Elasticsearch:
        """The client with these options; making one costs a third of a millisecond, so the usual ones are kept."""
        seconds = round(seconds, 1) or seconds
        key = (opened, seconds, allow)
        if (client := self._prepared.get(key)) is None:
            client = opened.options(request_timeout=seconds, ignore_status=list(allow))
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared = {}
            self._prepared[key] = client
        return client
