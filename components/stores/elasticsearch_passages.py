"""Passages in one Elasticsearch index: everything that reads or writes them, given an open connection."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch_bulk import Action, BulkResult, BulkWriter, Operation
from components.stores.elasticsearch_client import Requests
from components.stores.elasticsearch_errors import InvalidDocuments, PartialResult, RefusedDocuments, cause
from components.stores.elasticsearch_index import IndexSet, Place
from components.stores.elasticsearch_rows import actions, sorted_out, to_document, to_row
from components.stores.elasticsearch_scan import scan
from components.stores.elasticsearch_search import LEFT_OUT, HybridSearch, check_whole
from components.stores.elasticsearch_smile import encode

_SWITCHES = 5  # of the alias that one question outlives


@dataclass(frozen=True)
class Limits:
    """
    :param timeout: Seconds a question may take in all.
    :param patience: Seconds a write goes on trying without progress.
    :param connections: Bulk requests under way at once.
    :param bulk_bytes: Size of one.
    """

    timeout: float
    patience: float
    connections: int
    bulk_bytes: int


class Passages:
    """
    :param requests: Sends requests.
    :param indices: Names and makes the index.
    :param limits: Times and sizes.
    """

    def __init__(self, requests: Requests, indices: IndexSet, limits: Limits) -> None:
        self.requests, self.indices, self.limits = requests, indices, limits
        self.loading = False  # while a load runs, what is written need not show at once
        self.renew: Callable[[int], None] = lambda count: None
        self._lock = threading.Lock()
        self._place: Place | None = None
        self._dims: int | None = None
        self._sources: Place | None = None

    def place(self) -> Place | None:
        """Where the passages are; None while nobody has written any."""
        if self._place is None:
            with self._lock:
                if self._place is None and (found := self.indices.find()) is not None:
                    self._dims = self.indices.check(found)
                    self._place = found
        return self._place

    def made(self, with_graph: bool = True) -> Place:
        """Where the passages are, made if need be (`with_graph` False: the vectors' graph is added at the end)."""
        if (place := self.place()) is None:
            self.indices.make(with_graph)
            place = self.place()
            assert place is not None  # noqa: S101 - just made
        return place

    def dims(self) -> int | None:
        """Length of the vectors; asked again until there are some."""
        if self._dims is None and (place := self.place()) is not None:
            self._dims = self.indices.check(place)
        return self._dims

    def forget(self) -> None:
        """Look anew where the passages are: the alias may name another index now."""
        self._place = self._dims = self._sources = None

    def writer(self) -> BulkWriter:
        return self._writer(self.made())

    def for_sources(self, make: bool) -> tuple[str, Requests, BulkWriter] | None:
        """What the record of sources needs; None when there is none and it is not to be made."""
        if self._sources is None:
            self._sources = self.indices.make_sources() if make else self.indices.find_sources()
        return None if self._sources is None else (self._sources.target, self.requests, self._writer(self._sources))

    def _writer(self, place: Place) -> BulkWriter:
        return BulkWriter(
            self.requests,
            place.target,
            is_alias=place.is_alias,
            connections=self.limits.connections,
            max_bytes=self.limits.bulk_bytes,
            patience=self.limits.patience,
        )

    def refresh(self) -> None:
        if (place := self.place()) is not None:
            self.requests("POST", f"/{place.target}/_refresh", within=self.limits.patience)

    # Reading

    def search(
        self, search: HybridSearch, queries: Sequence[str], embeddings: np.ndarray | None
    ) -> list[list[Document]]:
        """The passages for each question: one request for all legs of all, one for the winners' texts."""
        place = self.place()
        legs = search.legs(queries, embeddings)
        if place is None or not legs:
            return [[] for _ in queries]
        for _ in range(_SWITCHES):
            if (answered := self._search(place, search, legs, len(queries))) is not None:
                return answered
        raise PartialResult(f"index {place.target} was switched again and again during one question: ask again")

    def _search(
        self, place: Place, search: HybridSearch, legs: Sequence[tuple[int, str, dict[str, Any]]], questions: int
    ) -> list[list[Document]] | None:
        """None when the alias was switched to another version in the middle, so that parts do not belong together."""
        # The same copies of the shards for both legs and the texts: copies refresh at different moments.
        preference = f"question-{random.randrange(1 << 16)}"  # noqa: S311
        reply = self.requests(
            "POST",
            f"/{place.target}/_msearch",
            search.body(legs, preference),
            within=self.limits.timeout,
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
        found = self._fetch(indices.pop(), {name for leg in ranked for name, _ in leg}, preference)
        if found is None:
            return None
        return [[to_document(found[name], score) for name, score in leg if name in found] for leg in ranked]

    def _fetch(self, index: str, ids: set[str], preference: str) -> dict[str, dict[str, Any]] | None:
        """What is kept of the passages, without vectors, in one search (cheaper than gets). None: the index is gone."""
        reply = self.requests(
            "POST",
            f"/{index}/_search",
            {
                "size": len(ids),
                "query": {"bool": {"filter": {"terms": {"id": list(ids)}}}},
                "_source": {"excludes": LEFT_OUT},
                "sort": ["_doc"],
                "track_total_hits": False,
            },
            within=self.limits.timeout,
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
        rows = {hit["_source"]["id"]: hit["_source"] for hit in reply.get("hits", {}).get("hits", [])}
        return rows | self._get(index, ids - rows.keys())

    def _get(self, index: str, ids: set[str]) -> dict[str, dict[str, Any]]:
        """
        Passages that a search did not find: deleted since, or this copy of the shard is a refresh behind the one that
        was searched (which died). Asked for in real time.
        """
        if not ids:
            return {}
        reply = self.requests(
            "POST",
            f"/{index}/_mget",
            {"ids": list(ids)},
            within=self.limits.timeout,
            params={"_source_excludes": ",".join(LEFT_OUT), "filter_path": "docs._id,docs._source,docs.error"},
            check=lambda found: _check_docs(found, len(ids)),
        )
        return {one["_id"]: one["_source"] for one in reply["docs"] if "_source" in one}

    def scan(self, query: dict[str, Any] | None, source: Any = True) -> Iterator[dict[str, Any]]:
        """All hits, read page by page."""
        if (place := self.place()) is None:
            return iter(())
        page = 200 if source is True else 5000
        return scan(self.requests, place.target, query, source, self.limits.patience, page)

    def documents(self, query: dict[str, Any] | None) -> list[Document]:
        return [to_document(hit["_source"]) for hit in self.scan(query)]

    def aggregate(self, body: dict[str, Any]) -> dict[str, Any]:
        """One search without hits."""
        place = self.made()
        reply = self.requests(
            "POST",
            f"/{place.target}/_search",
            body,
            within=self.limits.patience,
            params={"allow_partial_search_results": "false"},
            check=lambda found: check_whole({"responses": [found]}, 1),
        )
        return dict(reply)

    def count(self, query: dict[str, Any] | None) -> int:
        if (place := self.place()) is None:
            return 0
        body = {"query": query} if query else None
        reply = self.requests("POST", f"/{place.target}/_count", body, within=self.limits.patience, check=_check_shards)
        return int(reply["count"])

    # Writing

    def write(self, documents: list[Document], policy: DuplicatePolicy) -> int:
        good, bad = sorted_out(documents, self.dims())
        operation: Operation = "index" if policy == DuplicatePolicy.OVERWRITE else "create"
        result = BulkResult()
        if good:
            try:
                result = self.writer().run(actions(good, operation, bad))
            finally:
                if not self.loading:
                    self.refresh()
                self.renew(len(good))
        if bad:
            raise InvalidDocuments([*bad, *result.refused], result.done)
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)
        return result.done + self._conflicts(result, good, policy)

    def _conflicts(self, result: BulkResult, documents: list[Document], policy: DuplicatePolicy) -> int:
        """How many of the ids found there already are our own: sent once before, and the reply lost."""
        ours = self._ours(result.uncertain, documents) if result.uncertain else set()
        strange = [name for name in result.conflicts if name not in ours]
        if strange and policy != DuplicatePolicy.SKIP:
            shown = ", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else "")
            raise DuplicateDocumentError(f"already in the store: {shown}")
        return len(ours)

    def _ours(self, ids: set[str], documents: list[Document]) -> set[str]:
        there = self._get(self.made().index, ids)
        rows = {document.id: encode(to_row(document)) for document in documents if document.id in ids}
        return {name for name in ids if name in there and encode(there[name]) == rows[name]}

    def delete(self, ids: Sequence[str]) -> int:
        if self.place() is None:
            return 0
        result = self.writer().run(Action("delete", name) for name in dict.fromkeys(ids))
        self.refresh()
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)
        return result.done

    def delete_matching(self, query: dict[str, Any] | None) -> int:
        """Without `delete_by_query`, which needs a module that not every server has: ids first, then a bulk delete."""
        if not self.loading:
            self.refresh()
        ids = [hit["_id"] for hit in self.scan(query, False)]
        return self.delete(ids) if ids else 0

    def update_matching(self, query: dict[str, Any], meta: dict[str, Any]) -> int:
        """Merges `meta` into each; the vectors need not travel for it."""
        self.refresh()
        change = encode({"doc": meta})
        ids = [hit["_id"] for hit in self.scan(query, False)]
        result = self.writer().run(Action("update", name, change) for name in ids)
        self.refresh()
        if result.refused:
            raise RefusedDocuments(result.refused, result.done)
        return result.done


FILTER_PATH = (
    "responses.took,responses.error,responses.status,responses.timed_out,responses._shards.failed,"
    "responses.hits.hits._index,responses.hits.hits.fields,responses.hits.hits._score"
)


def _is_gone(reply: Any) -> bool:
    return isinstance(reply, dict) and cause(reply)[0] == "index_not_found_exception"


def _check_shards(reply: Any) -> None:
    if not isinstance(reply, dict) or "count" not in reply or reply.get("_shards", {}).get("failed"):
        raise PartialResult("not all shards could be counted: see /_cluster/health")


def _check_docs(reply: Any, expected: int) -> None:
    docs = reply.get("docs", []) if isinstance(reply, dict) else []
    if len(docs) != expected or any("error" in one for one in docs):
        raise PartialResult("some passages could not be fetched: see /_cluster/health")
