"""Our own suite over the embedded store."""

import pytest
from store_suite import HybridStoreSuite, SourceRecordSuite

from components.stores.lancedb import LanceDBDocumentStore


class TestHybridSearch(HybridStoreSuite):
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
