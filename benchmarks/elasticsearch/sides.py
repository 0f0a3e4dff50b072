"""What is compared over Elasticsearch: ours, and elasticsearch-haystack as it comes and with its fuzziness off."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haystack import Document

from benchmarks.retrieval.sides import TOP_K, HaystackHybrid

if TYPE_CHECKING:
    from components.stores.elasticsearch.index.mapping import Quantisation


@dataclass(frozen=True)
class BenchServer:
    """The server; `process` is its process where it runs on this machine, for its processor time."""

    url: str
    process: int | None

    def seconds(self) -> float:
        """Processor time the server has used so far; not a number where it cannot be seen."""
        if self.process is None:
            return float("nan")
        with open(f"/proc/{self.process}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(heap_mb: int = 1024) -> Iterator[BenchServer]:
    """ELASTICSEARCH_URL's, else one node from Maven."""
    if url := os.environ.get("ELASTICSEARCH_URL"):
        yield BenchServer(url, None)
        return
    from elasticsearch_server.node import Cluster

    with Cluster(heap_mb=heap_mb) as cluster:
        process = cluster.nodes[0].process
        yield BenchServer(cluster.url, process.pid if process else None)


class Ours:
    """`HybridRetriever` with its defaults over our store; many questions are one request."""

    def __init__(self, url: str, name: str = "excerpt", quantisation: "Quantisation" = "auto") -> None:
        from components.retriever import HybridRetriever
        from components.stores.elasticsearch import ElasticsearchDocumentStore

        self.name = name
        self.store = ElasticsearchDocumentStore(
            hosts=url,
            index=f"ours-{quantisation}-{time.time_ns()}",
            quantisation=quantisation,
            replicas=0,
            timeout=60.0,
        )
        self.retriever = HybridRetriever(self.store, top_k=TOP_K)

    def index(self, documents: list[Document]) -> None:
        from haystack.document_stores.types import DuplicatePolicy

        with self.store.loading():
            self.store.write_documents(documents, DuplicatePolicy.OVERWRITE)

    def search(self, questions: Sequence[str], embeddings: Sequence[list[float]]) -> list[list[str]]:
        found = self.retriever.search(list(questions), list(embeddings))
        return [[document.id for document in documents] for documents in found]

    def drop(self) -> None:
        target = self.store.active.find()
        if target is not None:
            self.store.request("DELETE", f"/{target.index}", timeout=60)
        self.store.close()


class Haystack(HaystackHybrid):
    """
    `ElasticsearchBM25Retriever` and `ElasticsearchEmbeddingRetriever`, one after the other, and `DocumentJoiner`.

    Its index is the one its store makes, without replicas, as ours is.
    """

    def __init__(self, url: str, name: str, fuzziness: str | None, of: "Haystack | None" = None) -> None:
        from haystack_integrations.components.retrievers.elasticsearch import (
            ElasticsearchBM25Retriever,
            ElasticsearchEmbeddingRetriever,
        )
        from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore

        super().__init__()
        self.name = name
        self.index_name: str = of.index_name if of else f"theirs-{time.time_ns()}"
        self.store: ElasticsearchDocumentStore = (
            of.store if of else ElasticsearchDocumentStore(hosts=url, index=self.index_name, request_timeout=60)
        )
        if of is None:
            self.store.client.indices.put_settings(index=self.index_name, settings={"number_of_replicas": 0})
        given: dict[str, Any] = {} if fuzziness is None else {"fuzziness": fuzziness}
        self.words = ElasticsearchBM25Retriever(document_store=self.store, top_k=TOP_K, **given)
        self.meaning = ElasticsearchEmbeddingRetriever(document_store=self.store, top_k=TOP_K)

    def index(self, documents: list[Document]) -> None:
        from haystack.document_stores.types import DuplicatePolicy

        for first in range(0, len(documents), 1000):
            self.store.write_documents(documents[first : first + 1000], DuplicatePolicy.OVERWRITE)

    def drop(self) -> None:
        self.store.client.indices.delete(index=self.index_name)
        self.store.close()


def about(side: Ours) -> dict[str, str]:
    """Version of the server and of its Java."""
    nodes = side.store.request("GET", "/_nodes/jvm", timeout=10)["nodes"].values()
    return {
        "elasticsearch": next(one["version"] for one in nodes),
        "java": next(one["jvm"]["version"] for one in nodes),
    }
