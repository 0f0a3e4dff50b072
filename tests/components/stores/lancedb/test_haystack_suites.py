"""Haystack's own suites for document stores, synchronous and asynchronous, over the embedded store."""

import pytest

from components.stores.lancedb import LanceDBDocumentStore
from tests.components.stores.haystack_suites import Asynchronous, Synchronous


class StoreFixture:
    @pytest.fixture
    def document_store(self, tmp_path):
        store = LanceDBDocumentStore(tmp_path / "store", durable=False)
        yield store
        store.close()


class TestSynchronous(StoreFixture, Synchronous):
    pass


class TestAsynchronous(StoreFixture, Asynchronous):
    pass
