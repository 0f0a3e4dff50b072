"""Haystack's own suites for document stores, synchronous and asynchronous, over a real Elasticsearch."""

from dataclasses import replace

import pytest
from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.testing import document_store as suites
from haystack.testing import document_store_async as async_suites

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch_errors import RefusedDocuments

pytestmark = pytest.mark.elasticsearch


class EmbeddingsAsFloat32:
    """The store keeps embeddings as float32; everything else must come back exactly."""

    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        assert [replace(one, embedding=None) for one in received] == [replace(one, embedding=None) for one in expected]
        for one, other in zip(received, expected, strict=True):
            assert one.embedding == (None if other.embedding is None else pytest.approx(other.embedding, rel=1e-6))


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


class TestSynchronous(
    EmbeddingsAsFloat32,
    OneTypeAField,
    StoreFixture,
    suites.DocumentStoreBaseExtendedTests,
    suites.CountDocumentsByFilterTest,
    suites.CountUniqueMetadataByFilterTest,
    suites.GetMetadataFieldsInfoTest,
    suites.GetMetadataFieldMinMaxTest,
    suites.GetMetadataFieldUniqueValuesTest,
):
    def test_write_documents(self, document_store):
        documents = [Document(id="1"), Document(id="2")]
        assert document_store.write_documents(documents) == 2
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents(documents, DuplicatePolicy.NONE)


class TestAsynchronous(
    EmbeddingsAsFloat32,
    OneTypeAFieldAsync,
    StoreFixture,
    async_suites.CountDocumentsAsyncTest,
    async_suites.CountDocumentsByFilterAsyncTest,
    async_suites.CountUniqueMetadataByFilterAsyncTest,
    async_suites.DeleteAllAsyncTest,
    async_suites.DeleteByFilterAsyncTest,
    async_suites.DeleteDocumentsAsyncTest,
    async_suites.FilterDocumentsAsyncTest,
    async_suites.GetMetadataFieldMinMaxAsyncTest,
    async_suites.GetMetadataFieldsInfoAsyncTest,
    async_suites.GetMetadataFieldUniqueValuesAsyncTest,
    async_suites.UpdateByFilterAsyncTest,
    async_suites.WriteDocumentsAsyncTest,
):
    async def test_write_documents_async(self, document_store):
        documents = [Document(id="1"), Document(id="2")]
        assert await document_store.write_documents_async(documents) == 2
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async(documents, DuplicatePolicy.NONE)
