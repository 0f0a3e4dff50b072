"""Requests to Elasticsearch: one pool of connections, deadlines of our own, pauses between attempts."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from elastic_transport import Serializer
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from components.stores.elasticsearch.client.deadline import DeadlineNode
from components.stores.elasticsearch.client.errors import (
    ElasticsearchStoreError,
    StoreUnavailable,
    explain,
    retryable,
)

_T = TypeVar("_T")
# The client asks in the form of version 8, and both headers must do so.
SMILE = "application/vnd.elasticsearch+smile; compatible-with=8"
_SMILE_TYPE = SMILE.partition(";")[0]
OLDEST = (8, 15)  # the first that adds a graph to vectors that have none; the client speaks to 8 and 9
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_MOST_PREPARED = 200


class SmileSerializer(Serializer):
    """Bodies that are SMILE already; replies are asked for as JSON."""

    mimetype = _SMILE_TYPE

    def dumps(self, data: Any) -> bytes:
        if not isinstance(data, bytes):
            raise TypeError("a SMILE body is made by elasticsearch_smile")
        return data


def make_client(hosts: Sequence[str], connections: int, **settings: Any) -> Elasticsearch:
    """
    The client that all threads share.

    :param hosts: Addresses of the nodes; a dead one is left out for a while, and the others are asked.
    :param connections: Connections to each node; requests beyond them wait.
    :param settings: Credentials, TLS and what else `Elasticsearch` takes.
    """
    return Elasticsearch(
        list(hosts),
        node_class=DeadlineNode,
        connections_per_node=connections,
        serializers={"application/json": OrjsonSerializer(), _SMILE_TYPE: SmileSerializer()},
        max_retries=0,  # retried here: theirs does not pause
        retry_on_timeout=False,
        dead_node_backoff_factor=0.5,
        max_dead_node_backoff=5.0,
        **settings,
    )


class Requests:
    """
    Sends requests until they succeed or the time is over, and says what is wrong in words a user can act on.

    :param client: The client.
    :param hosts: For messages.
    :param index: For messages.
    """

    def __init__(self, client: Elasticsearch, hosts: Sequence[str], index: str) -> None:
        self.client, self.hosts, self.index = client, hosts, index
        self._prepared: dict[tuple[float, tuple[int, ...]], Elasticsearch] = {}
        self._here = threading.local()

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """All requests of this thread in the block share this time, whatever each is allowed by itself."""
        before: float | None = getattr(self._here, "deadline", None)
        deadline = time.monotonic() + seconds
        self._here.deadline = deadline if before is None else min(before, deadline)
        try:
            yield
        finally:
            self._here.deadline = before

    def left(self, within: float) -> float:
        """Of so many seconds, how many this thread has (see `until`); never below 0."""
        deadline: float | None = getattr(self._here, "deadline", None)
        return within if deadline is None else max(0.0, min(within, deadline - time.monotonic()))

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        within: float,
        params: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        check: Callable[[Any], None] | None = None,
        allow: Sequence[int] = (),
        attempts: int | None = None,
    ) -> Any:
        """
        One request, tried again with growing, random pauses while that can help.

        :param within: Seconds for all attempts together, less where `until` leaves less. One attempt may take two
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

        def attempt(left: float) -> Any:
            # An attempt of a request that may run for minutes still ends in time to be tried again.
            client = self._with(max(0.05, left if attempts == 1 else left * 2 / 3), tuple(allow))
            reply = client.perform_request(method, path, params=params, headers=headers, body=data)
            found = getattr(reply, "body", reply)
            if check is not None:
                check(found)
            return found

        return self.persist(attempt, within, attempts)

    def _with(self, seconds: float, allow: tuple[int, ...]) -> Elasticsearch:
        """The client with these options; making one costs a third of a millisecond, so the usual ones are kept."""
        seconds = round(seconds, 1) or seconds
        key = (seconds, allow)
        if (client := self._prepared.get(key)) is None:
            client = self.client.options(request_timeout=seconds, ignore_status=list(allow))
            if len(self._prepared) < _MOST_PREPARED:
                self._prepared[key] = client
        return client

    def persist(self, attempt: Callable[[float], _T], within: float, attempts: int | None = None) -> _T:
        """Call `attempt(seconds left)` until it succeeds, fails for good, or `within` seconds are over."""
        deadline = time.monotonic() + self.left(within)
        pause = _FIRST_PAUSE
        tried = 0
        while True:
            tried += 1
            try:
                return attempt(deadline - time.monotonic())
            except Exception as error:
                if not (retryable(error) or isinstance(error, StoreUnavailable)):
                    raise explain(error, self.hosts, self.index) from None
                wait = random.uniform(0, pause)  # noqa: S311 - so that many who failed together do not return together
                if tried == attempts or time.monotonic() + wait >= deadline:
                    raise explain(error, self.hosts, self.index) from None
                time.sleep(wait)
                pause = min(pause * 2, _LONGEST_PAUSE)


def check_server(info: Mapping[str, Any], hosts: Sequence[str]) -> None:
    """
    :raises ElasticsearchStoreError: When the server is too old, or is none of Elasticsearch's.
    """
    number = str(info.get("version", {}).get("number", "")) if isinstance(info, Mapping) else ""
    parts = number.split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        raise ElasticsearchStoreError(f"what answers at {hosts[0]} is not Elasticsearch: check ELASTICSEARCH_URL")
    if (int(parts[0]), int(parts[1])) < OLDEST:
        raise ElasticsearchStoreError(
            f"the server at {hosts[0]} is Elasticsearch {number}; {OLDEST[0]}.{OLDEST[1]} or newer is needed "
            "(docker-compose.yml starts 8.19)"
        )
