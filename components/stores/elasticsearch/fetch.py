"""How questions are answered: one request for all legs of all questions, one for the texts of the winners."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from haystack import Document

from components.stores.elasticsearch.client.errors import PartialResult, cause
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.index.rows import to_document
from components.stores.elasticsearch.search import DEEPEST, LEFT_OUT, HybridSearch, check_whole

_SWITCHES = 5  # of the alias that one question outlives
FILTER_PATH = (
    "responses.took,responses.error,responses.status,responses.timed_out,responses._shards.failed,"
    "responses.hits.hits._index,responses.hits.hits.fields,responses.hits.hits._score"
)


def answered(
    requests: Requests,
    target: str,
    search: HybridSearch,
    queries: Sequence[str],
    embeddings: np.ndarray | None,
    within: float,
) -> list[list[Document]]:
    """
    The passages for each question, best first.

    :param target: Index or alias.
    :param within: Seconds a request may take; all together have what the caller's `requests.until` leaves, also where
        the alias is switched and they are sent again.
    :raises PartialResult: When not all shards answered.
    """
    legs = search.legs(queries, embeddings)
    if not legs:
        return [[] for _ in queries]
    for _ in range(_SWITCHES):
        if (found := _answered(requests, target, search, legs, len(queries), within)) is not None:
            return found
    raise PartialResult(f"index {target} was switched again and again during one question: ask again")


def _answered(
    requests: Requests,
    target: str,
    search: HybridSearch,
    legs: Sequence[tuple[int, str, dict[str, Any]]],
    questions: int,
    within: float,
) -> list[list[Document]] | None:
    """None when the alias was switched to another version in the middle, so that parts do not belong together."""
    # The same copies of the shards for both legs and the texts: copies refresh at different moments.
    preference = f"question-{random.randrange(1 << 16)}"  # noqa: S311
    reply = requests(
        "POST",
        f"/{target}/_msearch",
        search.body(legs, preference),
        within=within,
        params={"filter_path": FILTER_PATH},
        content_type="application/x-ndjson",
        check=lambda found: check_whole(found, len(legs)),
    )
    indices = {hit["_index"] for one in reply["responses"] for hit in one.get("hits", {}).get("hits", [])[:1]}
    if not indices:
        return [[] for _ in range(questions)]
    if len(indices) > 1:
        return None
    ranked = search.fuse(questions, legs, reply["responses"])
    found = _fetched(requests, indices.pop(), {name for leg in ranked for name, _ in leg}, preference, within)
    if found is None:
        return None
    return [[to_document(found[name], score) for name, score in leg if name in found] for leg in ranked]


def _fetched(
    requests: Requests, index: str, ids: set[str], preference: str, within: float
) -> dict[str, dict[str, Any]] | None:
    """What is kept of the passages, without vectors, by searches (cheaper than gets). None: the index is gone."""
    names = list(ids)
    rows: dict[str, dict[str, Any]] = {}
    for first in range(0, len(names), DEEPEST):  # one search, but for very many questions at once
        found = _searched(requests, index, names[first : first + DEEPEST], preference, within)
        if found is None:
            return None
        rows.update(found)
    return rows | kept(requests, index, ids - rows.keys(), within)


def _searched(
    requests: Requests, index: str, ids: list[str], preference: str, within: float
) -> dict[str, dict[str, Any]] | None:
    reply = requests(
        "POST",
        f"/{index}/_search",
        {
            "size": len(ids),
            "query": {"bool": {"filter": {"terms": {"id": ids}}}},
            "_source": {"excludes": LEFT_OUT},
            "sort": ["_doc"],
            "track_total_hits": False,
        },
        within=within,
        params={
            "preference": preference,
            "allow_partial_search_results": "false",
            "filter_path": "took,timed_out,error,status,_shards.failed,hits.hits._source",
        },
        check=lambda found: None if _is_gone(found) else check_whole({"responses": [found]}, 1),
        allow=(404,),
    )
    if _is_gone(reply):
        return None
    return {hit["_source"]["id"]: hit["_source"] for hit in reply.get("hits", {}).get("hits", [])}


def kept(requests: Requests, index: str, ids: set[str], within: float) -> dict[str, dict[str, Any]]:
    """
    Passages that a search did not find: deleted since, or this copy of the shard is a refresh behind the one that
    was searched (which died). Asked for in real time.
    """
    if not ids:
        return {}
    reply = requests(
        "POST",
        f"/{index}/_mget",
        {"ids": list(ids)},
        within=within,
        params={"_source_excludes": ",".join(LEFT_OUT), "filter_path": "docs._id,docs._source,docs.error"},
        check=lambda found: _check_docs(found, len(ids)),
    )
    return {one["_id"]: one["_source"] for one in reply["docs"] if "_source" in one}


def _is_gone(reply: Any) -> bool:
    return isinstance(reply, dict) and cause(reply)[0] == "index_not_found_exception"


def _check_docs(reply: Any, expected: int) -> None:
    docs = reply.get("docs", []) if isinstance(reply, dict) else []
    if len(docs) != expected or any("error" in one for one in docs):
        raise PartialResult("some passages could not be fetched: see /_cluster/health")
