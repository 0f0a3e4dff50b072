"""The store for a corpus that outgrows one machine: Elasticsearch, over elasticsearch-haystack's."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Literal

from elasticsearch import AsyncElasticsearch, Elasticsearch
from haystack import Document, default_from_dict, default_to_dict
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils import Secret

from components.stores import elasticsearch_metadata as metadata
from components.stores.elasticsearch_async import AsyncMethods
from components.stores.elasticsearch_connection import Connection, Credentials, addresses
from components.stores.elasticsearch_errors import StoreUnavailable, without_password
from components.stores.elasticsearch_filters import some, to_query
from components.stores.elasticsearch_index import IndexSet, Place
from components.stores.elasticsearch_loading import Loading
from components.stores.elasticsearch_lock import Lease
from components.stores.elasticsearch_mapping import IndexDesign, Quantisation, Similarity
from components.stores.elasticsearch_passages import Limits, Passages
from components.stores.elasticsearch_search import HybridSearch, checked_embeddings
from components.stores.elasticsearch_sources import ElasticsearchSourceRecord
from components.stores.fusion import Fusion

DEFAULT_SEARCH_FIELDS = {"content": 1.0, "title": 0.5, "headings": 0.5}
Refresh = Literal["wait_for"] | bool


class ElasticsearchDocumentStore(AsyncMethods):
    """
    A Haystack DocumentStore over Elasticsearch 8.12 or newer, with hybrid search and a record of its sources.

    Nothing is opened before the first use. The passages lie in an index behind the alias `index`, the sources in one
    behind `<index>-sources`. Sync and async methods share one pool of connections; copies (deepcopy, YAML) open anew.
    Haystack's own Elasticsearch retrievers work with it too.
    """

    def __init__(
        self,
        *,
        hosts: str | list[str] | None = None,
        index: str = "excerpt",
        search_fields: dict[str, float] | None = None,
        language: str | None = "english",
        quantisation: Quantisation = "int8_hnsw",
        embedding_similarity_function: Similarity = "cosine",
        embedding_dims: int | None = None,
        meta_fields: dict[str, str] | None = None,
        max_fields: int = 1000,
        shards: int = 1,
        replicas: int | str = "0-1",
        hold_back_replicas: bool = False,
        oversampling: float = 1.0,
        fuzziness: str = "0",
        timeout: float = 10.0,
        patience: float = 120.0,
        wait: float = 20.0,
        connections: int = 16,
        bulk_connections: int = 2,
        bulk_bytes: int = 4_000_000,
        username: Secret | None = Secret.from_env_var("ELASTICSEARCH_USERNAME", strict=False),  # noqa: B008
        password: Secret | None = Secret.from_env_var("ELASTICSEARCH_PASSWORD", strict=False),  # noqa: B008
        api_key: Secret | str | None = Secret.from_env_var("ELASTIC_API_KEY", strict=False),  # noqa: B008
        api_key_id: Secret | str | None = Secret.from_env_var("ELASTIC_API_KEY_ID", strict=False),  # noqa: B008
        ca_certs: str | None = None,
        custom_mapping: dict[str, Any] | None = None,
        client_settings: dict[str, Any] | None = None,
    ) -> None:
        """
        :param hosts: Addresses of the nodes; None takes ELASTICSEARCH_URL (several with commas between), else
            http://localhost:9200.
        :param index: Name of the alias, and the beginning of the names of the indices behind it.
        :param search_fields: What the words leg reads, with the weight of each: `content` and fields of `meta`. Which
            fields there are is fixed when the index is made, weights can change any time.
        :param language: Whose stop words and stemming the words leg uses, None for none; fixed with the index.
        :param quantisation: How vectors are kept for the search: `int8_hnsw`, `int4_hnsw`, `bbq_hnsw` (one bit, with
            rescoring), `hnsw` (as they are), and without a graph: `int8_flat`, `int4_flat`, `bbq_flat`, `flat`.
        :param embedding_similarity_function: How vectors are compared; fixed with the index.
        :param embedding_dims: Length of the vectors; None takes that of the first passage.
        :param meta_fields: Types (keyword, double, date ...) of meta fields whose first value would mislead.
        :param max_fields: Documents whose meta would make more fields than this are refused.
        :param shards: Number of primary shards: one serves tens of millions of passages.
        :param replicas: Copies of each shard, or a range like "0-1": as many as there are other nodes.
        :param hold_back_replicas: Write replicas only at the end of a first load. Faster, but a node lost meanwhile
            takes its passages along.
        :param oversampling: kNN looks at this many times the candidates that the fusion gets.
        :param fuzziness: "AUTO" also finds words with typing errors; eight times slower, and it lowers recall.
        :param timeout: Seconds a search may take in all, attempts and pauses included.
        :param patience: Seconds a write goes on trying while the server is away, without any progress.
        :param wait: Seconds to wait for a server that is not there at the first use.
        :param connections: To each node, shared by all threads.
        :param bulk_connections: Bulk requests under way at once.
        :param bulk_bytes: Size of a bulk request.
        :param username: And `password`: by default ELASTICSEARCH_USERNAME (else "elastic") and ELASTICSEARCH_PASSWORD.
        :param ca_certs: File with the certificate of the authority that signed the server's.
        :param custom_mapping: A mapping of your own instead of the one that the settings above make.
        :param client_settings: What else `elasticsearch.Elasticsearch` takes.
        :raises ValueError: When a setting is outside what is allowed.
        """
        if timeout <= 0 or patience < 0 or wait < 0:
            raise ValueError(f"timeout {timeout}, patience {patience} and wait {wait} must be seconds, timeout above 0")
        if min(shards, connections, bulk_connections) < 1 or bulk_bytes < 1 << 16:
            raise ValueError("shards, connections, bulk_connections must be at least 1, bulk_bytes at least 65536")
        if oversampling < 1:
            raise ValueError(f"oversampling is {oversampling}, but must be at least 1")
        super().__init__(
            hosts=hosts,  # type: ignore[arg-type]
            index=index,
            custom_mapping=custom_mapping,
            api_key=api_key,
            api_key_id=api_key_id,
            embedding_similarity_function=embedding_similarity_function,
            **(client_settings or {}),
        )
        self._settings: dict[str, Any] = {
            "hosts": hosts, "index": index, "search_fields": search_fields, "language": language,
            "quantisation": quantisation, "embedding_similarity_function": embedding_similarity_function,
            "embedding_dims": embedding_dims, "meta_fields": meta_fields, "max_fields": max_fields, "shards": shards,
            "replicas": replicas, "hold_back_replicas": hold_back_replicas, "oversampling": oversampling,
            "fuzziness": fuzziness, "timeout": timeout, "patience": patience, "wait": wait, "connections": connections,
            "bulk_connections": bulk_connections, "bulk_bytes": bulk_bytes, "username": username, "password": password,
            "api_key": api_key, "api_key_id": api_key_id, "ca_certs": ca_certs, "custom_mapping": custom_mapping,
            "client_settings": client_settings,
        }  # fmt: skip
        self.design = IndexDesign(
            language,
            dict(DEFAULT_SEARCH_FIELDS if search_fields is None else search_fields),
            quantisation,
            embedding_similarity_function,
            embedding_dims,
            dict(meta_fields or {}),
        )
        self.limits = Limits(timeout, patience, bulk_connections, bulk_bytes)
        self._set_up()

    def _set_up(self) -> None:
        """The parts that hold connections; made anew in a copy."""
        settings = self._settings
        client = {**self._kwargs, **({"headers": self._headers} if self._headers else {})}
        if settings["ca_certs"]:
            client["ca_certs"] = settings["ca_certs"]
        self.connection = Connection(
            settings["hosts"],
            Credentials(settings["api_key"], settings["api_key_id"], settings["username"], settings["password"]),
            client,
            settings["connections"],
            settings["wait"],
            settings["index"],
        )
        self._client = self._async_client = None
        self._open_passages: Passages | None = None
        self._pool: ThreadPoolExecutor | None = None

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("connection", "_client", "_async_client", "_open_passages", "_pool")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._set_up()

    def to_dict(self) -> dict[str, Any]:
        """The settings, for a pipeline's YAML; secrets by the name of their variable only."""
        secrets = {
            name: value.to_dict() if isinstance(value := self._settings[name], Secret) else None
            for name in ("username", "password", "api_key", "api_key_id")
        }
        return default_to_dict(self, **{**self._settings, **secrets})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ElasticsearchDocumentStore":
        """The store that `to_dict` described."""
        given = dict(data.get("init_parameters", {}))
        for name in ("username", "password", "api_key", "api_key_id"):
            if isinstance(given.get(name), dict):
                given[name] = Secret.from_dict(given[name])
        return default_from_dict(cls, {**data, "init_parameters": given})

    def warm_up(self) -> None:
        """Connect and look at the index, so that the first question need not; put right what a killed load left."""
        if self._passages.place() is not None and (notes := self._passages.indices.find_sources()) is not None:
            self._loading(notes.target).put_back()

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self.connection.close()
        self._client = self._open_passages = self._pool = None

    @property
    def _passages(self) -> Passages:
        requests = self.connection.requests()
        if self._open_passages is None or self._open_passages.requests is not requests:
            settings = self._settings
            indices = IndexSet(
                requests, self._index, self.design, settings["shards"], settings["replicas"], settings["max_fields"],
                settings["custom_mapping"],
            )  # fmt: skip
            self._open_passages = Passages(requests, indices, self.limits)
        return self._open_passages

    # What elasticsearch_versions needs.

    @property
    def index(self) -> str:
        """Name of the alias."""
        return self._index

    def place(self) -> Place | None:
        """Where the passages are, None while nobody has written any."""
        self._passages.forget()
        return self._passages.place()

    def request(self, method: str, path: str, body: Any = None, **settings: Any) -> Any:
        """One request, with retries and errors in words (see `elasticsearch_client.Requests`)."""
        return self.connection.requests()(method, path, body, **settings)

    def version(self, number: int, **changed: Any) -> "ElasticsearchDocumentStore":
        """A store over a new version of the index that no alias names yet; both its indices are made."""
        indices = self._passages.indices
        name = indices.version(number)
        new = ElasticsearchDocumentStore(**{**self._settings, **changed, "index": name})
        replace(indices, design=new.design).create_version(name)
        return new

    def forget(self) -> None:
        """Look anew which index the alias names."""
        self._passages.forget()

    @property
    def sources(self) -> ElasticsearchSourceRecord:
        """The record of what is indexed, in the index `<index>-sources`."""
        return ElasticsearchSourceRecord(lambda make: self._passages.for_sources(make), self.limits.patience)

    # What the parent asks for before it does anything.

    @property
    def client(self) -> Elasticsearch:
        """The client, connected; for what this class has no method for."""
        self._ensure_initialized()
        return self.connection.client

    def _ensure_initialized(self) -> None:
        self._passages.made()
        self._client = self.connection.client

    async def _ensure_initialized_async(self) -> None:
        await asyncio.to_thread(self._ensure_initialized)
        if self._async_client is None:
            self._async_client = self._create_async_client()

    def _create_async_client(self) -> AsyncElasticsearch:
        return AsyncElasticsearch(
            addresses(self._settings["hosts"]), **self.connection.credentials.settings(), **self.connection.settings
        )

    # Reading

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
        search = HybridSearch(
            self.design, top_k, to_query(filters), fusion, self._settings["oversampling"],
            int(self.limits.timeout * 500), self._settings["fuzziness"],
        )  # fmt: skip
        if not queries:
            return []
        passages = self._passages
        dims = passages.dims() if embeddings is not None else None
        return passages.search(search, queries, checked_embeddings(queries, embeddings, dims))

    async def hybrid_search_async(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = Fusion(),  # noqa: B008 - frozen
    ) -> list[list[Document]]:
        """What `hybrid_search` does, without keeping the event loop waiting."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._settings["connections"], thread_name_prefix="elasticsearch-search")
        asked = asyncio.get_running_loop().run_in_executor(
            self._pool, self.hybrid_search, queries, embeddings, top_k, filters, fusion
        )
        try:
            # A little more than the thread itself allows, so that the thread's own message is the one that is seen.
            return await asyncio.wait_for(asked, self.limits.timeout + self._settings["wait"] + 1.0)
        except TimeoutError:
            raise StoreUnavailable(
                f"Elasticsearch did not answer within {self.limits.timeout:g} s: overloaded, or is `timeout` too short?"
            ) from None

    def count_documents(self) -> int:
        """How many documents the store holds."""
        return self._passages.count(None)

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """How many documents match."""
        return self._passages.count(to_query(filters))

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """
        The documents that match, with embeddings.

        :raises FilterError: When the filter is malformed.
        """
        return self._passages.documents(to_query(filters))

    def count_unique_metadata_by_filter(self, filters: dict[str, Any], metadata_fields: list[str]) -> dict[str, int]:
        """
        How many distinct values each field has among the documents that match.

        :raises ValueError: When no document has one of the fields.
        """
        known = self.get_metadata_fields_info()
        if missing := [name for name in metadata_fields if metadata.plain(name) not in known]:
            raise ValueError(f"no document has the meta fields {', '.join(missing)}")
        return metadata.unique_counts(self._passages.aggregate, filters, metadata_fields)

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The metadata fields there are, each with its type."""
        place = self._passages.made()
        params = {"fields": "*", "include_empty_fields": "false"}
        caps = self._passages.requests(
            "GET", f"/{place.target}/_field_caps", params=params, within=self.limits.patience
        )
        return metadata.fields_info(caps)

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The smallest ("min") and largest ("max") value of a field; None where there is none."""
        return metadata.min_max(self._passages.aggregate, metadata_field)

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """A page of a field's distinct values (those that contain `search_term`), and how many there are in all."""
        values = metadata.unique_values(self._passages.aggregate, metadata_field, search_term, filters)
        return values[from_ : from_ + size], len(values)

    def status(self) -> dict[str, Any]:
        """Cluster health, documents and size, for `excerpt status`."""
        passages = self._passages
        hosts = ", ".join(map(without_password, passages.requests.hosts))
        health = passages.requests("GET", "/_cluster/health", within=self.limits.timeout)
        told = {"server": f"{hosts} ({health['number_of_nodes']} nodes, {health['status']})"}
        if (place := passages.place()) is not None:
            stats = passages.requests("GET", f"/{place.target}/_stats/docs,store", within=self.limits.timeout)["_all"]
            told["version"] = f"{place.index} (alias {place.target})" if place.is_alias else place.index
            told["documents"] = f"{stats['primaries']['docs']['count']:,}"
            told["size"] = f"{stats['total']['store']['size_in_bytes'] / 1e6:,.1f} MB with replicas"
        return told

    # Writing

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
            passages.requests("DELETE", f"/{place.index}", within=self.limits.patience, allow=(404,))
            passages.forget()
            passages.made()
        else:
            passages.delete_matching(None)
        self.sources.clear()

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = True) -> int:
        """Merge `meta` into the meta of the documents that match, and return how many there were."""
        return self._passages.update_matching(some(filters), meta)

    def one_writer(self, wait: float = 0.0) -> AbstractContextManager[Lease]:
        """
        The right to index while the block runs, whoever else would on whatever machine.

        :param wait: seconds to wait for another index run to end.
        :raises StoreBusyError: when it has not ended by then; says who it is, since when, and what to do.
        """
        return Lease(self.connection.requests(), self._index, self.limits.patience).held(wait)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """
        While this is open, what is written need not show at once: refreshes are held back (replicas too, if set so),
        and put back at the end, or by whoever opens the store next if this process is killed.

        An index that questions are asked of already is loaded without holding anything back.
        """
        passages = self._passages
        place, notes = passages.made(with_graph=False), passages.indices.make_sources()
        loading = self._loading(notes.target)
        loading.put_back(dead_only=False)
        if passages.count(None):
            yield
            return
        with loading.held_back() as renew:
            passages.loading, passages.renew = True, renew
            try:
                yield
            finally:
                passages.loading, passages.renew = False, lambda count: None
        passages.requests("POST", f"/{place.target}/_refresh", within=self.limits.patience)

    def _loading(self, notes: str) -> Loading:
        place = self._passages.made()
        return Loading(
            self._passages.requests, place.index, notes, self._settings["hold_back_replicas"], self.design.quantisation
        )
