"""Our own suite over the store in memory: what it takes to be a store of Excerpt is in the contract, and no more."""

import uuid
from pathlib import Path

import pytest

from tests.components.stores.memory.store import InMemoryStore
from tests.components.stores.store_suite import ContractSuite, HybridStoreSuite, SourceRecordSuite


class StoreFixture:
    @pytest.fixture
    def document_store(self):
        return InMemoryStore(uuid.uuid4().hex)


class TestHybridSearch(StoreFixture, HybridStoreSuite):
    pass


class TestSourceRecord(StoreFixture, SourceRecordSuite):
    pass


class TestContract(StoreFixture, ContractSuite):
    pass


def test_a_store_takes_less_than_150_lines():
    assert len(Path(__file__).with_name("store.py").read_text().splitlines()) < 150
