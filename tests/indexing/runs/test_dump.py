"""A whole collection as one file: out of one store, into another, with the same answers afterwards."""

import gzip
import json
import shutil
import uuid

import pytest
from haystack import Document

from components.stores.lancedb import LanceDBDocumentStore
from indexing.maintenance.dump import DumpError, dump, load
from indexing.maintenance.verify import verify
from indexing.run import index
from tests.components.stores.memory.store import InMemoryStore
from tests.indexing.pipeline import build, contents, store_of


@pytest.fixture
def store(tmp_path, folder):
    pipeline = build(tmp_path / "store")
    (folder / "empty.txt").write_text("")
    for number in range(20):
        (folder / f"island-{number}.txt").write_text(f"Island number {number} lies in the sea. {'It is small. ' * 40}")
    index(pipeline, [folder])
    return store_of(pipeline)


def test_through_two_kinds_of_stores_and_back(store, tmp_path, folder):
    before = contents(store)
    store.write_documents([Document(id="bare", content="Written by somebody, of no file.")])
    first = tmp_path / "first.jsonl.gz"
    seen = []
    amount = dump(store, first, lambda done, total: seen.append((done, total)))
    assert (amount.sources, amount.passages) == (len(list(store.sources.all())), store.count_documents())
    assert seen[-1] == (amount.sources, amount.sources)
    memory = InMemoryStore(uuid.uuid4().hex)
    assert load(memory, first) == amount
    second = tmp_path / "second.jsonl.gz"
    dump(memory, second)
    again = LanceDBDocumentStore(tmp_path / "again", durable=False)
    assert load(again, second) == amount
    assert [again.sources.get(one.source_id) for one in again.sources.all()] == [
        store.sources.get(one.source_id) for one in store.sources.all()
    ]
    questions = ["island number 7", "small sea", "somebody wrote this"]
    vectors = [store.filter_documents()[number].embedding or [0.1] * 8 for number in range(3)]
    for embeddings in (vectors, None):
        assert again.hybrid_search(questions, embeddings, top_k=7) == store.hybrid_search(
            questions, embeddings, top_k=7
        )
    findings = verify(again)
    assert findings.strays == ["bare"]
    assert not (findings.incomplete or findings.changed)
    again.delete_documents(["bare"])
    assert contents(again) == before
    pipeline = build(tmp_path / "again")
    assert index(pipeline, [folder]).indexed == []
    again.close()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_not_taken_for_a_whole_one(store, tmp_path, kept):
    whole, half = tmp_path / "whole.gz", tmp_path / "half.gz"
    dump(store, whole)
    data = whole.read_bytes()
    half.write_bytes(data[: int(len(data) * kept)])
    target = InMemoryStore(uuid.uuid4().hex)
    with pytest.raises(DumpError, match="excerpt dump"):
        load(target, half)
    amount = load(target, whole)  # begun again
    assert target.count_documents() == amount.passages


@pytest.mark.parametrize(
    "lines",
    [
        ["{}"],
        ["[1]"],
        ["nonsense"],
        ['{"excerpt": 99}'],
        ['{"excerpt": 1}'],
        ['{"excerpt": 1}', '{"source": {}}'],
        ['{"excerpt": 1}', '{"passage": 3}'],
    ],
)
def test_what_is_no_dump_is_refused(tmp_path, lines):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(DumpError):
        load(InMemoryStore(uuid.uuid4().hex), path)


def test_lines_that_are_missing_in_the_middle_are_noticed(store, tmp_path):
    path = tmp_path / "file.gz"
    dump(store, path)
    lines = gzip.decompress(path.read_bytes()).splitlines()
    passages = [at for at, line in enumerate(lines) if "passage" in json.loads(line)]
    del lines[passages[3]]
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    with pytest.raises(DumpError, match="cut off"):
        load(InMemoryStore(uuid.uuid4().hex), path)


def test_nothing_half_is_left_where_a_dump_failed(store, tmp_path, monkeypatch):
    path = tmp_path / "out" / "file.gz"
    path.parent.mkdir()
    monkeypatch.setattr("indexing.maintenance.dump._document_to_json", lambda document: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dump(store, path)
    assert list(path.parent.iterdir()) == []
    shutil.rmtree(path.parent)
