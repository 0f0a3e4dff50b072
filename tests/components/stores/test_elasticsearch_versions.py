"""A rebuild happens beside the index in use; the switch is one step, and a failed rebuild changes nothing."""

import threading

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch_errors import ElasticsearchStoreError
from components.stores.elasticsearch_versions import rebuilt
from components.stores.sources import Source

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
    return set(store.request("GET", f"/{store.index}*/_alias", within=10))


def test_another_embedder_and_language_beside_the_old(store, elasticsearch_url):
    with rebuilt(store, language="german", embedding_dims=3) as new:
        new.write_documents([Document(id="neu", content="Die Türme", embedding=[1.0, 0, 0])])
        new.sources.put([source("new")])
        assert store.hybrid_search(["old tower"], [[1.0, 0, 0, 0]], top_k=1)[0][0].content == "the old tower 0"
        assert [one.source_id for one in store.sources.all()] == ["old"]
    settings = {"hosts": elasticsearch_url, "index": store.index, "language": "german"}
    after = ElasticsearchDocumentStore(**settings)
    assert [one.id for one in after.hybrid_search(["Turm"], [[1.0, 0, 0]], top_k=5)[0]] == ["neu"]
    assert [one.source_id for one in after.sources.all()] == ["new"]
    assert indices(after) == {f"{store.index}-v000002", f"{store.index}-v000002-sources"}
    with pytest.raises(ElasticsearchStoreError, match="language"):
        store.count_documents()
    after.close()


def test_a_failed_rebuild_leaves_everything_as_it_was(store):
    before = indices(store)
    with pytest.raises(RuntimeError, match="the embedder broke"), rebuilt(store) as new:
        new.write_documents(documents("new"))
        raise RuntimeError("the embedder broke")
    assert indices(store) == before
    assert {one.id for one in store.filter_documents()} == {one.id for one in documents("old")}
    assert store.sources.get("old") == source("old")


def test_a_killed_rebuild_is_cleared_away_by_the_next(store):
    killed = rebuilt(store)
    killed.__enter__().write_documents(documents("killed"))
    assert len(indices(store)) == 4
    with rebuilt(store) as new:
        new.write_documents(documents("new"))
    assert {one.id for one in store.filter_documents()} == {one.id for one in documents("new")}
    assert len(indices(store)) == 2


def test_each_question_gets_one_version_whole(store):
    """Questions go on during ten rebuilds; every answer is of one version, and none fails."""
    errors: list[Exception] = []
    mixed: list[set[str]] = []
    stop = threading.Event()
    asking = ElasticsearchDocumentStore(hosts=store._settings["hosts"], index=store.index, replicas=0)

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
            with rebuilt(store) as new:
                new.write_documents(documents("abcde"[number]), DuplicatePolicy.OVERWRITE)
    finally:
        stop.set()
        thread.join()
        asking.close()
    assert errors == []
    assert mixed == []


def test_an_index_without_alias_is_not_touched(elasticsearch_url, index_name):
    store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0)
    store.request("PUT", f"/{index_name}", {"mappings": {"properties": {"id": {"type": "keyword"}}}}, within=10)
    with pytest.raises(ElasticsearchStoreError), rebuilt(store):
        pass
    store.close()
