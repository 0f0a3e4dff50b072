"""The ways a search of the embedded store can take, against each other and against plain arithmetic."""

import numpy as np
import pytest
from haystack import Document

from components.stores.fusion import Fusion
from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb import passages as lancedb_passages
from components.stores.lancedb import search as lancedb_search
from components.stores.lancedb import table as lancedb_table

MEANING = Fusion(words_weight=0.0, candidates=10)
BOTH = Fusion(words_weight=0.5, candidates=10)
ODD = {"field": "meta.odd", "operator": "==", "value": True}


def documents(count: int, dimension: int) -> list[Document]:
    numbers = np.random.default_rng(3)
    vectors = numbers.standard_normal((count, dimension)).astype(np.float32)
    words = np.array(["iron", "stone", "tower", "bridge", "canal", "river", "ship", "lock", "wall", "gate"])
    return [
        Document(
            id=f"{n:04}",
            content=" ".join(numbers.choice(words, 8)),
            embedding=None if n % 50 == 7 else [0.0] * dimension if n % 50 == 8 else vector.tolist(),
            meta={"odd": bool(n % 2), "title": str(numbers.choice(words))},
        )
        for n, vector in enumerate(vectors)
    ]


def questions(count: int, dimension: int) -> tuple[list[str], list[list[float]]]:
    numbers = np.random.default_rng(4)
    words = ["iron tower", "ship in a lock", "", "wall", "river gate of stone"] * count
    return words[:count], numbers.standard_normal((count, dimension)).tolist()


@pytest.fixture
def without_memory(monkeypatch):
    monkeypatch.setattr(lancedb_passages, "ROWS_FOR_VECTOR_INDEX", -1)


def test_nearest_by_plain_arithmetic(tmp_path):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    written = documents(400, 16)
    store.write_documents(written)
    _, vectors = questions(6, 16)
    with_direction = [one for one in written if one.embedding and any(one.embedding)]
    for filters, kept in ((None, with_direction), (ODD, [one for one in with_direction if one.meta["odd"]])):
        results = store.hybrid_search([""] * 6, vectors, top_k=10, filters=filters, fusion=MEANING)
        for vector, found in zip(vectors, results, strict=True):
            cosine = {one.id: np.dot(one.embedding, vector) / np.linalg.norm(one.embedding) for one in kept}
            assert [one.id for one in found] == sorted(cosine, key=lambda name: -cosine[name])[:10]
    store.close()


@pytest.mark.parametrize("filters", [None, ODD], ids=["all", "filtered"])
@pytest.mark.parametrize("fusion", [MEANING, BOTH, Fusion(words_weight=1.0)], ids=["meaning", "both", "words"])
def test_memory_and_scan_agree(tmp_path, monkeypatch, filters, fusion):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    store.write_documents(documents(300, 16))
    texts, vectors = questions(8, 16)
    from_memory = store.hybrid_search(texts, vectors, top_k=7, filters=filters, fusion=fusion)
    assert store._passages._snapshot.memory is not None
    monkeypatch.setattr(lancedb_search, "DOCUMENTS_IN_MEMORY_BYTES", 0)
    store.close()
    from_rows = store.hybrid_search(texts, vectors, top_k=7, filters=filters, fusion=fusion)
    assert store._passages._snapshot.memory.documents is None
    monkeypatch.setattr(lancedb_passages, "ROWS_FOR_VECTOR_INDEX", -1)
    store.close()
    from_scan = store.hybrid_search(texts, vectors, top_k=7, filters=filters, fusion=fusion)
    assert store._passages._snapshot.memory is None
    assert from_rows == from_memory
    for one, other in zip(from_scan, from_memory, strict=True):
        assert [found.id for found in one] == [found.id for found in other]
        assert [found.score for found in one] == pytest.approx([found.score for found in other], abs=1e-5)
    store.close()


def test_a_vector_index_is_made_when_the_table_has_grown_and_keeps_recall(tmp_path, monkeypatch, without_memory):
    monkeypatch.setattr(lancedb_table, "ROWS_FOR_VECTOR_INDEX", 1000)
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    written = documents(2000, 16)
    store.write_documents(written[:900])
    store.optimise()
    _, vectors = questions(20, 16)
    assert "vector_idx" not in _indexes(store)
    store.write_documents(written[900:1900])
    store.optimise()
    assert "vector_idx" in _indexes(store)
    store.write_documents(written[1900:])  # found though the index does not cover them yet
    results = store.hybrid_search([""] * 20, vectors, top_k=10, fusion=MEANING)
    matrix = np.array([one.embedding if one.embedding else [0.0] * 16 for one in written])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    cosine = matrix @ np.array(vectors).T / np.where(lengths > 0, lengths, np.inf)
    cosine[lengths[:, 0] == 0] = -9.0  # no direction
    exact = [{written[n].id for n in np.argsort(-column)[:10]} for column in cosine.T]
    hits = sum(len(best & {one.id for one in found}) for best, found in zip(exact, results, strict=True))
    assert hits >= 0.95 * 200
    [filtered] = store.hybrid_search(["iron"], vectors[:1], top_k=10, filters=ODD, fusion=BOTH)
    assert len(filtered) == 10
    assert all(one.meta["odd"] for one in filtered)
    store.close()


def _indexes(store) -> set[str]:
    from components.stores.lancedb.runtime import run

    async def names():
        table = await store._passages.table.existing()
        return {index.name for index in await table.list_indices()}

    return run(names())


def test_memory_belongs_to_one_version(tmp_path):
    store, other = (LanceDBDocumentStore(tmp_path / "store", durable=False) for _ in range(2))
    store.write_documents(documents(50, 4))
    for _ in range(2):
        store.hybrid_search(["iron"], [[1.0, 0, 0, 0]])
    assert store._passages._snapshot.memory is not None
    other.write_documents([Document(id="new", content="zeppelin", embedding=[1.0, 0, 0, 0])])
    [found] = store.hybrid_search(["zeppelin"], [[1.0, 0, 0, 0]], top_k=1)
    assert found[0].id == "new"
    store.close()
    other.close()


def test_a_search_whose_version_was_pruned_starts_again(tmp_path, monkeypatch):
    monkeypatch.setattr(lancedb_table, "KEEP_OLD_VERSIONS", lancedb_table.timedelta(milliseconds=1))
    store, other = (LanceDBDocumentStore(tmp_path / "store", durable=False) for _ in range(2))
    store.write_documents([Document(id=str(n), content="iron") for n in range(5)])
    real = lancedb_search.Snapshot.search
    searched = []

    async def delayed(snapshot, *arguments):
        if not searched:
            searched.append(snapshot.version)
            other_table = other._passages
            await other_table.delete("id = '0'")
            await other_table.table.optimise()
            raise RuntimeError("lance error: Not found: passages.lance/data/gone.lance")
        searched.append(snapshot.version)
        return await real(snapshot, *arguments)

    monkeypatch.setattr(lancedb_search.Snapshot, "search", delayed)
    [found] = store.hybrid_search(["iron"], None, top_k=10)
    assert sorted(one.id for one in found) == ["1", "2", "3", "4"]
    assert searched[1] > searched[0]
    store.close()
    other.close()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"language": "French"}, "language"),
        ({"embedding_dimension": 8}, "embedding_dimension"),
        ({"search_fields": {"content": 1.0, "author": 2.0}}, "author"),
    ],
)
def test_settings_that_do_not_fit_the_index_are_named(tmp_path, changed, message):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    store.write_documents(documents(3, 4))
    store.close()
    with pytest.raises(ValueError, match=message):
        LanceDBDocumentStore(tmp_path / "store", **changed).count_documents()


@pytest.mark.parametrize("fields", [{}, {"title": 1.0}, {"content": -1.0}, {"content": 0.0, "title": 0.0}])
def test_search_fields_must_make_sense(tmp_path, fields):
    with pytest.raises(ValueError, match="search_fields"):
        LanceDBDocumentStore(tmp_path, search_fields=fields)


def test_weights_of_fields_count(tmp_path):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    store.write_documents(
        [
            Document(id="in content", content="iron and other words", meta={"title": "stone"}),
            Document(id="in title", content="stone and other words", meta={"title": "iron"}),
        ]
    )
    store.close()
    for weight, first in ((10.0, "in title"), (0.01, "in content")):
        weighted = LanceDBDocumentStore(tmp_path / "store", search_fields={"content": 1.0, "title": weight})
        assert weighted.hybrid_search(["iron"], None)[0][0].id == first
        weighted.close()
    unread = LanceDBDocumentStore(tmp_path / "store", search_fields={"content": 1.0, "title": 0.0})
    assert [one.id for one in unread.hybrid_search(["iron"], None)[0]] == ["in content"]
    unread.close()


def test_to_dict_names_every_setting(tmp_path):
    settings = {
        "path": str(tmp_path / "store"),
        "search_fields": {"content": 2.0},
        "language": "de",
        "embedding_dimension": 7,
        "durable": False,
    }
    store = LanceDBDocumentStore(**settings)
    assert store.to_dict()["init_parameters"] == settings
    assert LanceDBDocumentStore.from_dict(store.to_dict()).to_dict() == store.to_dict()
    assert not (tmp_path / "store").exists()  # nothing is made before the first write


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (Document(id="odd", content="half a pair \ud83d"), "odd"),
        (Document(id="odd", content="x", meta={"when": object()}), "odd"),
        (Document(id="odd", content="x", embedding=[float("nan"), 1.0]), "odd"),
    ],
)
def test_what_cannot_be_stored_is_named_and_nothing_is_written(tmp_path, document, message):
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    with pytest.raises(ValueError, match=message):
        store.write_documents([Document(id="good", content="x", embedding=[1.0, 2.0]), document])
    assert store.count_documents() == 0
    store.close()
