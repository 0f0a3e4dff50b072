"""Reads any number of documents, none missed, none twice; raises PartialResult when the server cannot give all."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from components.stores.elasticsearch.client.errors import PartialResult, StoreUnavailable, cause
from components.stores.elasticsearch.client.replies import check_search
from components.stores.elasticsearch.client.requests import Requests

_PAGE = 1000
_KEEP_ALIVE = "2m"
_CLOSING = 3.0  # seconds
_MOST_LOST = 5  # points in time that one reading outlives


def scan(
    requests: Requests, index: str, query: dict[str, Any] | None, source: Any, timeout: float, page: int = _PAGE
) -> Iterator[dict[str, Any]]:
    """
    All hits of a query, whatever is written meanwhile.

    A point in time dies with its node: another one is opened then, and what was read already is left out.

    :param source: `_source` of the search: False, or what to include or exclude.
    :param timeout: Seconds a page may take.
    :raises PartialResult: When a shard does not answer, or points in time are lost again and again.
    """
    seen: set[str] = set()
    for _ in range(_MOST_LOST):
        try:
            for hit in _read_point_in_time(requests, index, query, source, timeout, page):
                if hit["_id"] not in seen:
                    seen.add(hit["_id"])
                    yield hit
            return
        except _PointInTimeLost:
            continue
    raise PartialResult(f"index {index} could not be read: its points in time were lost {_MOST_LOST} times")


def _read_point_in_time(
    requests: Requests, index: str, query: dict[str, Any] | None, source: Any, timeout: float, page: int
) -> Iterator[dict[str, Any]]:
    opened = requests.send("POST", f"/{index}/_pit", timeout=timeout, params={"keep_alive": _KEEP_ALIVE})
    pit = opened["id"]
    after: list[Any] | None = None
    try:
        while True:
            body: dict[str, Any] = {
                "size": page,
                "_source": source,
                "track_total_hits": False,
                "query": query or {"match_all": {}},
                "pit": {"id": pit, "keep_alive": _KEEP_ALIVE},
                "sort": ["_shard_doc"],
            }
            if after is not None:
                body["search_after"] = after
            reply = requests.send(
                "POST",
                "/_search",
                body,
                timeout=timeout,
                params={"allow_partial_search_results": "false"},
                check=lambda reply: None if _is_lost(reply) else check_search(reply),
                allow=(404,),
            )
            if _is_lost(reply):
                raise _PointInTimeLost
            hits = reply["hits"]["hits"]
            yield from hits
            if len(hits) < page:
                return
            pit, after = reply.get("pit_id", pit), hits[-1]["sort"]
    finally:
        # The server forgets it by itself after _KEEP_ALIVE: not worth failing or waiting for.
        with suppress(StoreUnavailable):
            requests.send("DELETE", "/_pit", {"id": pit}, timeout=min(timeout, _CLOSING), allow=(404,), attempts=1)


class _PointInTimeLost(Exception):
    """The node that held it was stopped, or it outlived its keep-alive."""


def _is_lost(reply: Any) -> bool:
    return isinstance(reply, dict) and cause(reply)[0] == "search_context_missing_exception"
