"""
Stores a corpus that outgrows one machine in Elasticsearch, a Haystack DocumentStore with hybrid search; raises
ElasticsearchStoreError, which names cause and remedy.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from elasticsearch import AsyncElasticsearch, Elasticsearch
from haystack import Document, default_from_dict, default_to_dict
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore as HaystackStore

from components.stores.async_methods import AsyncMethods
from components.stores.contract import StoreStatus, check_search
from components.stores.elasticsearch import metadata
from components.stores.elasticsearch.client.addresses import Credentials
from components.stores.elasticsearch.client.connection import Connection
from components.stores.elasticsearch.client.errors import StoreUnavailable, without_password
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.filters import require_query, to_query
from components.stores.elasticsearch.index.active_index import ActiveIndex
from components.stores.elasticsearch.index.bulk import BulkWriter
from components.stores.elasticsearch.index.indices import IndexSet, IndexTarget
from components.stores.elasticsearch.index.lease import Lease
from components.stores.elasticsearch.index.rebuild import Rebuild
from components.stores.elasticsearch.index.sources import ElasticsearchSourceRecord
from components.stores.elasticsearch.passages import Passages
from components.stores.elasticsearch.query import HybridQuery, to_matrix
from components.stores.elasticsearch.search import search_hybrid
from components.stores.elasticsearch.settings import ElasticsearchSettings
from components.stores.fusion import Fusion
from components.stores.versions import keep_one_version

Refresh = Literal["wait_for"] | bool


class ElasticsearchDocumentStore(AsyncMethods, HaystackStore):
    """
    A Haystack DocumentStore over Elasticsearch 8.15 or newer, with hybrid search and a record of its sources.

    Nothing is opened before the first use. The passages lie in an index behind the alias `index`, the sources in one
    behind `<index>-sources`. Sync and async methods share one pool of connections; copies (deepcopy, YAML) open anew.
    Haystack's own Elasticsearch retrievers work with it too: that is what it inherits from the integration's store for.
    """

    def __init__(self, **settings: Any) -> None:
        """
        :param settings: As `components.stores.elasticsearch.settings.ElasticsearchSettings` lists them.
        :raises TypeError: For a name that is no setting.
        :raises ValueError: When a setting is outside what is allowed.
        """
        self.settings = ElasticsearchSettings.from_names(settings)
        self._compose()

    __init__.__signature__ = ElasticsearchSettings.signature()  # type: ignore[attr-defined]  # for loaders of YAML

    def _compose(self, any_design: bool = False) -> None:
        """Make the parts, all of them light: the first request opens the connection."""
        settings = self.settings
        HaystackStore.__init__(
            self,
            hosts=settings.hosts,  # type: ignore[arg-type]
            index=settings.index,
            custom_mapping=settings.custom_mapping,
            api_key=settings.api_key,
            api_key_id=settings.api_key_id,
            embedding_similarity_function=settings.embedding_similarity_function,
            **(settings.client_settings or {}),
        )
        client_settings = {**self._kwargs, "headers": self._headers}
        if settings.ca_certs:
            client_settings["ca_certs"] = settings.ca_certs
        self.connection = Connection(
            settings.hosts,
            Credentials(settings.api_key, settings.api_key_id, settings.username, settings.password),
            client_settings,
            settings.connections,
            settings.connect_timeout,
            settings.index,
        )
        self.requests = Requests(self.connection)
        self.indices = IndexSet(
            self.requests, settings.index, settings.design(), settings.shards, settings.replicas, settings.max_fields,
            settings.custom_mapping, any_design,
        )  # fmt: skip
        self.active = ActiveIndex(self.indices)
        self.passages = Passages(
            self.requests, self.active, self._make_writer, settings.write_timeout, settings.hold_back_replicas
        )
        self._sources = ElasticsearchSourceRecord(self.requests, self.active, self._make_writer, settings.write_timeout)
        self._threads: ThreadPoolExecutor | None = None

    def _make_writer(self, target: IndexTarget) -> BulkWriter:
        settings = self.settings
        return BulkWriter(
            self.requests,
            target,
            connections=settings.bulk_connections,
            max_bytes=settings.bulk_bytes,
            write_timeout=settings.write_timeout,
        )

    # What a pipeline needs to write the store down, to copy it, to open and to close it.

    def to_dict(self) -> dict[str, Any]:
        """The settings, for a pipeline's YAML; secrets by the name of their variable only."""
        return default_to_dict(self, **self.settings.to_parameters())

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ElasticsearchDocumentStore":
        """The store that `to_dict` described."""
        return default_from_dict(cls, data)

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.settings = state["settings"]
        self._compose()

    def warm_up(self) -> None:
        """Connect and look at the index, so that the first question need not; restore what a killed load held back."""
        self.passages.restore_settings()

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._client = self._threads = None
        self.connection.close()
        self.active.forget()

    async def close_async(self) -> None:
        """`close`, without keeping the event loop waiting."""
        await HaystackStore.close_async(self)
        await AsyncMethods.close_async(self)

    @property
    def index(self) -> str:
        """Name of the alias."""
        return self.settings.index

    @property
    def folder(self) -> Path | None:
        """None: the files are the server's."""
        return None

    @property
    def sources(self) -> ElasticsearchSourceRecord:
        """The record of what is indexed, in the index `<index>-sources`."""
        return self._sources

    def request(self, method: str, path: str, body: Any = None, **settings: Any) -> Any:
        """One request, with retries and errors in words (see `client.requests.Requests.send`)."""
        return self.requests.send(method, path, body, **settings)

    def status(self) -> StoreStatus:
        """Where the index is, its size, the cluster's health, documents and version."""
        timeout = self.settings.timeout
        hosts = ", ".join(map(without_password, self.connection.addresses()))
        health = self.requests.send("GET", "/_cluster/health", timeout=timeout)
        details = {"server": f"{hosts} ({health['number_of_nodes']} nodes, {health['status']})"}
        size = None
        if (target := self.active.find()) is not None:
            stats = self.requests.send("GET", f"/{target.name}/_stats/docs,store", timeout=timeout)["_all"]
            size = int(stats["total"]["store"]["size_in_bytes"])
            details["version"] = f"{target.index} (alias {target.name})" if target.is_alias else target.index
            details["documents"] = f"{stats['primaries']['docs']['count']:,}"
            details["size"] = f"{size / 1e6:,.1f} MB with replicas"
        return StoreStatus(f"{self.index} at {hosts}", size, details)

    # Questions

    def hybrid_search(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = Fusion(),  # noqa: B008 - frozen
    ) -> list[list[Document]]:
        """
        The passages that fit each question by words (BM25) and by meaning (kNN), fused.

        :param queries: The questions. Any text: nothing in it is an operator.
        :param embeddings: One a question, or None to search by words alone.
        :param top_k: How many passages a question gets at most.
        :param filters: Hold for both legs, inside Elasticsearch.
        :param fusion: How the legs are joined; one with weight 0 is not asked.
        :returns: One list a question, best first, equal scores by id; with `score`, without embedding.
        :raises ValueError: When embeddings do not fit the questions or the index, or top_k is below 1.
        :raises FilterError: When the filter is malformed.
        :raises ElasticsearchStoreError: When the search fails, or not all shards answer within `timeout`.
        """
        check_search(queries, embeddings, top_k)
        settings, timeout = self.settings, self.settings.timeout
        to_query(filters)  # a malformed one is told before anybody is asked
        if not queries:
            return []
        self.connection.client()  # opening it has a time of its own
        with self.requests.until(timeout):
            if (target := self.active.find()) is None:
                return [[] for _ in queries]
            query = HybridQuery(
                self.indices.design, top_k, self._query(filters), fusion, settings.oversampling, int(timeout * 500),
                settings.fuzziness,
            )  # fmt: skip
            vectors = to_matrix(embeddings, None if embeddings is None else self.active.dimension())
            found = search_hybrid(self.requests, target.name, query, queries, vectors, timeout)
            return keep_one_version(found, self.sources)

    async def hybrid_search_async(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = Fusion(),  # noqa: B008 - frozen
    ) -> list[list[Document]]:
        """What `hybrid_search` does, without keeping the event loop waiting."""
        settings = self.settings
        if self._threads is None:
            self._threads = ThreadPoolExecutor(settings.connections, thread_name_prefix="elasticsearch-search")
        search = partial(self.hybrid_search, queries, embeddings, top_k, filters, fusion)
        asked = asyncio.get_running_loop().run_in_executor(self._threads, search)
        try:
            # A little more than the thread itself allows, so that the thread's own message is the one that is seen.
            return await asyncio.wait_for(asked, settings.timeout + settings.connect_timeout + 1.0)
        except TimeoutError:
            raise StoreUnavailable(
                f"Elasticsearch did not answer within {settings.timeout:g} s: overloaded, or is `timeout` too short?"
            ) from None

    # Documents and their metadata

    def _query(self, filters: dict[str, Any] | None) -> dict[str, Any] | None:
        """`to_query` as this index understands it."""
        return to_query(filters) and to_query(filters, self.active.is_labelled())

    def count_documents(self) -> int:
        """How many documents the store holds."""
        return self.passages.count(None)

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """How many documents match."""
        return self.passages.count(self._query(filters))

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """
        The documents that match, with embeddings.

        :raises FilterError: When the filter is malformed.
        """
        return self.passages.documents(self._query(filters))

    def count_unique_metadata_by_filter(self, filters: dict[str, Any], metadata_fields: list[str]) -> dict[str, int]:
        """
        How many distinct values each field has among the documents that match.

        :raises ValueError: When no document has one of the fields.
        """
        known = self.get_metadata_fields_info()
        if missing := [name for name in metadata_fields if metadata.to_index_name(name) not in known]:
            raise ValueError(f"no document has the meta fields {', '.join(missing)}")
        return metadata.count_unique(self.passages.aggregate, self._query(filters), metadata_fields)

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The metadata fields there are, each with its type."""
        path, params = f"/{self.active.make().name}/_field_caps", {"fields": "*", "include_empty_fields": "false"}
        return metadata.read_fields(self.requests.send("GET", path, params=params, timeout=self.settings.write_timeout))

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The smallest ("min") and largest ("max") value of a field; None where there is none."""
        return metadata.find_range(self.passages.aggregate, metadata_field)

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """A page of a field's distinct values (those that contain `search_term`), and how many there are in all."""
        values = metadata.list_values(self.passages.aggregate, metadata_field, search_term, self._query(filters))
        return values[from_ : from_ + size], len(values)

    # Writing; `refresh` is there for callers of elasticsearch-haystack's store: what is written shows at once anyway

    def write_documents(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE, refresh: Refresh = True
    ) -> int:
        """
        Write the documents over several connections.

        :param policy: What to do with ids that are there already; NONE means FAIL.
        :returns: How many were written.
        :raises DuplicateDocumentError: With FAIL, when an id is there already; the others are written.
        :raises ValueError: When `documents` is no list of Documents.
        :raises InvalidDocuments: (a ValueError) With those that cannot be stored, and why; the others are written.
        :raises RefusedDocuments: With those the server refused, and why; the others are written.
        :raises StoreUnavailable: When the server does not come back within `write_timeout`; writing again completes it.
        """
        return self.passages.write(documents, policy)

    def replace_passages(self, documents: list[Document], source_ids: Sequence[str]) -> None:
        """
        Write passages over; those of older versions stay until they are deleted, and questions leave them out meanwhile
        (`components.stores.versions`).
        """
        self.write_documents(documents, DuplicatePolicy.OVERWRITE)

    def delete_documents(self, document_ids: list[str], refresh: Refresh = True) -> None:
        """Delete the documents with these ids; ids that are not there are ignored."""
        self.passages.delete(document_ids)

    def delete_by_filter(self, filters: dict[str, Any], refresh: bool = True) -> int:
        """Delete the documents that match, and return how many there were."""
        return self.passages.delete_matching(require_query(filters, self.active.is_labelled()))

    def delete_all_documents(self, recreate_index: bool = False, refresh: bool = True) -> None:
        """
        Delete all documents, and the record of their sources with them.

        :param recreate_index: Delete the index and make it again, by the settings of now.
        """
        if recreate_index and (target := self.active.find()) is not None:
            self.indices.remake(target)
            self.active.forget()
        else:
            self.passages.delete_matching(None)
        self.sources.clear()

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = True) -> int:
        """Merge `meta` into the meta of the documents that match, and return how many there were."""
        return self.passages.update_matching(require_query(filters, self.active.is_labelled()), meta)

    def one_writer(self, wait: float = 0.0) -> AbstractContextManager[Lease]:
        """
        The right to index while the block runs, whoever else would on whatever machine.

        :param wait: seconds to wait for another index run to end.
        :raises StoreBusyError: when it has not ended by then; says who it is, since when, and what to do.
        """
        return Lease(self.requests, self.index, self.settings.write_timeout).held(wait)

    def loading(self) -> AbstractContextManager[None]:
        """
        While this is open, what is written need not show at once: refreshes are held back (replicas too, if set so),
        and restored at the end, or by whoever opens the store next if this process is killed.

        An index that questions are asked of already is loaded without holding anything back. Either way the vectors get
        their graph at the end, if there are enough of them.
        """
        return self.passages.loading()

    @contextmanager
    def rebuilt(
        self, before_switch: Callable[[], None] | None = None, **changed: Any
    ) -> Iterator["ElasticsearchDocumentStore"]:
        """
        A new, empty version of the index, with other settings if need be; questions go on over the old one.

        At the end of the block passages and sources are switched over in one atomic step, and the old version is
        deleted. When the block fails, the new version is deleted and everything stays as it was.

        :param before_switch: Called directly before the switch (the end of loading may take long); what it raises
            stops it.
        :param changed: Settings of the new version that differ: `language`, `quantisation`, `embedding_dimension` ...
        :returns: The store to write to; once the block is left, any store of the same `index` sees what it holds.
        :raises ElasticsearchStoreError: When the index is none that could be switched, or the switch fails.
        """
        rebuild = Rebuild(self.indices)
        new = self.make_version(rebuild.version_name, **changed)
        try:
            try:
                with new.loading():
                    yield new
                if before_switch is not None:
                    before_switch()
            except BaseException as error:
                rebuild.discard(error)
                raise
            rebuild.switch()
        finally:
            new.close()
            self.active.forget()

    def as_made(self) -> "ElasticsearchDocumentStore":
        """This store to read documents from, by whatever settings its index was made."""
        made = ElasticsearchDocumentStore(**vars(self.settings))
        made._compose(any_design=True)
        return made

    def make_version(self, name: str, **changed: Any) -> "ElasticsearchDocumentStore":
        """A store over a new version of the index that no alias names yet; both its indices are made."""
        given = {field: value for field, value in vars(self.settings).items() if field not in changed}
        new = ElasticsearchDocumentStore(**{**given, **changed, "index": name})
        replace(self.indices, design=new.indices.design).create_version(name)
        return new

    # What the integration's store asks for before it does anything

    @property
    def client(self) -> Elasticsearch:
        """The client, connected; for what this class has no method for."""
        self._ensure_initialized()
        return self.connection.client()

    def _ensure_initialized(self) -> None:
        self.active.make()
        self._client = self.connection.client()

    async def _ensure_initialized_async(self) -> None:
        await asyncio.to_thread(self._ensure_initialized)
        if self._async_client is None:
            self._async_client = self._create_async_client()

    def _create_async_client(self) -> AsyncElasticsearch:
        return AsyncElasticsearch(self.connection.addresses(), **self.connection.arguments())
