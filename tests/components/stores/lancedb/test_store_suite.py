"""Our own suite over the embedded store."""

import pytest

from components.stores.lancedb import LanceDBDocumentStore
from tests.components.stores.filter_suite import FilterSuite
from tests.components.stores.store_suite import ContractSuite, HybridStoreSuite, SourceRecordSuite


class TestHybridSearch(HybridStoreSuite):
    def settle(self, store):
        store.optimise()

    @pytest.fixture
    def document_store(self, tmp_path):
        store = LanceDBDocumentStore(tmp_path / "store", durable=False)
        yield store
        store.close()


class TestSourceRecord(SourceRecordSuite):
    @pytest.fixture
    def document_store(self, tmp_path):
        store = LanceDBDocumentStore(tmp_path / "store", durable=False)
        yield store
        store.close()


class TestContract(ContractSuite):
    @pytest.fixture
    def document_store(self, tmp_path):
        store = LanceDBDocumentStore(tmp_path / "store", durable=False)
        yield store
        store.close()


class TestFilters(FilterSuite):
    @pytest.fixture
    def document_store(self, tmp_path):
        store = LanceDBDocumentStore(tmp_path / "store", durable=False)
        yield store
        store.close()
