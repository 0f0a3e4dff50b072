"""Writing to a slow or torn server: what was refused is sent again, and nothing is acknowledged that is not there."""

import time
from collections import Counter

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch.client.errors import (
    RefusedDocuments,
    StoreUnavailable,
)
from components.stores.elasticsearch.index.bulk import BulkWriter
from elasticsearch_server.proxy import Exchange
from tests.components.stores.elasticsearch.faults.behind_proxy import documents, only

pytestmark = pytest.mark.elasticsearch


class TestWriting:
    def test_refused_items_are_sent_again_until_all_are_in(self, make_store, proxy, elasticsearch_url):
        """A fifth of the items get 429 and 503 though the request gets 200; what was done is done all the same."""
        seen: Counter[str] = Counter()

        def refuse(exchange: Exchange) -> None:
            reply = exchange.json
            for item in reply["items"]:
                about = item["index"]
                seen[about["_id"]] += 1
                if seen[about["_id"]] == 1 and int(about["_id"]) % 5 == 0:
                    about["status"] = 429 if int(about["_id"]) % 2 else 503
                    about["error"] = {"type": "es_rejected_execution_exception", "reason": "rejected"}
            exchange.json = reply

        proxy.rule = only("_bulk", refuse)
        store = make_store(proxy.url, bulk_bytes=1 << 16)
        assert store.write_documents(documents(1000), DuplicatePolicy.OVERWRITE) == 1000
        assert make_store(elasticsearch_url).count_documents() == 1000
        assert max(seen.values()) == 2

    def test_refused_for_good_are_listed_with_their_reasons_and_the_others_are_in(self, make_store, elasticsearch_url):
        store = make_store(elasticsearch_url)
        store.write_documents([Document(id="first", content="x", meta={"year": 1999})])
        mixed = documents(300)
        for document in mixed[::100]:
            document.meta["year"] = "long ago SECRET-TEXT"
        with pytest.raises(RefusedDocuments, match="document 00100: field year") as caught:
            store.write_documents(mixed)
        assert [one.id for one in caught.value.refused] == ["00000", "00100", "00200"]
        assert "meta_fields" in str(caught.value)
        assert "SECRET-TEXT" not in str(caught.value)
        assert store.count_documents() == 298

    @pytest.mark.parametrize(
        "change",
        [
            {"cut_at": 40},
            {"cut_at": 40, "reset": True},
            {"body": b'{"items": [{"index": {'},
            {"body": b'{"items": []}'},
            {"status": 502, "body": b"<html>bad gateway</html>"},
        ],
        ids=["cut", "reset", "cut json", "no items", "502"],
    )
    @pytest.mark.parametrize("policy", [DuplicatePolicy.OVERWRITE, DuplicatePolicy.FAIL, DuplicatePolicy.SKIP])
    def test_a_lost_reply_loses_and_doubles_nothing(self, make_store, proxy, elasticsearch_url, change, policy):
        """The server has written, and we did not hear of it: with FAIL, what we find there then is our own."""
        torn = []

        def tear_once(exchange: Exchange) -> None:
            if not torn:
                torn.append(exchange)
                vars(exchange).update(change)

        proxy.rule = only("_bulk", tear_once)
        assert make_store(proxy.url).write_documents(documents(50), policy) == 50
        assert make_store(elasticsearch_url).count_documents() == 50

    def test_a_lost_reply_does_not_hide_a_true_duplicate(self, make_store, proxy, elasticsearch_url):
        from haystack.document_stores.errors import DuplicateDocumentError

        make_store(elasticsearch_url).write_documents([Document(id="00007", content="another text")])
        torn = []

        def tear_once(exchange: Exchange) -> None:
            if not torn:
                torn.append(exchange)
                exchange.cut_at = 10

        proxy.rule = only("_bulk", tear_once)
        with pytest.raises(DuplicateDocumentError, match=r"00007$"):
            make_store(proxy.url).write_documents(documents(50))

    def test_a_server_that_never_recovers_is_an_error_in_time(self, make_store, proxy):
        def refuse(exchange: Exchange) -> None:
            exchange.status, exchange.body = 503, b'{"error": {"type": "master_not_discovered_exception"}}'

        store = make_store(proxy.url, write_timeout=1.0)
        store.warm_up()
        store.write_documents(documents(1))
        proxy.rule = only("_bulk", refuse)
        start = time.monotonic()
        with pytest.raises(StoreUnavailable, match="gave up after 1 s"):
            store.write_documents(documents(10), DuplicatePolicy.OVERWRITE)
        assert time.monotonic() - start < 6

    def test_what_stopped_a_write_is_told_although_nothing_can_be_refreshed_then(self, make_store, proxy):
        def refuse(exchange: Exchange) -> None:
            if "_bulk" in exchange.path or "_refresh" in exchange.path:
                exchange.status, exchange.body = 503, b'{"error": {"type": "master_not_discovered_exception"}}'

        store = make_store(proxy.url, write_timeout=10.0)
        store.write_documents(documents(1))
        store.passages._make_writer = lambda target: BulkWriter(
            store.requests, target, connections=1, max_bytes=1 << 20, write_timeout=1.0
        )
        proxy.rule = refuse
        start = time.monotonic()
        with pytest.raises(StoreUnavailable, match="gave up after 1 s"):
            store.write_documents(documents(10), DuplicatePolicy.OVERWRITE)
        assert time.monotonic() - start < 8.0, "and the patience for the refresh is not waited for"
