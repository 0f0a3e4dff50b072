"""The embedded store under other processes, kills and damage."""

import os
import pickle
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from components.stores.fusion import Fusion
from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb import table as lancedb_table

ROOT = Path(__file__).parents[4]
EAST, NORTH = [1.0, 0.0], [0.0, 1.0]

WRITE_GENERATIONS = """
import sys
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy
from components.stores.lancedb import LanceDBDocumentStore
store = LanceDBDocumentStore(sys.argv[1], durable=False)
for generation in range(1, int(sys.argv[2]) + 1):
    documents = [
        Document(id=f"{n:03}", content=f"words of generation{generation}", meta={"generation": generation},
                 embedding=[1.0, generation / 1000]) for n in range(100)
    ]
    store.write_documents(documents, DuplicatePolicy.OVERWRITE)
    print(generation, flush=True)
"""

WRITE_SAME = """
import pathlib, sys, time
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy
from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb.lazy_import import lancedb
lancedb()
path = pathlib.Path(sys.argv[1])
store = LanceDBDocumentStore(path, durable=False)
print("ready", flush=True)
while not path.with_suffix(".go").exists():
    time.sleep(0.001)
for batch in range(20):
    documents = [Document(id=f"{batch:02}-{n}", content="words", embedding=[1.0, n]) for n in range(10)]
    store.write_documents(documents, DuplicatePolicy.OVERWRITE)
"""

WRITE_BATCHES = """
import sys
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy
from components.stores.lancedb import LanceDBDocumentStore
store = LanceDBDocumentStore(sys.argv[1], durable=False)
start = int(sys.argv[2])
for batch in range(start, start + 10_000):
    documents = [Document(id=f"{batch:05}-{n}", content=f"batch {batch}", embedding=[1.0, n]) for n in range(20)]
    store.write_documents(documents, DuplicatePolicy.OVERWRITE)
    print(batch, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store"


def start(script: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_a_reader_sees_one_whole_state_while_another_process_writes(path):
    reader = LanceDBDocumentStore(path, durable=False)
    first = {"content": "words of generation0", "meta": {"generation": 0}, "embedding": EAST}
    reader.write_documents([Document(id=f"{n:03}", **first) for n in range(100)])
    writer = start(WRITE_GENERATIONS, path, 40)
    seen = []
    while writer.poll() is None:
        assert reader.count_documents() == 100
        for fusion in (Fusion(words_weight=0.0), Fusion(words_weight=0.5)):
            [found] = reader.hybrid_search(["words"], [EAST], top_k=100, fusion=fusion)
            generations = {one.meta["generation"] for one in found}
            assert (len(found), len(generations)) == (100, 1)
            seen.append(generations.pop())
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    [found] = reader.hybrid_search(["generation40"], None, top_k=1)
    assert found[0].meta["generation"] == 40
    reader.close()
    writer.stdout.close()


def test_two_processes_writing_the_same_ids_leave_each_once(path):
    writers = [start(WRITE_SAME, path) for _ in range(2)]
    assert [writer.stdout.readline().strip() for writer in writers] == ["ready", "ready"]
    path.with_suffix(".go").touch()
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    store = LanceDBDocumentStore(path)
    found = [one.id for one in store.filter_documents()]
    assert sorted(found) == sorted(f"{batch:02}-{n}" for batch in range(20) for n in range(10))
    store.close()
    for writer in writers:
        writer.stdout.close()


def test_killed_at_any_moment_it_opens_again_with_all_that_was_acknowledged(path):
    chance = random.Random(7)
    done = -1
    for _ in range(3):
        writer = start(WRITE_BATCHES, path, done + 1)
        first = writer.stdout.readline()  # starting takes long; the kill is to hit the writing
        time.sleep(chance.uniform(0.0, 0.4))
        writer.kill()
        rest = writer.stdout.read()
        writer.wait()
        writer.stdout.close()
        done = int((first + rest).split()[-1])
        store = LanceDBDocumentStore(path)
        batches: dict[str, int] = {}
        for one in store.filter_documents():
            batches[one.id[:5]] = batches.get(one.id[:5], 0) + 1
        assert set(batches.values()) == {20}  # each batch whole, each document once
        assert len(batches) >= done + 1
        [found] = store.hybrid_search(["batch"], [EAST], top_k=5)
        assert len(found) == 5
        store.close()


def test_disk_use_stays_bounded_under_many_small_updates(path, monkeypatch):
    monkeypatch.setattr(lancedb_table, "KEEP_OLD_VERSIONS", lancedb_table.timedelta(milliseconds=1))
    store = LanceDBDocumentStore(path, durable=False)
    documents = [Document(id=str(n), content=f"text {n} " * 30, embedding=[float(n), 1.0]) for n in range(500)]
    store.write_documents(documents)

    def update(times: int) -> int:
        """The most the store takes in the course of so many updates."""
        most = 0
        for n in range(times):
            changed = Document(id=str(n), content=f"changed {n} " * 30, embedding=[0.0, 1.0])
            store.write_documents([changed], DuplicatePolicy.OVERWRITE)
            most = max(most, size_of(path))
        return most

    rounds = lancedb_table.COMMITS_BEFORE_OPTIMISING
    early = update(2 * rounds)
    assert update(4 * rounds) < 1.2 * early
    manifests = (path / "passages.lance" / "_versions").glob("*.manifest")
    assert len(list(manifests)) < 2 * rounds
    assert store.count_documents() == 500
    store.close()


def test_fragments_left_by_other_processes_are_tidied_up_too(path):
    def fragments() -> int:
        return len(list((path / "passages.lance" / "data").glob("*.lance")))

    limit = lancedb_table.COMMITS_BEFORE_OPTIMISING
    most = 0
    for n in range(limit + 2):  # each store stands for a run of the command that writes once
        store = LanceDBDocumentStore(path, durable=False)
        store.write_documents([Document(id=str(n), content="text")])
        most = max(most, store._passages.table._commits)
        store.close()
    assert most == limit - 1
    assert fragments() < limit + 2 + 2  # those merged stay for a while, for readers in the middle of a search


def test_files_of_writers_that_died_are_swept(path):
    store = LanceDBDocumentStore(path, durable=False)
    store.write_documents([Document(id="1", content="text")])
    data = path / "passages.lance" / "data"
    old, young = data / ".tmp_old", data / ".tmp_young"
    for file in (old, young):
        file.write_bytes(b"x" * 1000)
    os.utime(old, (time.time() - 3600, time.time() - 3600))
    store.optimise()
    assert (old.exists(), young.exists()) == (False, True)
    store.close()


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99], ids=["empty", "half", "torn"])
@pytest.mark.parametrize("damaged", [1, 2])
def test_after_a_power_cut_it_opens_at_the_last_whole_version(path, caplog, keep, damaged):
    store = LanceDBDocumentStore(path, durable=False)
    for n in range(4):
        store.write_documents([Document(id=str(n), content="text", embedding=EAST)])
    store.close()
    manifests = sorted((path / "passages.lance" / "_versions").glob("*.manifest"))  # the newest comes first
    for manifest in manifests[:damaged]:
        manifest.write_bytes(manifest.read_bytes()[: int(keep * manifest.stat().st_size)])
    store = LanceDBDocumentStore(path, durable=False)
    with caplog.at_level("WARNING"):
        assert store.count_documents() == 4 - damaged
    assert "power cut" in caplog.text
    assert store.hybrid_search(["text"], [EAST])[0]
    caplog.clear()
    assert store.write_documents([Document(id="new", content="text", embedding=NORTH)]) == 1
    store.optimise()
    store.close()
    with caplog.at_level("WARNING"):
        assert LanceDBDocumentStore(path).count_documents() == 5 - damaged
    assert not caplog.text


def test_what_is_written_is_forced_to_disk(path, monkeypatch):
    synced = set()
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.add(os.readlink(f"/proc/self/fd/{handle}")), real(handle)))
    store = LanceDBDocumentStore(path)
    for n in range(3):
        synced.clear()
        before = set(path.rglob("*.lance")) | set(path.rglob("*.manifest"))
        store.write_documents([Document(id=str(n), content="text", embedding=EAST)])
        written = {file for file in [*path.rglob("*.lance"), *path.rglob("*.manifest")] if file.is_file()} - before
        assert written
        assert {str(file) for file in written} <= synced
        assert {str(path / "passages.lance" / folder) for folder in ("data", "_versions")} <= synced
    store.close()
    synced.clear()
    store = LanceDBDocumentStore(path, durable=False)
    store.write_documents([Document(id="last", content="text")])
    assert not synced
    store.close()


def test_a_store_travels_to_another_process(path):
    store = LanceDBDocumentStore(path)
    store.write_documents([Document(id="1", content="text", embedding=EAST)])
    assert store.count_documents() == 1  # opened here
    script = f"""
import pickle
store = pickle.loads({pickle.dumps(store)!r})
print(store.count_documents(), len(store.hybrid_search(["text"], [[1.0, 0.0]])[0]))
"""
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["1", "1"]
    store.close()
