"""A proxy before a real server, and stores behind it."""

import pytest

from components.stores.elasticsearch import ElasticsearchDocumentStore
from elasticsearch_server.proxy import Proxy
from tests.components.stores.elasticsearch.faults.behind_proxy import BOTH, documents


@pytest.fixture
def proxy(elasticsearch_url):
    with Proxy(elasticsearch_url) as proxy:
        yield proxy


@pytest.fixture
def make_store(index_name):
    stores = []

    def make(url: str, **settings) -> ElasticsearchDocumentStore:
        store = ElasticsearchDocumentStore(
            hosts=url,
            index=index_name,
            **{"replicas": 0, "timeout": 1.5, "write_timeout": 20.0, "connect_timeout": 2.0, **settings},
        )
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def filled(make_store, elasticsearch_url, proxy):
    """A store behind the proxy, with ten passages in it; its connection is open."""
    make_store(elasticsearch_url).write_documents(documents(10))
    store = make_store(proxy.url)
    store.warm_up()
    assert len(store.hybrid_search(["passage"], [[1.0, 0, 0, 0]], fusion=BOTH)[0]) == 10
    return store
