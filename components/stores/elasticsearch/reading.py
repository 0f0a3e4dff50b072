"""Everything that is asked of an Elasticsearch store: questions, documents, metadata, health."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from haystack import Document

from components.stores.contract import StoreStatus, check_search
from components.stores.elasticsearch import metadata
from components.stores.elasticsearch.client.errors import StoreUnavailable, without_password
from components.stores.elasticsearch.filters import to_query
from components.stores.elasticsearch.opening import Opened
from components.stores.elasticsearch.search import HybridSearch, checked_embeddings
from components.stores.fusion import Fusion


class Reading(Opened):
    """What an `ElasticsearchDocumentStore` answers."""

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
        search = HybridSearch(
            self.design, top_k, to_query(filters), fusion, self._settings["oversampling"],
            int(self.limits.timeout * 500), self._settings["fuzziness"],
        )  # fmt: skip
        if not queries:
            return []
        passages = self._passages
        with passages.requests.until(self.limits.timeout):
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

    def status(self) -> StoreStatus:
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
        return StoreStatus(f"{self.index} at {hosts}", None, told)
