"""A rebuild happens beside the index in use; the switch is one step, and a failed rebuild changes nothing."""

import re
import threading

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.contract import Source
from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, StoreUnavailable
from components.stores.elasticsearch.index import indices as elasticsearch_index
from components.stores.elasticsearch.index import rebuild as elasticsearch_versions
from elasticsearch_server.proxy import Exchange, Proxy

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def store(elasticsearch_url, index_name):
    store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0)
    store.write_documents(documents("old"))
    store.sources.put([source("old")])
    yield store
    store.close()


def documents(word: str) -> list[Document]:
    return [Document(id=f"{word}{i}", content=f"the {word} tower {i}", embedding=[1.0, i, 0, 0]) for i in range(20)]


def source(name: str) -> Source:
    return Source(name, f"/docs/{name}.txt", "hash", "fingerprint", "v1", "indexed", text="text of " + name)


def indices(store: ElasticsearchDocumentStore) -> set[str]:
    return set(store.request("GET", f"/{store.index}*/_alias", timeout=10))


def words(store: ElasticsearchDocumentStore) -> set[str]:
    """Whose passages and sources they are that the aliases show: one word, unless versions are mixed."""
    store.active.forget()
    return {one.id.rstrip("0123456789") for one in store.filter_documents()} | {
        one.source_id for one in store.sources.all()
    }


def version(store: ElasticsearchDocumentStore, number: int) -> set[str]:
    return {f"{store.index}-v{number:06d}", f"{store.index}-v{number:06d}-sources"}


def rebuild(store: ElasticsearchDocumentStore, word: str = "new", within: float = 60.0) -> None:
    """:param within: seconds for the switch."""
    with pytest.MonkeyPatch.context() as patched, store.rebuilt() as new:
        new.write_documents(documents(word))
        new.sources.put([source(word)])
        patched.setattr(elasticsearch_versions, "_TIMEOUT", within)


def test_another_embedder_and_language_beside_the_old(store, elasticsearch_url):
    with store.rebuilt(language="de", embedding_dimension=3) as new:
        new.write_documents([Document(id="neu", content="Die Türme", embedding=[1.0, 0, 0])])
        new.sources.put([source("new")])
        assert store.hybrid_search(["old tower"], [[1.0, 0, 0, 0]], top_k=1)[0][0].content == "the old tower 0"
        assert [one.source_id for one in store.sources.all()] == ["old"]
    settings = {"hosts": elasticsearch_url, "index": store.index, "language": "de"}
    after = ElasticsearchDocumentStore(**settings)
    assert [one.id for one in after.hybrid_search(["Turm"], [[1.0, 0, 0]], top_k=5)[0]] == ["neu"]
    assert [one.source_id for one in after.sources.all()] == ["new"]
    assert indices(after) == {f"{store.index}-v000002", f"{store.index}-v000002-sources"}
    with pytest.raises(ElasticsearchStoreError, match="language"):
        store.count_documents()
    after.close()


def test_a_failed_rebuild_leaves_everything_as_it_was(store):
    before = indices(store)
    with pytest.raises(RuntimeError, match="the embedder broke"), store.rebuilt() as new:
        new.write_documents(documents("new"))
        raise RuntimeError("the embedder broke")
    assert indices(store) == before
    assert {one.id for one in store.filter_documents()} == {one.id for one in documents("old")}
    assert store.sources.get("old") == source("old")


def test_a_killed_rebuild_is_cleared_away_by_the_next(store):
    killed = store.rebuilt()
    killed.__enter__().write_documents(documents("killed"))
    assert len(indices(store)) == 4
    with store.rebuilt() as new:
        new.write_documents(documents("new"))
    assert {one.id for one in store.filter_documents()} == {one.id for one in documents("new")}
    assert len(indices(store)) == 2


def test_each_question_gets_one_version_whole(store):
    """Questions go on during ten rebuilds; every answer is of one version, and none fails."""
    errors: list[Exception] = []
    mixed: list[set[str]] = []
    stop = threading.Event()
    asking = ElasticsearchDocumentStore(hosts=store.settings.hosts, index=store.index, replicas=0)

    def ask() -> None:
        while not stop.is_set():
            try:
                [found] = asking.hybrid_search(["tower"], [[1.0, 1.0, 0, 0]], top_k=10)
                words = {one.id.rstrip("0123456789") for one in found}
                if len(words) != 1 or len(found) != 10:
                    mixed.append(words)
            except Exception as error:
                errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for number in range(5):
            with store.rebuilt() as new:
                new.write_documents(documents("abcde"[number]), DuplicatePolicy.OVERWRITE)
    finally:
        stop.set()
        thread.join()
        asking.close()
    assert errors == []
    assert mixed == []


def test_an_index_without_alias_is_not_touched(elasticsearch_url, index_name):
    store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0)
    store.request("PUT", f"/{index_name}", {"mappings": {"properties": {"id": {"type": "keyword"}}}}, timeout=10)
    with pytest.raises(ElasticsearchStoreError), store.rebuilt():
        pass
    store.close()


class TestLostReplies:
    """The switch is sent, and what became of it is not told."""

    @pytest.fixture
    def proxy(self, elasticsearch_url):
        with Proxy(elasticsearch_url) as proxy:
            yield proxy

    @pytest.fixture
    def behind(self, store, proxy):
        behind = ElasticsearchDocumentStore(hosts=proxy.url, index=store.index, replicas=0)
        yield behind
        behind.close()

    def test_a_switch_that_happened_stands(self, store, behind, proxy):
        def swallow(exchange: Exchange) -> None:
            exchange.silent = exchange.path == "/_aliases"
            if exchange.silent:
                elasticsearch_versions._TIMEOUT = 60.0  # for what comes after

        proxy.rule = swallow
        rebuild(behind, within=3.0)
        assert words(store) == {"new"}
        assert indices(store) == version(store, 2)

    def test_nothing_is_deleted_while_the_alias_cannot_be_read(self, store, behind, proxy, monkeypatch):
        def part(exchange: Exchange) -> None:
            if exchange.path == "/_aliases":
                proxy.partitioned = True
                elasticsearch_index.TIMEOUT = 1.0

        monkeypatch.setattr(elasticsearch_index, "TIMEOUT", 60.0)  # put back at the end
        proxy.rule = part
        with pytest.raises(ElasticsearchStoreError, match=r"is not known.*Nothing in use was deleted.*--rebuild"):
            rebuild(behind, within=3.0)
        elasticsearch_index.TIMEOUT = 60.0
        assert indices(store) == version(store, 1) | version(store, 2)
        assert words(store) == {"new"}
        rebuild(store, "later")
        assert words(store) == {"later"}
        assert len(indices(store)) == 2

    @pytest.mark.parametrize("sent", [True, False])
    def test_an_interrupt_at_the_switch(self, store, monkeypatch, sent):
        send = store.requests.send

        def interrupted(method: str, path: str, body=None, **settings):
            if path == "/_aliases" and not done:
                done.append(path)
                if sent:
                    send(method, path, body, **settings)
                raise KeyboardInterrupt
            return send(method, path, body, **settings)

        done: list[str] = []
        monkeypatch.setattr(store.requests, "send", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rebuild(store)
        assert words(store) == ({"new"} if sent else {"old"})
        assert indices(store) == version(store, 2 if sent else 1)

    def test_a_switch_that_is_carried_out_after_the_look_at_the_alias(self, store, monkeypatch):
        """It was still in the server's queue: whatever comes first, one whole version is left."""
        send = store.requests.send
        queued: list = []

        def late(method: str, path: str, body=None, **settings):
            if path == "/_aliases":
                queued.append((method, path, body))
                if len(queued) == 1:
                    raise StoreUnavailable("no reply")
                send(*queued[0], **settings)
            return send(method, path, body, **settings)

        monkeypatch.setattr(store.requests, "send", late)
        with pytest.raises(StoreUnavailable, match="no reply"):
            rebuild(store)
        assert words(store) == {"old"}
        assert indices(store) == version(store, 1)


class TestWhatIsNotOurs:
    def test_indices_that_only_have_such_a_name_are_left_alone(self, store, index_name):
        mark = {"mappings": {"_meta": {"excerpt": {}}}}
        theirs = {
            f"{index_name}-v000002": {},
            f"{index_name}-v000003-sources": {},
            f"{index_name}-v000004": {**mark, "aliases": {f"{index_name}-somebodys": {}}},
            f"{index_name}-v2024": mark,
            f"{index_name}-v2024-sources": mark,
            f"{index_name}-vnext": mark,
        }
        for name, body in theirs.items():
            store.request("PUT", f"/{name}", body, timeout=10)
        rebuild(store)
        assert indices(store) == theirs.keys() | version(store, 5)
        rebuild(store, "later")
        assert indices(store) == theirs.keys() | version(store, 6)
        assert words(store) == {"later"}

    def test_what_was_left_by_halves_or_with_a_mapping_of_ones_own_is_cleared(self, store, index_name):
        store.request("PUT", f"/{index_name}-v000003-sources", {"mappings": {"_meta": {"excerpt": {}}}}, timeout=10)
        mapping = {"properties": {"id": {"type": "keyword"}}}
        own = ElasticsearchDocumentStore(hosts=store.settings.hosts, index=index_name, custom_mapping=mapping)
        own.make_version(f"{index_name}-v000005").close()
        own.close()
        rebuild(store)
        assert len(indices(store)) == 2
        assert words(store) == {"new"}

    @pytest.mark.parametrize("suffix", ["", "-sources"])
    def test_an_alias_of_the_users_own_is_told_and_not_touched(self, store, index_name, suffix):
        theirs = f"{index_name}-of-mine"
        store.request("PUT", f"/{theirs}", {"aliases": {f"{index_name}{suffix}": {}}}, timeout=10)
        store.request("DELETE", f"/{index_name}-v000001{suffix}", timeout=10)
        before = indices(store)
        told = rf"names the index {theirs}, .*only {index_name}-v000001{suffix} .*EXCERPT_INDEX"
        with pytest.raises(ElasticsearchStoreError, match=told), store.rebuilt():
            pass
        assert indices(store) == before


class TestRecreated:
    def test_under_its_own_version(self, store):
        rebuild(store)
        store.delete_all_documents(recreate_index=True)
        assert indices(store) == version(store, 2)
        assert words(store) == set()
        store.write_documents(documents("again"))
        store.sources.put([source("again")])
        assert words(store) == {"again"}
        rebuild(store, "later")
        assert words(store) == {"later"}
        assert indices(store) == version(store, 3)

    def test_killed_between_deleting_and_making(self, store):
        rebuild(store)
        store.request("DELETE", f"/{store.index}-v000002", timeout=10)
        store.active.forget()
        store.write_documents(documents("new"))
        assert indices(store) == version(store, 2)

    def test_aliases_that_name_two_versions_are_brought_together(self, store):
        """As recreating left them once: passages of version 1, sources of version 2."""
        rebuild(store)
        store.request("DELETE", f"/{store.index}-v000002", timeout=10)
        store.indices._create(f"{store.index}-v000001", store.index, passages=True)
        with pytest.raises(RuntimeError, match="broke"), store.rebuilt():
            raise RuntimeError("broke")
        assert words(store) == {"new"}, "the record of sources is as it was"
        rebuild(store, "later")
        assert words(store) == {"later"}
        assert indices(store) == version(store, 3)

    @pytest.mark.parametrize("suffix", ["", "-sources"])
    def test_a_version_is_never_begun_in_an_index_that_is_there(self, store, suffix):
        name = f"{store.index}-v000007{suffix}"
        store.request("PUT", f"/{name}", {}, timeout=10)
        with pytest.raises(ElasticsearchStoreError, match=f"{re.escape(name)} is there already"):
            store.make_version(f"{store.index}-v000007")
        assert name in indices(store)

    def test_sources_that_no_alias_names_are_told(self, store):
        store.request("DELETE", f"/{store.index}-v000001-sources", timeout=10)
        store.request("PUT", f"/{store.index}-v000001-sources", {}, timeout=10)
        store.active.forget()
        with pytest.raises(ElasticsearchStoreError, match="there already, but no alias"):
            store.sources.put([source("old")])


def test_what_stops_the_switch_is_asked_directly_before_it(store):
    asked = []

    def stop() -> None:
        asked.append(store.request("GET", f"/{store.index}-v000002/_settings", timeout=10))
        raise RuntimeError("the lock is lost")

    with pytest.raises(RuntimeError, match="the lock is lost"), store.rebuilt(before_switch=stop) as new:
        new.write_documents(documents("new"))
    held = asked[0][f"{store.index}-v000002"]["settings"]["index"].get("refresh_interval")
    assert held is None, "loading had ended"
    assert words(store) == {"old"}
    assert indices(store) == version(store, 1)
