"""Questions to a slow, torn or lying server: our deadline holds, and nothing is silently fewer."""

import asyncio
import threading
import time

import pytest
from haystack import Document

from components.stores.elasticsearch.client.errors import (
    PartialResult,
    StoreUnavailable,
)
from elasticsearch_server.proxy import Exchange
from tests.components.stores.elasticsearch.faults.behind_proxy import BOTH, ask_at_once, documents, only

pytestmark = pytest.mark.elasticsearch


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
