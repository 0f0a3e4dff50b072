"""What an Elasticsearch store holds open, opened at the first use and made anew in a copy."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from elasticsearch import AsyncElasticsearch, Elasticsearch

from components.stores.elasticsearch.client.connection import Connection, Credentials, addresses
from components.stores.elasticsearch.index.bulk_load import Loading
from components.stores.elasticsearch.index.indices import IndexSet, Place
from components.stores.elasticsearch.index.lease import Lease
from components.stores.elasticsearch.index.settings import Settings
from components.stores.elasticsearch.index.sources import ElasticsearchSourceRecord
from components.stores.elasticsearch.passages import Passages


class Opened(Settings):
    """The connections and indices of an `ElasticsearchDocumentStore`."""

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

    async def close_async(self) -> None:
        """`close`, without keeping the event loop waiting; the asynchronous client is closed too."""
        if self._async_client is not None:
            await self._async_client.close()
            self._async_client = None
        await asyncio.to_thread(self.close)

    @property
    def folder(self) -> None:
        """None: the passages are not on this machine, as far as we know."""
        return None

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

    @property
    def index(self) -> str:
        """Name of the alias."""
        return self._index

    def place(self) -> Place | None:
        """Where the passages are, None while nobody has written any."""
        self._passages.forget()
        return self._passages.place()

    def found(self) -> Place | None:
        """Where the passages are, although the index may have been made with other settings than these."""
        return self._passages.indices.find()

    def found_sources(self) -> Place | None:
        """Where the record of sources is."""
        return self._passages.indices.find_sources()

    def version_number(self, index: str) -> int | None:
        """The number of a version of this store by the name of its index; None for any other index."""
        return self._passages.indices.version_number(index)

    def request(self, method: str, path: str, body: Any = None, **settings: Any) -> Any:
        """One request, with retries and errors in words (see `elasticsearch_client.Requests`)."""
        return self.connection.requests()(method, path, body, **settings)

    def forget(self) -> None:
        """Look anew which index the alias names."""
        self._passages.forget()

    @property
    def sources(self) -> ElasticsearchSourceRecord:
        """The record of what is indexed, in the index `<index>-sources`."""
        return ElasticsearchSourceRecord(lambda make: self._passages.for_sources(make), self.limits.patience)

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

        An index that questions are asked of already is loaded without holding anything back. Either way the vectors get
        their graph at the end, if there are enough of them.
        """
        passages = self._passages
        if passages.loading:  # somebody around us holds back already
            yield
            return
        place, notes = passages.made(with_graph=False), passages.indices.make_sources()
        loading = self._loading(notes.target)
        loading.put_back(dead_only=False)
        if passages.count(None):
            yield
            loading.grown()
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
        return Loading(self._passages.requests, place.index, notes, self._settings["hold_back_replicas"], self.design)

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
