"""Each cause is told with its remedy, and no error shows a secret or a passage."""

import logging
import time
import traceback

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch.client.errors import (
    ElasticsearchStoreError,
    RefusedDocuments,
    StoreUnavailable,
)
from elasticsearch_server.proxy import Exchange
from tests.components.stores.elasticsearch.faults.behind_proxy import documents, only

pytestmark = pytest.mark.elasticsearch


class TestCausesAndRemedies:
    def test_nobody_there(self, make_store):
        start = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"is it running.*ELASTICSEARCH_URL"):
            make_store("http://127.0.0.1:9", connect_timeout=1.0).count_documents()
        assert time.monotonic() - start < 4

    def test_waits_for_a_server_that_is_not_there_yet(self, make_store, proxy):
        def absent(exchange: Exchange) -> None:
            if exchange.number < 4:
                exchange.status, exchange.body = 503, b"{}"

        proxy.rule = absent
        assert make_store(proxy.url, connect_timeout=10.0).count_documents() == 0

    @pytest.mark.parametrize("url", ["localhost:9200", "ftp://localhost", ""])
    def test_wrong_address(self, make_store, url, monkeypatch):
        monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
        with pytest.raises(ElasticsearchStoreError, match="must start with http"):
            make_store(url).count_documents()

    def test_not_elasticsearch(self, make_store, proxy):
        def other(exchange: Exchange) -> None:
            exchange.body = b"<html>It works!</html>"

        proxy.rule = other
        with pytest.raises(ElasticsearchStoreError, match=r"is it Elasticsearch"):
            make_store(proxy.url, connect_timeout=0.5).count_documents()

    def test_too_old(self, make_store, proxy):
        def old(exchange: Exchange) -> None:
            reply = exchange.json
            reply["version"]["number"] = "8.14.3"
            exchange.json = reply

        proxy.rule = old
        with pytest.raises(ElasticsearchStoreError, match=r"8\.14\.3; 8\.15 or newer"):
            make_store(proxy.url).count_documents()

    def test_wrong_password_is_named_and_stays_secret(self, make_store, proxy, monkeypatch, caplog):
        caplog.set_level(logging.DEBUG)

        def denied(exchange: Exchange) -> None:
            exchange.status = 401
            exchange.body = (
                b'{"error": {"type": "security_exception", "reason": "unable to authenticate"}, "status": 401}'
            )

        proxy.rule = denied
        monkeypatch.setenv("ELASTICSEARCH_PASSWORD", "CANARY-SECRET")
        store = make_store(proxy.url)
        with pytest.raises(ElasticsearchStoreError, match="ELASTICSEARCH_PASSWORD") as caught:
            store.count_documents()
        told = f"{caught.value!r} {caplog.text} {store.to_dict()} {store!r}"
        assert "CANARY-SECRET" not in told
        assert caught.value.__cause__ is None

    def test_password_in_the_address_is_not_told(self, make_store, caplog):
        caplog.set_level(logging.DEBUG)
        with pytest.raises(StoreUnavailable) as caught:
            make_store("http://elastic:CANARY-SECRET@127.0.0.1:9", connect_timeout=0.3).count_documents()
        assert "CANARY-SECRET" not in f"{caught.value} {caplog.text}"

    @pytest.mark.parametrize("letter", ["/", "?", "#", "12/", "[", "%2F/"])
    @pytest.mark.parametrize("port", [":9", ""], ids=["port", "no port"])
    async def test_password_that_breaks_the_address_is_not_told(self, make_store, caplog, letter, port):
        caplog.set_level(logging.DEBUG)
        store = make_store(f"http://elastic:{letter}CANARY-SECRET@127.0.0.1{port}", connect_timeout=0.3)
        for ask in (store.count_documents, store._create_async_client):
            with pytest.raises(ElasticsearchStoreError, match=r"percent-encoded.*ELASTICSEARCH_PASSWORD") as caught:
                ask()
            shown = "".join(traceback.format_exception(caught.value))
            assert "CANARY-SECRET" not in f"{shown} {caught.value!r} {caplog.text}"
            assert caught.value.__cause__ is None

    def test_read_only_index_is_named_and_goes_on_once_lifted(self, make_store, elasticsearch_url, index_name):
        store = make_store(elasticsearch_url, write_timeout=1.0)
        store.write_documents(documents(5))
        block, told = {"index.blocks.read_only_allow_delete": True}, ""
        for _ in range(5):  # the server's watch over its disks lifts the block when it finds room, every 30 seconds
            store.request("PUT", f"/{index_name}/_settings", block, timeout=5)
            try:
                store.write_documents(documents(5), DuplicatePolicy.OVERWRITE)
            except StoreUnavailable as error:
                told = str(error)
                break
        assert "disk is almost full" in told
        assert len(store.hybrid_search(["passage"], None)[0]) == 5
        store.request("PUT", f"/{index_name}/_settings", {"index.blocks.read_only_allow_delete": None}, timeout=5)
        assert store.write_documents(documents(10), DuplicatePolicy.OVERWRITE) == 10

    @pytest.mark.parametrize(
        "first, second", [("1999", 2005), (2005, "1999"), (True, "yes"), ([1], ["x"]), ("1999", True)]
    )
    def test_a_field_holds_one_type_whichever_comes_first(self, make_store, elasticsearch_url, first, second):
        store = make_store(elasticsearch_url)
        pair = [Document(id=name, content="x", meta={"year": year}) for name, year in (("a", first), ("b", second))]
        with pytest.raises(RefusedDocuments, match="document b: field year holds another type"):
            store.write_documents(pair)
        later = Document(id="c", content="x", meta={"at": {"place": "here"}, "year": second})
        with pytest.raises(RefusedDocuments, match="document c: field year holds another type"):
            make_store(elasticsearch_url).write_documents([later, Document(id="d", content="x", meta={"year": first})])
        assert {document.id for document in store.filter_documents()} == {"a", "d"}

    def test_a_field_whose_type_was_chosen_takes_what_fits_it(self, make_store, elasticsearch_url):
        store = make_store(elasticsearch_url, meta_fields={"version": "keyword"})
        versions = [Document(id=str(i), content="x", meta={"version": one}) for i, one in enumerate(["1a", 2])]
        assert store.write_documents(versions) == 2

    def test_an_id_longer_than_the_server_takes_costs_no_other(self, make_store, elasticsearch_url):
        store = make_store(elasticsearch_url)
        with pytest.raises(RefusedDocuments, match="the id is 600 bytes long"):
            store.write_documents([Document(id="é" * 300, content="x"), Document(id="é" * 256, content="x")])
        assert store.count_documents() == 1

    def test_mapping_explosion(self, make_store, elasticsearch_url):
        store = make_store(elasticsearch_url, max_fields=60)
        wide = Document(id="wide", content="x", meta={f"field{i}": i for i in range(100)})
        with pytest.raises(RefusedDocuments, match="document wide: its meta would make more than 60 fields"):
            store.write_documents([wide, Document(id="fine", content="x")])
        assert store.count_documents() == 1

    @pytest.mark.parametrize(
        ("settings", "named"),
        [
            ({"language": "de"}, "language is 'en' in the index and 'de'"),
            ({"quantisation": "flat"}, "quantisation"),
            ({"embedding_dimension": 768}, "embedding_dimension is 4"),
            ({"search_fields": {"content": 1.0, "author": 1.0}}, "search_fields names 'author'"),
        ],
    )
    def test_other_settings_than_the_index_was_made_with(self, make_store, elasticsearch_url, settings, named):
        make_store(elasticsearch_url).write_documents(documents(2))
        with pytest.raises(ElasticsearchStoreError, match=named):
            make_store(elasticsearch_url, **settings).count_documents()

    def test_a_request_too_large_is_parted(self, make_store, proxy, elasticsearch_url):
        """413 for bodies of more than 20 kB, as with a small http.max_content_length."""
        store = make_store(proxy.url)
        store.write_documents(documents(1))

        def too_large(exchange: Exchange) -> None:
            if len(exchange.json.get("items", [])) > 30:
                exchange.status, exchange.body = 413, b""

        proxy.rule = only("_bulk", too_large)
        assert store.write_documents(documents(200), DuplicatePolicy.OVERWRITE) == 200
        assert make_store(elasticsearch_url).count_documents() == 200
