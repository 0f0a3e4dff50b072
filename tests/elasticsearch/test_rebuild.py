"""`excerpt index --rebuild`: beside the index in use, put in its place in one step, or nothing has happened."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components.stores.contract import StoreBusyError
from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError
from components.stores.elasticsearch.index import lease as elasticsearch_lock
from components.stores.elasticsearch.index.bulk_load import BulkLoad
from indexing.maintenance.rebuild import RebuildError, rebuild
from indexing.run import index
from tests.elasticsearch.pipeline import build, files_in, store_of

pytestmark = pytest.mark.elasticsearch
ROOT = Path(__file__).parents[2]
FILES = {f"{number}.txt" for number in range(5)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f"The old house {name} stands on the northern rock.")
    return folder


@pytest.fixture
def make(elasticsearch_url, index_name):
    made = []

    def make(**settings):
        made.append(build(elasticsearch_url, index_name, **settings))
        return made[-1]

    yield make
    for pipeline in made:
        store_of(pipeline).close()


def indices(store: ElasticsearchDocumentStore) -> set[str]:
    return {name for name in store.request("GET", f"/{store.index}*/_alias", timeout=10) if not name.endswith("-lock")}


def everything(store: ElasticsearchDocumentStore) -> tuple[object, ...]:
    passages = sorted((one.id, one.content) for one in store.filter_documents())
    return indices(store), passages, [(one.path, one.version, one.state) for one in store.sources.all()]


class Asking:
    """Asks all the time; each answer is wholly of one version, or it is noted in `wrong`."""

    def __init__(self, store: ElasticsearchDocumentStore) -> None:
        self.store, self.wrong, self.asked = store, [], {"old": 0, "new": 0}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                [found] = self.store.hybrid_search(["house"], [[1.0] * 8], top_k=10)
                words = {(one.content or "").split()[1] for one in found}
                if len(words) == 1 and len(found) == 5:
                    self.asked[words.pop()] += 1
                else:
                    self.wrong.append(words)
            except Exception as error:
                self.wrong.append(error)

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(60)


def test_each_question_during_a_rebuild_gets_one_version_whole(make, folder):
    index(make(), [folder])
    for name in FILES:
        (folder / name).write_text(f"The new house {name} stands on the northern rock. slow=0.2")
    pipeline = make()
    with Asking(store_of(make())) as asking:
        report = rebuild(pipeline, [folder], batch_files=1)
        time.sleep(0.5)
    assert asking.wrong == []
    assert asking.asked["old"] > 3
    assert asking.asked["new"] > 0
    assert (len(report.indexed), report.refused, report.removed) == (5, [], [])
    assert index(pipeline, [folder]).unchanged == 5, "the pipeline goes on with the new version"


def test_another_embedder_and_language_are_told_of_the_way_and_it_works(make, folder):
    index(make(), [folder])
    other = {"dimension": 5, "language": "de"}
    with pytest.raises(ElasticsearchStoreError, match=r"language is 'en'.*`excerpt index PATH... --rebuild`"):
        index(make(**other), [folder])
    rebuild(make(**other), [folder])
    store = store_of(make(**other))
    assert len(store.hybrid_search(["house"], [[1.0] * 5])[0]) == 5
    assert indices(store) == {f"{store.index}-v000002", f"{store.index}-v000002-sources"}


def test_files_elsewhere_come_along_and_what_is_gone_is_told(make, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("stays.txt", "goes.txt"):
        (elsewhere / name).write_text("The lighthouse of another island.")
    pipeline = make()
    index(pipeline, [folder, elsewhere])
    (elsewhere / "goes.txt").unlink()
    (folder / "0.txt").unlink()
    report = rebuild(pipeline, [folder])
    assert files_in(store_of(pipeline)).keys() == (FILES - {"0.txt"}) | {"stays.txt"}
    assert [Path(path).name for path in report.removed] == ["0.txt", "goes.txt"]


@pytest.mark.parametrize("how", ["embedder", "store", "nothing left", "interrupted"])
def test_a_failed_rebuild_leaves_everything_as_it_was(make, folder, how):
    pipeline = make()
    index(pipeline, [folder])
    before = everything(store_of(pipeline))
    error: type[BaseException] = RebuildError
    if how == "embedder":
        pipeline.get_component("embedder").fails_on = "house 3.txt"
    elif how == "store":
        (folder / "3.txt").write_text("The old house has a vector too short: dims=2")
    elif how == "nothing left":
        for name in FILES:
            (folder / name).write_bytes(b"")
    else:
        error = KeyboardInterrupt

        def interrupt(progress) -> None:
            raise KeyboardInterrupt

    with pytest.raises(error) as caught:
        rebuild(pipeline, [folder], progress=interrupt if how == "interrupted" else None)
    assert how == "interrupted" or "The index is as it was" in str(caught.value)
    assert everything(store_of(pipeline)) == before
    with store_of(pipeline).one_writer():
        pass  # nobody holds it


def test_a_lock_lost_while_loading_ends_keeps_the_old_index(make, folder, monkeypatch):
    """Refreshing and merging at the end may take longer than the lock lasts without renewals."""
    monkeypatch.setattr(elasticsearch_lock, "BEAT", 0.2)
    pipeline = make()
    index(pipeline, [folder])
    store = store_of(pipeline)
    before = everything(store)
    finish = BulkLoad.finish

    def finish_and_lose_the_lock(self: BulkLoad, first: bool = False) -> None:
        finish(self, first)
        path = f"/{store.index}-lock/_doc/writer"
        note = store.request("GET", path, timeout=10)["_source"]
        store.request("PUT", path, {**note, "token": "another run"}, timeout=10)
        time.sleep(3)

    monkeypatch.setattr(BulkLoad, "finish", finish_and_lose_the_lock)
    with pytest.raises(StoreBusyError, match="cut off"):
        rebuild(pipeline, [folder])
    assert everything(store) == before


def test_kill_9_leaves_the_old_index_and_the_next_rebuild_clears_away(make, folder, elasticsearch_url, index_name):
    pipeline = make()
    index(pipeline, [folder])
    store = store_of(pipeline)
    before = everything(store)
    for name in FILES:
        (folder / name).write_text(f"The new house {name} stands on the northern rock. slow=1")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.elasticsearch.pipeline", str(folder), elasticsearch_url, index_name, "rebuild"],
        cwd=ROOT,
    )
    deadline = time.monotonic() + 120
    while len(indices(store)) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert len(indices(store)) == 4
    assert everything(store)[1:] == before[1:]
    rebuild(pipeline, [folder])
    assert len(indices(store)) == 2
    assert {(one.content or "").split()[1] for one in store.filter_documents()} == {"new"}


@pytest.mark.slow
def test_by_the_command(folder, elasticsearch_url, index_name, tmp_path):
    environment = {**os.environ, "ELASTICSEARCH_URL": elasticsearch_url, "EXCERPT_INDEX": index_name}

    def excerpt(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.main", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)

    assert excerpt("index", str(folder), "--pipelines", "elasticsearch").returncode == 0
    german = tmp_path / "german"
    shutil.copytree(ROOT / "pipelines" / "elasticsearch", german)
    for file in german.glob("*.yaml"):
        file.write_text(file.read_text().replace("language: en ", "language: de "))
    refused = excerpt("index", str(folder), "--pipelines", str(german))
    assert (refused.returncode, "--rebuild" in refused.stderr) == (1, True), refused.stderr
    done = excerpt("index", str(folder), "--pipelines", str(german), "--rebuild")
    assert done.returncode == 0, done.stderr
    assert "5 files indexed" in done.stdout
    assert "documents  5" in excerpt("status", "--pipelines", str(german)).stdout
