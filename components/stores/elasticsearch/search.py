"""
Answers questions in two requests, one for all legs of all questions and one for the winners' texts; raises
PartialResult when not all shards answered.
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from haystack import Document

from components.stores.elasticsearch.client.errors import PartialResult
from components.stores.elasticsearch.client.replies import check_searches
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.fetch import fetch_rows
from components.stores.elasticsearch.index.rows import to_document
from components.stores.elasticsearch.query import HybridQuery, Leg, Ranking

_SWITCHES = 5  # of the alias that one question outlives
FILTER_PATH = (
    "responses.took,responses.error,responses.status,responses.timed_out,responses._shards.failed,"
    "responses.hits.hits._index,responses.hits.hits.fields,responses.hits.hits._score"
)


def search_hybrid(
    requests: Requests,
    target: str,
    query: HybridQuery,
    queries: Sequence[str],
    embeddings: np.ndarray | None,
    timeout: float,
) -> list[list[Document]]:
    """
    The passages for each question, best first.

    :param target: Index or alias.
    :param timeout: Seconds a request may take; all together have what the caller's `requests.until` leaves, also where
        the alias is switched and they are sent again.
    :raises PartialResult: When not all shards answered.
    """
    legs = query.legs(queries, embeddings)
    if not legs:
        return [[] for _ in queries]
    for _ in range(_SWITCHES):
        # The same copies of the shards for both legs and the texts: copies refresh at different moments.
        preference = f"question-{random.randrange(1 << 16)}"  # noqa: S311
        replies = _search_legs(requests, target, query, legs, preference, timeout)
        indices = {hit["_index"] for reply in replies for hit in reply.get("hits", {}).get("hits", [])[:1]}
        if not indices:
            return [[] for _ in queries]
        if len(indices) > 1:
            continue  # switched to another version between the legs: they do not belong together
        rankings = query.fuse(len(queries), legs, replies)
        winners = {name for ranking in rankings for name, _ in ranking}
        rows = fetch_rows(requests, indices.pop(), winners, preference, timeout)
        if rows is not None:
            return [_to_documents(ranking, rows) for ranking in rankings]
    raise PartialResult(f"index {target} was switched again and again during one question: ask again")


def _search_legs(
    requests: Requests, target: str, query: HybridQuery, legs: Sequence[Leg], preference: str, timeout: float
) -> list[dict[str, Any]]:
    reply = requests.send(
        "POST",
        f"/{target}/_msearch",
        query.body(legs, preference),
        timeout=timeout,
        params={"filter_path": FILTER_PATH},
        content_type="application/x-ndjson",
        check=lambda reply: check_searches(reply, len(legs)),
    )
    return list(reply["responses"])


def _to_documents(ranking: Ranking, rows: dict[str, dict[str, Any]]) -> list[Document]:
    return [to_document(rows[name], score) for name, score in ranking if name in rows]
