"""What the tests behind a faulty proxy share: passages, rules for it, and many askers at once."""

import threading
import time

import pytest
from haystack import Document

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import (
    StoreUnavailable,
)
from components.stores.fusion import Fusion
from elasticsearch_server.proxy import Exchange

BOTH = Fusion(words_weight=0.5, candidates=10)


def documents(count: int) -> list[Document]:
    return [
        Document(id=f"{i:05}", content=f"passage number {i} of many", embedding=[1.0, i / count, 0.0, 1.0])
        for i in range(count)
    ]


def only(path: str, change):
    """A rule for requests to one path."""

    def rule(exchange: Exchange) -> None:
        if path in exchange.path:
            change(exchange)

    return rule


def ask_at_once(store: ElasticsearchDocumentStore, count: int) -> list[float]:
    """Seconds after which each of so many threads was told that the store is not there."""
    took: list[float] = []

    def ask() -> None:
        start = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.hybrid_search(["passage"], None)
        took.append(time.monotonic() - start)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took
