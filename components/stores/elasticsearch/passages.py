"""
Reads and writes the passages of one Elasticsearch index; raises RefusedDocuments for passages that cannot be stored and
ElasticsearchStoreError when the server does not do what was asked.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, InvalidDocuments, RefusedDocuments
from components.stores.elasticsearch.client.replies import check_count, check_search
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.client.smile import encode
from components.stores.elasticsearch.fetch import get_rows
from components.stores.elasticsearch.filters import labels_of
from components.stores.elasticsearch.index.active_index import ActiveIndex
from components.stores.elasticsearch.index.bulk import Action, BulkResult, BulkWriter, Operation
from components.stores.elasticsearch.index.bulk_load import BulkLoad
from components.stores.elasticsearch.index.indices import IndexTarget
from components.stores.elasticsearch.index.mapping import LABELS
from components.stores.elasticsearch.index.rows import make_actions, partition_storable, to_document, to_row
from components.stores.elasticsearch.scan import scan

_LAST_REFRESH = 2.0  # seconds, after a write that failed
_PAGE, _PAGE_OF_IDS = 200, 5000  # documents of one request


class Passages:
    """
    :param requests: Sends requests.
    :param active: Finds and makes the index.
    :param make_writer: Returns what writes to an index.
    :param timeout: Seconds a request may take.
    :param hold_back_replicas: Whether a first load holds back replicas too.
    """

    def __init__(
        self,
        requests: Requests,
        active: ActiveIndex,
        make_writer: Callable[[IndexTarget], BulkWriter],
        timeout: float,
        hold_back_replicas: bool,
    ) -> None:
        self.requests, self.active, self.timeout = requests, active, timeout
        self.hold_back_replicas = hold_back_replicas
        self._make_writer = make_writer
        self._load: BulkLoad | None = None  # while it runs, what is written need not show at once

    # Reading

    def documents(self, query: dict[str, Any] | None) -> list[Document]:
        """The passages that match, with embeddings."""
        return [to_document(hit["_source"]) for hit in self._scan(query, True, _PAGE)]

    def aggregate(self, body: dict[str, Any]) -> dict[str, Any]:
        """The reply to one search without hits."""
        path, params = f"/{self.active.make().name}/_search", {"allow_partial_search_results": "false"}
        return dict(self.requests.send("POST", path, body, timeout=self.timeout, params=params, check=check_search))

    def count(self, query: dict[str, Any] | None) -> int:
        """How many passages match."""
        if (target := self.active.find()) is None:
            return 0
        body = {"query": query} if query else None
        path = f"/{target.name}/_count"
        return int(self.requests.send("POST", path, body, timeout=self.timeout, check=check_count)["count"])

    def _scan(self, query: dict[str, Any] | None, source: bool, page: int) -> Iterator[dict[str, Any]]:
        if (target := self.active.find()) is None:
            return iter(())
        return scan(self.requests, target.name, query, source, self.timeout, page)

    def _ids(self, query: dict[str, Any] | None) -> list[str]:
        return [hit["_id"] for hit in self._scan(query, False, _PAGE_OF_IDS)]

    # Writing

    def write(self, documents: list[Document], policy: DuplicatePolicy) -> int:
        """
        Write the passages; what is written shows in searches at once, but for during a first load.

        :returns: How many were written.
        :raises DuplicateDocumentError: By the policy, when an id is there already; the others are written.
        :raises ValueError: When `documents` is no list of Documents.
        :raises InvalidDocuments: With those that never can be stored, and why; the others are written.
        :raises RefusedDocuments: With those the server refused, and why; the others are written.
        """
        active = self.active
        storable, refused = partition_storable(documents, active.dimension(), active.field_types)
        operation: Operation = "index" if policy == DuplicatePolicy.OVERWRITE else "create"
        result = BulkResult()
        if storable:
            try:
                result = self._make_writer(active.make()).run(
                    make_actions(storable, operation, refused, active.is_labelled())
                )
            except BaseException:
                # What was written until then shows, if that is quickly done; what went wrong is raised in any case.
                with suppress(ElasticsearchStoreError), self.requests.until(_LAST_REFRESH):
                    self._show()
                raise
            self._show()
            if self._load is not None:
                self._load.add(len(storable))
        if refused:
            raise InvalidDocuments([*refused, *result.refused], result.done)
        _raise_refused(result)
        return result.done + self._settle_conflicts(result, storable, policy)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete the passages with these ids, and return how many there were."""
        if (target := self.active.find()) is None:
            return 0
        result = self._make_writer(target).run(Action("delete", name) for name in dict.fromkeys(ids))
        self._refresh()
        _raise_refused(result)
        return result.done

    def delete_matching(self, query: dict[str, Any] | None) -> int:
        """Without `delete_by_query`, which needs a module that not every server has: ids first, then a bulk delete."""
        self._show()
        ids = self._ids(query)
        return self.delete(ids) if ids else 0

    def update_matching(self, query: dict[str, Any], meta: dict[str, Any]) -> int:
        """Merge `meta` into each, and return how many there were; the vectors need not travel for it."""
        self._refresh()
        ids = self._ids(query)
        result = self._make_writer(self.active.make()).run(self._changes(ids, meta))
        self._refresh()
        _raise_refused(result)
        return result.done

    def _changes(self, ids: Sequence[str], meta: dict[str, Any]) -> Iterator[Action]:
        """What merges `meta` into passages; where they carry labels, with those of what they hold then."""
        target = self.active.make()
        if not self.active.is_labelled():
            change = encode({"doc": meta})
            yield from (Action("update", name, change) for name in ids)
            return
        for first in range(0, len(ids), _PAGE):
            rows = get_rows(self.requests, target.name, set(ids[first : first + _PAGE]), self.timeout)
            for name, row in rows.items():
                labels = labels_of(_merged(to_document(row).meta, meta))
                yield Action("update", name, encode({"doc": {**meta, LABELS: labels}}))

    @contextmanager
    def loading(self) -> Iterator[None]:
        """While this is open, the first load of an index holds back what makes writing slow."""
        if self._load is not None:  # somebody around us holds back already
            yield
            return
        target = self.active.make(with_graph=False)
        load = self._bulk_load(target, self.active.make_sources())
        load.restore_settings(dead_only=False)
        if self.count(None):
            yield
            load.finish()
            return
        load.begin()
        self._load = load
        try:
            yield
        finally:
            self._load = None
            restored = load.restore_settings(dead_only=False)
        if not restored:  # somebody took this load for dead
            load.finish(first=True)
        self._refresh()

    def restore_settings(self) -> None:
        """Restore what a load held back that was killed."""
        if (target := self.active.find()) is not None and (sources := self.active.find_sources()) is not None:
            self._bulk_load(target, sources).restore_settings()

    def _bulk_load(self, target: IndexTarget, sources: IndexTarget) -> BulkLoad:
        design = self.active.indices.design
        return BulkLoad(self.requests, target.index, sources.name, design, self.hold_back_replicas)

    def _show(self) -> None:
        """Have searches show what was written, unless a load runs."""
        if self._load is None:
            self._refresh()

    def _refresh(self) -> None:
        if (target := self.active.find()) is not None:
            self.requests.send("POST", f"/{target.name}/_refresh", timeout=self.timeout)

    def _settle_conflicts(self, result: BulkResult, documents: list[Document], policy: DuplicatePolicy) -> int:
        """How many of the ids found there already are our own: sent once before, and the reply lost."""
        ours = self._find_ours(result.uncertain, documents) if result.uncertain else set()
        others = [name for name in result.conflicts if name not in ours]
        if others and policy != DuplicatePolicy.SKIP:
            shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            raise DuplicateDocumentError(f"already in the store: {shown}")
        return len(ours)

    def _find_ours(self, ids: set[str], documents: list[Document]) -> set[str]:
        there = get_rows(self.requests, self.active.make().index, ids, self.timeout)
        rows = {
            document.id: encode(to_row(document, self.active.is_labelled()))
            for document in documents
            if document.id in ids
        }
        return {name for name in ids if name in there and encode(there[name]) == rows[name]}


def _raise_refused(result: BulkResult) -> None:
    if result.refused:
        raise RefusedDocuments(result.refused, result.done)


def _merged(meta: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """As Elasticsearch merges a partial document: objects into each other, all else in place of what was there."""
    merged = dict(meta)
    for name, value in change.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = _merged(before, value)
        merged[name] = value
    return merged
