"""Passages in one Elasticsearch index: everything that reads or writes them, given an open connection."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch.client.errors import (
    ElasticsearchStoreError,
    InvalidDocuments,
    PartialResult,
    RefusedDocuments,
    StoreUnavailable,
)
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.client.smile import encode
from components.stores.elasticsearch.fetch import answered, kept
from components.stores.elasticsearch.index.bulk import Action, BulkResult, BulkWriter, Operation
from components.stores.elasticsearch.index.field_types import MetaKinds
from components.stores.elasticsearch.index.indices import IndexSet, Place
from components.stores.elasticsearch.index.rows import actions, sorted_out, to_document, to_row
from components.stores.elasticsearch.scan import scan
from components.stores.elasticsearch.search import HybridSearch, check_whole

_LAST_REFRESH = 2.0  # seconds, after a write that failed


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
        self._kinds = self._no_kinds()

    def _no_kinds(self) -> MetaKinds:
        declared = self.indices.design.declared
        if self.indices.custom_mapping is not None:
            declared |= self.indices.custom_mapping.get("properties", {}).keys()
        return MetaKinds(self._mapping, declared)

    def _mapping(self) -> dict[str, Any]:
        return {} if (place := self.place()) is None else self.indices.mapping(place)

    def place(self) -> Place | None:
        """Where the passages are; None while nobody has written any."""
        if self._place is None:
            # Whoever asks a question waits no longer for another's look than for one of its own.
            if not self._lock.acquire(timeout=self.requests.left(threading.TIMEOUT_MAX)):
                raise StoreUnavailable("Elasticsearch did not say in time where the index is: is it overloaded?")
            try:
                if self._place is None and (found := self.indices.find()) is not None:
                    self._dims = self.indices.check(found)
                    self._place = found
            finally:
                self._lock.release()
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
        self._kinds = self._no_kinds()

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
        """The passages for each question."""
        if (place := self.place()) is None:
            return [[] for _ in queries]
        return answered(self.requests, place.target, search, queries, embeddings, self.limits.timeout)

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
        good, bad = sorted_out(documents, self.dims(), self._kinds)
        operation: Operation = "index" if policy == DuplicatePolicy.OVERWRITE else "create"
        result = BulkResult()
        if good:
            try:
                result = self.writer().run(actions(good, operation, bad))
            except BaseException:
                # What was written until then shows, if that is quickly done; what went wrong is told in any case.
                with suppress(ElasticsearchStoreError), self.requests.until(_LAST_REFRESH):
                    if not self.loading:
                        self.refresh()
                raise
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
        there = kept(self.requests, self.made().index, ids, self.limits.timeout)
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


def _check_shards(reply: Any) -> None:
    if not isinstance(reply, dict) or "count" not in reply or reply.get("_shards", {}).get("failed"):
        raise PartialResult("not all shards could be counted: see /_cluster/health")
