"""Nodes of a real cluster die while passages are written and questions asked: nothing is lost, nothing twice."""

import threading
import time
from collections.abc import Callable

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import StoreUnavailable
from components.stores.fusion import Fusion
from elasticsearch_server.node import Cluster, Node

pytestmark = [pytest.mark.elasticsearch, pytest.mark.slow]
BATCHES, A_BATCH = 24, 150
BOTH = Fusion(words_weight=0.5, candidates=10)


def batch(number: int) -> list[Document]:
    first = number * A_BATCH
    return [
        Document(
            id=f"{i:06}", content=f"passage number {i}", embedding=[1.0, i / 1e4, 0.5, 0.0], meta={"batch": number}
        )
        for i in range(first, first + A_BATCH)
    ]


def store_over(cluster: Cluster, **settings) -> ElasticsearchDocumentStore:
    return ElasticsearchDocumentStore(
        hosts=cluster.urls, index="passages", **{"replicas": 1, "write_timeout": 90.0, "timeout": 15.0, **settings}
    )


def wait_until_green(store: ElasticsearchDocumentStore) -> None:
    health = {"wait_for_status": "green", "timeout": "60s", "wait_for_no_initializing_shards": "true"}
    reply = store.request("GET", "/_cluster/health/passages*", params=health, timeout=70)
    assert reply["status"] == "green"


def load(store: ElasticsearchDocumentStore, at_batch: dict[int, Callable[[], None]]) -> int:
    """Writes all batches; before some of them something happens. Returns how many were acknowledged."""
    written = 0
    for number in range(BATCHES):
        at_batch.get(number, lambda: None)()
        written += store.write_documents(batch(number), DuplicatePolicy.OVERWRITE)
    return written


def all_there_once(store: ElasticsearchDocumentStore) -> None:
    found = [document.id for document in store.filter_documents()]
    assert len(found) == len(set(found))
    assert sorted(found) == [f"{i:06}" for i in range(BATCHES * A_BATCH)]
    assert store.count_documents() == BATCHES * A_BATCH


class Asking:
    """Asks questions in a thread until it is told to stop; keeps how long each took and what went wrong."""

    def __init__(self, store: ElasticsearchDocumentStore) -> None:
        self.seconds: list[float] = []
        self.errors: list[Exception] = []
        self.shortest = 10
        self._stop = threading.Event()
        self._store = store
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._stop.is_set():
            start = time.monotonic()
            try:
                [found] = self._store.hybrid_search(["passage number"], [[1.0, 0.1, 0.5, 0.0]], top_k=10, fusion=BOTH)
                self.shortest = min(self.shortest, len(found))
            except Exception as error:
                self.errors.append(error)
            self.seconds.append(time.monotonic() - start)
            time.sleep(0.02)

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(60)


def test_any_node_dies_during_loading_and_questions(three_nodes):
    """The elected master first, then, once it is back, another node; questions are asked all the while."""
    store = store_over(three_nodes)
    store.write_documents(batch(0), DuplicatePolicy.OVERWRITE)
    wait_until_green(store)
    killed: list[Node] = []

    def kill_master() -> None:
        killed.append(three_nodes.master())
        killed[0].kill()

    def bring_it_back() -> None:
        killed[0].start()
        killed[0].wait()
        three_nodes.wait_for_nodes(3)
        wait_until_green(store)

    def kill_another() -> None:
        killed.append(next(node for node in three_nodes.nodes if node is not killed[0]))
        killed[1].kill()

    with Asking(store_over(three_nodes)) as asking:
        written = load(store, {6: kill_master, 13: bring_it_back, 18: kill_another})
    assert written == BATCHES * A_BATCH
    all_there_once(store)
    assert asking.errors == []
    assert asking.shortest == 10
    assert max(asking.seconds) < 16.0
    assert len(asking.seconds) > 20


def test_questions_go_on_when_two_of_three_nodes_are_asked_in_vain(three_nodes):
    """A node that is gone is asked once, then left alone for a while."""
    store = store_over(three_nodes)
    store.write_documents(batch(0), DuplicatePolicy.OVERWRITE)
    wait_until_green(store)
    victim = next(node for node in three_nodes.nodes if node is not three_nodes.master())
    victim.kill()
    with Asking(store) as asking:
        time.sleep(8)
    assert asking.errors == []
    assert sorted(asking.seconds)[len(asking.seconds) // 2] < 1.0


def test_server_stops_in_the_middle_and_comes_back(own_node):
    store = store_over(own_node, replicas=0)
    node = own_node.nodes[0]

    def stop_and_start_later() -> None:
        node.stop()
        threading.Timer(3.0, node.start).start()

    assert load(store, {10: stop_and_start_later}) == BATCHES * A_BATCH
    all_there_once(store)


def test_server_dies_and_never_comes_back_then_the_next_run_finishes(own_node):
    store = store_over(own_node, replicas=0, write_timeout=3.0)
    node = own_node.nodes[0]
    start = time.monotonic()
    with pytest.raises(StoreUnavailable, match="no connection to Elasticsearch"):
        load(store, {10: node.kill})
    assert time.monotonic() - start < 60
    node.start()
    node.wait()
    store_over(own_node, replicas=0).request("GET", "/_cluster/health?wait_for_status=yellow&timeout=30s", timeout=40)
    assert load(store_over(own_node, replicas=0), {}) == BATCHES * A_BATCH
    all_there_once(store_over(own_node, replicas=0))


def test_first_load_holds_back_and_puts_back_whatever_happens(own_node):
    """Refreshes, replicas, the vectors' graph: held back while loading, put back at the end or after a killed load."""

    def settings() -> tuple[str | None, str | None]:
        reply = store.request("GET", "/passages/_settings?flat_settings=true", timeout=10)
        now = next(iter(reply.values()))["settings"]
        return now.get("index.refresh_interval"), now.get("index.number_of_replicas")

    def graph() -> str:
        reply = store.request("GET", "/passages/_mapping", timeout=10)
        return next(iter(reply.values()))["mappings"]["properties"]["embedding"]["index_options"]["type"]

    store = store_over(own_node, replicas=1, hold_back_replicas=True, quantisation="int8_hnsw")
    with store.loading():
        store.write_documents(batch(0), DuplicatePolicy.OVERWRITE)
        assert settings() == ("-1", "0")
        assert graph() == "int8_flat"
    assert settings() == (None, "1")
    assert graph() == "int8_hnsw"
    assert store.count_documents() == A_BATCH

    store.delete_all_documents(recreate_index=True)
    killed = store.loading()
    killed.__enter__()
    assert settings() == ("-1", "0")
    other = store_over(own_node, replicas=1, hold_back_replicas=True)
    other.warm_up()
    assert settings() == ("-1", "0"), "a load that may still be running is left alone"
    with other.loading():
        other.write_documents(batch(1), DuplicatePolicy.OVERWRITE)
    assert settings() == (None, "1")
    assert other.count_documents() == A_BATCH
