"""A silent partition: nothing is closed and nothing arrives. Our own deadline holds, and all goes on when it heals."""

import threading
import time

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import StoreUnavailable
from elasticsearch_server.proxy import Exchange, Proxy
from indexing.run import index
from tests.elasticsearch.pipeline import build, files_in, store_of

pytestmark = [pytest.mark.elasticsearch, pytest.mark.slow]


@pytest.fixture
def proxy(elasticsearch_url):
    with Proxy(elasticsearch_url) as proxy:
        yield proxy


def documents(count: int) -> list[Document]:
    return [Document(id=f"{i:05}", content=f"passage number {i}", embedding=[1.0, i / count]) for i in range(count)]


def partition_at(proxy: Proxy, path: str, number: int, heal_after: float | None) -> list[float]:
    """Swallows everything from the `number`th request to `path` on, which the server has carried out."""
    began: list[float] = []
    seen = 0

    def rule(exchange: Exchange) -> None:
        nonlocal seen
        seen += path in exchange.path
        if seen >= number and not began:
            began.append(time.monotonic())
            proxy.partitioned = True
            if heal_after is not None:
                threading.Timer(heal_after, lambda: setattr(proxy, "partitioned", False)).start()

    proxy.rule = rule
    return began


def test_a_question_ends_in_time_and_the_next_one_after_it_heals_is_answered(proxy, index_name):
    store = ElasticsearchDocumentStore(hosts=proxy.url, index=index_name, replicas=0, timeout=3.0)
    store.write_documents(documents(10))
    assert len(store.hybrid_search(["passage"], [[1.0, 0.0]])[0]) == 10
    began = partition_at(proxy, "_msearch", 1, None)
    for _ in range(2):  # swallowed on the way back, then on the way there
        start = time.monotonic()
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            store.hybrid_search(["passage"], [[1.0, 0.0]])
        assert time.monotonic() - start < 3.0 + 2.0
    assert began
    proxy.partitioned = False
    start = time.monotonic()
    assert len(store.hybrid_search(["passage"], [[1.0, 0.0]])[0]) == 10
    assert time.monotonic() - start < 3.0
    store.close()


def test_loading_goes_on_when_it_heals_and_all_is_there_once(proxy, index_name, elasticsearch_url):
    """What was written before the reply was swallowed is ours, although it is there already."""
    store = ElasticsearchDocumentStore(
        hosts=proxy.url, index=index_name, replicas=0, write_timeout=30.0, bulk_bytes=1 << 16
    )
    began = partition_at(proxy, "_bulk", 2, 3.0)
    assert store.write_documents(documents(2000), DuplicatePolicy.FAIL) == 2000
    assert began
    assert time.monotonic() - began[0] > 3.0
    store.close()
    judge = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name)
    found = [one.id for one in judge.filter_documents()]
    assert sorted(found) == [one.id for one in documents(2000)]
    judge.close()


def test_one_that_does_not_heal_is_an_error_in_time(proxy, index_name):
    first = ElasticsearchDocumentStore(hosts=proxy.url, index=index_name, replicas=0)
    first.write_documents(documents(10))
    first.close()
    store = ElasticsearchDocumentStore(hosts=proxy.url, index=index_name, replicas=0, write_timeout=3.0)
    store.warm_up()
    began = partition_at(proxy, "_bulk", 1, None)
    with pytest.raises(StoreUnavailable, match=r"without progress|did not answer in time"):
        store.write_documents(documents(2000), DuplicatePolicy.OVERWRITE)
    assert time.monotonic() - began[0] < 3.0 + 2.0 + 8.0
    store.close()


@pytest.mark.parametrize("moment", ["_bulk", "_pit", "-lock/_doc"])
def test_an_index_run_outlives_it_wherever_it_begins(proxy, index_name, elasticsearch_url, tmp_path, moment):
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"House {number} stands on the northern rock. slow=0.3")
    pipeline = build(proxy.url, index_name, write_timeout=30.0)
    began = partition_at(proxy, moment, 3 if moment == "_bulk" else 2, 3.0)
    assert len(index(pipeline, [folder], batch_files=2).indexed) == 6
    assert began
    store_of(pipeline).close()
    judge = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name)
    assert files_in(judge) == {f"{number}.txt": 1 for number in range(6)}
    assert {one.state for one in judge.sources.all()} == {"indexed"}
    judge.close()
