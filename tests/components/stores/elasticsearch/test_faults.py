"""A slow, torn or lying server: our deadline holds, what was refused is sent again, and nothing is silently fewer."""

import asyncio
import logging
import threading
import time
import traceback
from collections import Counter

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import (
    ElasticsearchStoreError,
    PartialResult,
    RefusedDocuments,
    StoreUnavailable,
)
from components.stores.elasticsearch.index.bulk import BulkWriter
from components.stores.fusion import Fusion
from elasticsearch_server.proxy import Exchange, Proxy

pytestmark = pytest.mark.elasticsearch
BOTH = Fusion(words_weight=0.5, candidates=10)


def documents(count: int) -> list[Document]:
    return [
        Document(id=f"{i:05}", content=f"passage number {i} of many", embedding=[1.0, i / count, 0.0, 1.0])
        for i in range(count)
    ]


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


def only(path: str, change):
    """A rule for requests to one path."""

    def rule(exchange: Exchange) -> None:
        if path in exchange.path:
            change(exchange)

    return rule


def ask_at_once(store: ElasticsearchDocumentStore, count: int) -> list[float]:
    """Seconds after which each of so many threads was told that the store is not there."""
    took: list[float] = []

    def ask() -> None:
        start = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.hybrid_search(["passage"], None)
        took.append(time.monotonic() - start)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


class TestQuestions:
    @pytest.mark.parametrize("how", ["slow", "trickle", "dripping", "silent"])
    def test_our_deadline_holds(self, filled, proxy, how):
        changes = {
            "slow": {"delay": 30.0},
            "trickle": {"bytes_per_second": 20},
            "dripping": {"dripping": True},
            "silent": {"silent": True},
        }[how]
        proxy.rule = only("_msearch", lambda exchange: vars(exchange).update(changes))
        start = time.monotonic()
        with pytest.raises(StoreUnavailable):
            filled.hybrid_search(["passage"], [[1.0, 0, 0, 0]], fusion=BOTH)
        assert time.monotonic() - start < 1.5 + 1.0

    def test_the_deadline_holds_for_all_requests_of_a_question_together(self, make_store, elasticsearch_url, proxy):
        """Each of its two requests is answered in time, but not both."""
        make_store(elasticsearch_url).write_documents(documents(10))
        store = make_store(proxy.url, timeout=3.0)
        assert len(store.hybrid_search(["passage"], None)[0]) == 10
        proxy.rule = only("search", lambda exchange: vars(exchange).update(delay=1.8))
        start = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.hybrid_search(["passage"], None)
        assert time.monotonic() - start < 3.0 + 1.0

    def test_the_deadline_holds_where_the_alias_is_switched_again_and_again(self, filled, proxy):
        def switch(exchange: Exchange) -> None:
            reply = exchange.json
            for number, one in enumerate(reply["responses"]):
                for hit in one["hits"]["hits"]:
                    hit["_index"] = f"version-{number}"
            exchange.json = reply
            exchange.delay = 0.8

        proxy.rule = only("_msearch", switch)
        start = time.monotonic()
        with pytest.raises(StoreUnavailable):
            filled.hybrid_search(["passage"], [[1.0, 0, 0, 0]], fusion=BOTH)
        assert time.monotonic() - start < 1.5 + 1.5

    def test_waiting_for_a_connection_counts(self, make_store, elasticsearch_url, proxy):
        make_store(elasticsearch_url).write_documents(documents(10))
        store = make_store(proxy.url, connections=1)
        assert len(store.hybrid_search(["passage"], None)[0]) == 10
        proxy.rule = only("_msearch", lambda exchange: vars(exchange).update(silent=True))
        took = ask_at_once(store, 6)
        assert len(took) == 6
        assert max(took) < 1.5 + 1.5
        proxy.rule = lambda exchange: None
        assert len(store.hybrid_search(["passage"], None)[0]) == 10

    def test_a_connection_given_up_in_the_middle_of_a_reply_does_not_take_its_place_along(
        self, make_store, elasticsearch_url, proxy
    ):
        make_store(elasticsearch_url).write_documents(documents(10))
        store = make_store(proxy.url, connections=1)
        assert len(store.hybrid_search(["passage"], None)[0]) == 10
        proxy.rule = only("_msearch", lambda exchange: vars(exchange).update(bytes_per_second=20))
        assert len(ask_at_once(store, 1)) == 1
        proxy.rule = lambda exchange: None
        assert len(store.hybrid_search(["passage"], None)[0]) == 10

    @pytest.mark.parametrize("path", ["_alias", "_mapping"])
    def test_the_deadline_holds_for_the_first_question_too(self, make_store, elasticsearch_url, proxy, path):
        """Which asks where the index is and what is in it; those that wait for its answer wait no longer."""
        make_store(elasticsearch_url).write_documents(documents(10))
        store = make_store(proxy.url)
        proxy.rule = only(path, lambda exchange: vars(exchange).update(silent=True))
        took = ask_at_once(store, 4)
        assert len(took) == 4
        assert max(took) < 1.5 + 2.5

    def test_more_winners_than_one_search_may_return(self, make_store, elasticsearch_url):
        """Elasticsearch refuses to return more than 10,000 at once, which many questions have together."""
        store = make_store(elasticsearch_url, timeout=60.0, write_timeout=120.0)
        words = {"alpha": 5_100, "beta": 5_100}
        store.write_documents(
            [Document(id=f"{word}{i}", content=word) for word, count in words.items() for i in range(count)]
        )
        found = store.hybrid_search(list(words), None, top_k=5_100)
        assert [{one.content for one in passages} for passages in found] == [{"alpha"}, {"beta"}]
        assert [len(passages) for passages in found] == list(words.values())

    async def test_the_deadline_holds_for_many_at_once_and_threads_do_not_pile_up(self, filled, proxy):
        proxy.rule = only("_msearch", lambda exchange: vars(exchange).update(silent=True))
        before = threading.active_count()
        asked = [filled.hybrid_search_async(["passage"], None) for _ in range(40)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(result, StoreUnavailable) for result in results)
        assert threading.active_count() <= before + 16
        proxy.rule = lambda exchange: None
        assert len((await filled.hybrid_search_async(["passage"], None))[0]) == 10

    @pytest.mark.parametrize(
        "change",
        [
            {"cut_at": 60},
            {"cut_at": 60, "reset": True},
            {"cut_at": 0},
            {"body": b'{"responses": [{"hits": {"hits": ['},
            {"body": b"\x00\xff garbage"},
            {"body": b"{}"},
            {"body": b'{"responses": []}'},
            {"status": 503, "body": b'{"error": {"type": "x", "reason": "y"}, "status": 503}'},
            {"status": 429, "body": b'{"error": {"type": "circuit_breaking_exception", "reason": "y"}, "status": 429}'},
        ],
        ids=["cut", "reset", "no body", "cut json", "garbage", "empty", "too few", "503", "429"],
    )
    @pytest.mark.parametrize("path", ["/_msearch", "/_search"])
    def test_what_is_torn_once_is_asked_again(self, filled, proxy, change, path):
        torn = []

        def tear_once(exchange: Exchange) -> None:
            if not torn:
                torn.append(exchange)
                vars(exchange).update(change)

        proxy.rule = only(path, tear_once)
        assert len(filled.hybrid_search(["passage"], [[1.0, 0, 0, 0]], fusion=BOTH)[0]) == 10
        assert torn

    @pytest.mark.parametrize("how", ["failed", "timed_out"])
    def test_failed_shards_are_an_error_never_fewer_passages(self, filled, proxy, how):
        def lie(exchange: Exchange) -> None:
            reply = exchange.json
            for one in reply["responses"]:
                one["hits"]["hits"] = one["hits"]["hits"][:3]
                if how == "failed":
                    one["_shards"] = {"failed": 1}
                else:
                    one["timed_out"] = True
            exchange.json = reply

        proxy.rule = only("_msearch", lie)
        with pytest.raises(PartialResult, match="incomplete"):
            filled.hybrid_search(["passage"], [[1.0, 0, 0, 0]], fusion=BOTH)


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
