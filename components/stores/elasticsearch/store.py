"""The store for a corpus that outgrows one machine: Elasticsearch, over elasticsearch-haystack's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Literal

from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch.filters import some
from components.stores.elasticsearch.index.rebuild import rebuilt
from components.stores.elasticsearch.reading import Reading

Refresh = Literal["wait_for"] | bool


class ElasticsearchDocumentStore(Reading):
    """
    A Haystack DocumentStore over Elasticsearch 8.15 or newer, with hybrid search and a record of its sources.

    Nothing is opened before the first use. The passages lie in an index behind the alias `index`, the sources in one
    behind `<index>-sources`. Sync and async methods share one pool of connections; copies (deepcopy, YAML) open anew.
    Haystack's own Elasticsearch retrievers work with it too.
    """

    def write_documents(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE, refresh: Refresh = True
    ) -> int:
        """
        Write the documents over several connections. What is written shows in searches at once (`refresh` is there for
        callers of elasticsearch-haystack's store only).

        :param policy: What to do with ids that are there already; NONE means FAIL.
        :returns: How many were written.
        :raises DuplicateDocumentError: With FAIL, when an id is there already; the others are written.
        :raises ValueError: When `documents` is no list of Documents.
        :raises InvalidDocuments: (a ValueError) With those that cannot be stored, and why; the others are written.
        :raises RefusedDocuments: With those the server refused, and why; the others are written.
        :raises StoreUnavailable: When the server does not come back within `patience`; writing again completes it.
        """
        return self._passages.write(documents, policy)

    def delete_documents(self, document_ids: list[str], refresh: Refresh = True) -> None:
        """Delete the documents with these ids; ids that are not there are ignored."""
        self._passages.delete(document_ids)

    def delete_by_filter(self, filters: dict[str, Any], refresh: bool = True) -> int:
        """Delete the documents that match, and return how many there were."""
        return self._passages.delete_matching(some(filters))

    def delete_all_documents(self, recreate_index: bool = False, refresh: bool = True) -> None:
        """
        Delete all documents, and the record of their sources with them.

        :param recreate_index: Delete and make the index anew, by the settings of now.
        """
        passages = self._passages
        if recreate_index and (place := passages.place()) is not None:
            passages.indices.remake(place)
            passages.forget()
        else:
            passages.delete_matching(None)
        self.sources.clear()

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = True) -> int:
        """Merge `meta` into the meta of the documents that match, and return how many there were."""
        return self._passages.update_matching(some(filters), meta)

    def version(self, number: int, **changed: Any) -> "ElasticsearchDocumentStore":
        """A store over a new version of the index that no alias names yet; both its indices are made."""
        indices = self._passages.indices
        name = indices.version(number)
        new = ElasticsearchDocumentStore(**{**self._settings, **changed, "index": name})
        replace(indices, design=new.design).create_version(name)
        return new

    def rebuilt(
        self, before_switch: Callable[[], None] | None = None, **changed: Any
    ) -> AbstractContextManager["ElasticsearchDocumentStore"]:
        """
        A new version of the index beside this one, put in its place at the end of the block
        (`components.stores.elasticsearch.index.rebuild.rebuilt`).
        """
        return rebuilt(self, before_switch, **changed)
