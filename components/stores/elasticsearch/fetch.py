"""Fetches passages by id, without their vectors; raises PartialResult when the server cannot give them all."""

from typing import Any

from components.stores.elasticsearch.client.replies import check_documents, check_search, is_index_missing
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.index.mapping import LABELS
from components.stores.elasticsearch.query import LARGEST_WINDOW

_Rows = dict[str, dict[str, Any]]  # `_source` by id
# Never travels back with a passage: the vector alone would be nine tenths of the reply.
LEFT_OUT = ["embedding", "sparse_embedding", LABELS]


def fetch_rows(requests: Requests, index: str, ids: set[str], preference: str, timeout: float) -> _Rows | None:
    """
    The passages with these ids, by searches (cheaper than gets).

    :param preference: Of the search that found them, so that the same copies of the shards are asked.
    :returns: What is kept of each, by id; those deleted meanwhile are missing. None when the index is gone.
    """
    names = list(ids)
    rows: _Rows = {}
    for first in range(0, len(names), LARGEST_WINDOW):  # one search, but for very many questions at once
        block = _search_ids(requests, index, names[first : first + LARGEST_WINDOW], preference, timeout)
        if block is None:
            return None
        rows.update(block)
    # Deleted since, or this copy of the shard is a refresh behind the one that was searched (which died).
    return rows | get_rows(requests, index, ids - rows.keys(), timeout)


def get_rows(requests: Requests, index: str, ids: set[str], timeout: float) -> _Rows:
    """The passages with these ids in real time, whether a search shows them yet or not."""
    if not ids:
        return {}
    reply = requests.send(
        "POST",
        f"/{index}/_mget",
        {"ids": list(ids)},
        timeout=timeout,
        params={"_source_excludes": ",".join(LEFT_OUT), "filter_path": "docs._id,docs._source,docs.error"},
        check=lambda reply: check_documents(reply, len(ids)),
    )
    return {document["_id"]: document["_source"] for document in reply["docs"] if "_source" in document}


def _search_ids(requests: Requests, index: str, ids: list[str], preference: str, timeout: float) -> _Rows | None:
    reply = requests.send(
        "POST",
        f"/{index}/_search",
        {
            "size": len(ids),
            "query": {"bool": {"filter": {"terms": {"id": ids}}}},
            "_source": {"excludes": LEFT_OUT},
            "sort": ["_doc"],
            "track_total_hits": False,
        },
        timeout=timeout,
        params={
            "preference": preference,
            "allow_partial_search_results": "false",
            "filter_path": "took,timed_out,error,status,_shards.failed,hits.hits._source",
        },
        check=lambda reply: None if is_index_missing(reply) else check_search(reply),
        allow=(404,),
    )
    if is_index_missing(reply):
        return None
    return {hit["_source"]["id"]: hit["_source"] for hit in reply.get("hits", {}).get("hits", [])}
