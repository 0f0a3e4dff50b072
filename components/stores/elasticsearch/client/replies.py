"""Checks that replies are whole; raises PartialResult when they are not, SearchRefused for a refused search."""

from typing import Any

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, PartialResult, cause


class SearchRefused(ElasticsearchStoreError):
    """Elasticsearch refused a search; `kind` and `reason` are its own (the reason may quote the question)."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, reason
        hint = "a field that is filtered by holds another type than the filter asks for?"
        super().__init__(f"Elasticsearch refused the search ({kind}): {hint}")


def check_searches(reply: Any, expected: int) -> None:
    """
    Check the reply to an `_msearch`.

    :param expected: How many searches were sent.
    :raises PartialResult: When a shard failed or ran out of time, or replies are missing.
    :raises SearchRefused: When a search itself was refused.
    """
    responses = reply.get("responses") if isinstance(reply, dict) else None
    if not isinstance(responses, list) or len(responses) != expected:
        raise PartialResult(f"a search of {expected} parts did not get as many answers: is a proxy cutting replies?")
    for response in responses:
        check_search(response)


def check_search(reply: Any) -> None:
    """As `check_searches`, for the reply to one search."""
    if not isinstance(reply, dict):
        raise PartialResult("a search got an answer that is none: is a proxy garbling replies?")
    if "error" in reply:
        kind, reason = cause(reply)
        if reply.get("status", 0) in (429, 502, 503, 504) or kind == "no_shard_available_action_exception":
            raise PartialResult(f"some shards could not answer ({kind}): see /_cluster/health")
        raise SearchRefused(kind, reason)
    failed = reply.get("_shards", {}).get("failed", 0)
    if failed or reply.get("timed_out"):
        what = f"{failed} shards failed" if failed else "shards ran out of time"
        raise PartialResult(f"the result would be incomplete: {what}; see /_cluster/health")
    if "took" not in reply or not isinstance(reply.get("hits", {}).get("hits", []), list):
        raise PartialResult("a search got an answer that is none: is a proxy garbling replies?")


def check_count(reply: Any) -> None:
    """Check the reply to a `_count`: :raises PartialResult: when not all shards were counted."""
    if not isinstance(reply, dict) or "count" not in reply or reply.get("_shards", {}).get("failed"):
        raise PartialResult("not all shards could be counted: see /_cluster/health")


def check_documents(reply: Any, expected: int) -> None:
    """Check the reply to an `_mget`: :raises PartialResult: when documents are missing or failed."""
    documents = reply.get("docs", []) if isinstance(reply, dict) else []
    if len(documents) != expected or any("error" in one for one in documents):
        raise PartialResult("some passages could not be fetched: see /_cluster/health")


def is_index_missing(reply: Any) -> bool:
    """Whether an error reply says that there is no such index."""
    return isinstance(reply, dict) and cause(reply)[0] == "index_not_found_exception"
