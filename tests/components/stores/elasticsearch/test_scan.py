"""Reading everything outlives the point in time it reads from: a real one, closed in the middle."""

from collections.abc import Callable
from typing import Any

import pytest
from haystack import Document

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import PartialResult
from components.stores.elasticsearch.scan import scan

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def store(elasticsearch_url, index_name):
    store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0)
    store.write_documents([Document(id=f"{i:02}", content=f"passage {i}") for i in range(23)])
    yield store
    store.close()


class Losing:
    """Sends requests, and closes the point in time of the searches that `when` names by number."""

    def __init__(self, store: ElasticsearchDocumentStore, when: Callable[[int], bool]) -> None:
        self.store, self.when = store, when
        self.searches = 0

    def send(self, method: str, path: str, body: Any = None, **settings: Any) -> Any:
        if path == "/_search":
            self.searches += 1
            if self.when(self.searches):
                self.store.request("DELETE", "/_pit", {"id": body["pit"]["id"]}, timeout=10)
        return self.store.request(method, path, body, **settings)


def test_a_lost_point_in_time_loses_and_repeats_nothing(store):
    found = scan(Losing(store, lambda number: number in (3, 5)), store.index, None, False, 30.0, page=5)
    ids = [hit["_id"] for hit in found]
    assert sorted(ids) == [f"{i:02}" for i in range(23)]


def test_one_that_is_always_lost_is_an_error(store):
    with pytest.raises(PartialResult, match="lost 5 times"):
        list(scan(Losing(store, lambda number: True), store.index, None, False, 30.0, page=5))
