"""`quantisation: auto`: a small collection is searched without a graph, and gets one when it has grown."""

import numpy as np
import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError
from components.stores.elasticsearch.index import bulk_load as elasticsearch_loading
from components.stores.elasticsearch.index import mapping as elasticsearch_mapping

pytestmark = pytest.mark.elasticsearch
SMALL = 40


@pytest.fixture
def make(elasticsearch_url, index_name, monkeypatch):
    monkeypatch.setattr(elasticsearch_mapping, "_FLAT_UP_TO", SMALL)
    made = []

    def make(**settings) -> ElasticsearchDocumentStore:
        store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0, **settings)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


def documents(first: int, count: int, dims: int) -> list[Document]:
    vectors = np.random.default_rng(first).normal(size=(count, dims))
    return [
        Document(id=f"{first + i}", content=f"passage {i}", embedding=row.tolist()) for i, row in enumerate(vectors)
    ]


def load(store: ElasticsearchDocumentStore, passages: list[Document]) -> None:
    with store.loading():
        store.write_documents(passages, DuplicatePolicy.OVERWRITE)


def kind(store: ElasticsearchDocumentStore) -> str:
    reply = store.request("GET", f"/{store.index}/_mapping", timeout=10)
    return next(iter(reply.values()))["mappings"]["properties"]["embedding"]["index_options"]["type"]


def nearest_itself(store: ElasticsearchDocumentStore, passages: list[Document]) -> bool:
    found = store.hybrid_search(["?"] * len(passages), [one.embedding for one in passages], top_k=1)
    return [documents[0].id for documents in found] == [one.id for one in passages]


@pytest.mark.parametrize(("dims", "expected"), [(384, "bbq_hnsw"), (8, "int8_hnsw")])
def test_a_collection_that_grows_gets_a_graph(make, dims, expected):
    store, few, more = make(), documents(0, SMALL, dims), documents(SMALL, SMALL, dims)
    load(store, few)
    assert kind(store) == "int8_flat"
    assert nearest_itself(store, few)
    load(store, more)
    assert kind(store) == expected
    assert nearest_itself(store, few + more)


def test_a_large_first_load_gets_its_graph_at_the_end(make):
    store, passages = make(), documents(0, 2 * SMALL, 384)
    with store.loading():
        store.write_documents(passages, DuplicatePolicy.OVERWRITE)
        assert kind(store) == "int8_flat"
    assert kind(store) == "bbq_hnsw"
    assert nearest_itself(store, passages)


def test_what_was_written_before_the_graph_began_gets_it_too(make, monkeypatch):
    monkeypatch.setattr(elasticsearch_loading, "_GRAPH_FROM", SMALL)
    store, passages = make(quantisation="int8_hnsw"), documents(0, 3 * SMALL, 8)
    with store.loading():
        for first in range(0, len(passages), 10):
            store.write_documents(passages[first : first + 10])
            store.request("POST", f"/{store.index}/_refresh", timeout=10)
        assert kind(store) == "int8_hnsw"
    [index] = store.request("GET", f"/{store.index}/_segments", timeout=10)["indices"].values()
    assert [len(copy["segments"]) for copies in index["shards"].values() for copy in copies] == [1]
    assert nearest_itself(store, passages)


def test_what_is_written_without_loading_finds_a_graph(make):
    store = make()
    store.write_documents(documents(0, 3, 8))
    assert kind(store) == "int8_hnsw"


def test_auto_fits_an_index_made_otherwise_but_not_the_other_way_round(make):
    load(make(quantisation="int8_hnsw"), documents(0, 3, 8))
    store = make()
    assert store.count_documents() == 3
    store.delete_all_documents(recreate_index=True)
    with pytest.raises(ElasticsearchStoreError, match="quantisation is 'auto' in the index"):
        make(quantisation="flat").count_documents()


def test_a_server_that_does_not_know_a_kind_gets_the_next(make, monkeypatch):
    def graphs(design, dims, passages):
        return [{"type": "of_the_future_hnsw"}, {"type": "int8_hnsw"}]

    monkeypatch.setattr(elasticsearch_mapping.IndexDesign, "graphs", graphs)
    store = make()
    load(store, documents(0, 3, 8))
    assert kind(store) == "int8_hnsw"
