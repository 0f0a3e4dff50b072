"""Our own suite for stores, over a real Elasticsearch."""

import pytest

from components.stores.elasticsearch import ElasticsearchDocumentStore
from tests.components.stores.filter_suite import FilterSuite
from tests.components.stores.store_suite import ContractSuite, HybridStoreSuite, SourceRecordSuite

pytestmark = pytest.mark.elasticsearch


class StoreFixture:
    @pytest.fixture
    def document_store(self, elasticsearch_url, index_name):
        store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0)
        yield store
        store.close()


class TestHybridSearch(StoreFixture, HybridStoreSuite):
    pass


class TestSources(StoreFixture, SourceRecordSuite):
    pass


class TestContract(StoreFixture, ContractSuite):
    pass


class TestFilters(StoreFixture, FilterSuite):
    pass
