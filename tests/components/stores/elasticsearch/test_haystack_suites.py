"""Haystack's own suites for document stores, synchronous and asynchronous, over a real Elasticsearch."""

import pytest
from haystack import Document

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import RefusedDocuments
from tests.components.stores.haystack_suites import Asynchronous, Synchronous

pytestmark = pytest.mark.elasticsearch


class OneTypeAField:
    """An index holds one type a field: a second one is refused by name, where Haystack's suite wants both kept."""

    @staticmethod
    def test_get_metadata_field_unique_values_distinct_types(document_store):
        documents = [Document(content="one", meta={"priority": 1}), Document(content="two", meta={"priority": "1"})]
        with pytest.raises(RefusedDocuments, match="field priority holds another type"):
            document_store.write_documents(documents)


class OneTypeAFieldAsync:
    @staticmethod
    async def test_get_metadata_field_unique_values_distinct_types_async(document_store):
        OneTypeAField.test_get_metadata_field_unique_values_distinct_types(document_store)


class StoreFixture:
    @pytest.fixture
    def document_store(self, elasticsearch_url, index_name):
        store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0)
        yield store
        store.close()


class TestSynchronous(OneTypeAField, StoreFixture, Synchronous):
    pass


class TestAsynchronous(OneTypeAFieldAsync, StoreFixture, Asynchronous):
    pass
