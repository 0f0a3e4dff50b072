"""A run over refused files, converters that end, other runs, full memory: what was there stays, and is said."""

import gc
import multiprocessing
import os
import sys
import weakref
from typing import ClassVar

import pytest
from haystack import Document, component
from haystack.core.errors import PipelineRuntimeError

from components.stores.contract import StoreBusyError
from components.stores.lancedb.disk.lock import one_writer
from indexing.convert import pool as pool_module
from indexing.converter import FileConverter
from indexing.pipeline import PipelineShapeError
from indexing.run import index
from tests.indexing.pipeline import HashEmbedder, build, contents, store_of
from tests.indexing.real_files import WRITERS


def test_refused_files_are_remembered_and_replace_what_was_there(pipeline, folder):
    index(pipeline, [folder])
    (folder / "d.pdf").write_bytes(b"%PDF-1.7 broken")
    (folder / "a.txt").write_bytes(b"")
    first, second = index(pipeline, [folder]), index(pipeline, [folder])
    for report, is_new in ((first, True), (second, False)):
        refused = {item.path.rsplit("/", 1)[1]: (item.reason, item.is_new) for item in report.refused}
        assert refused == {"a.txt": ("empty", is_new), "d.pdf": ("damaged", is_new)}
    names = {passage.meta["file_name"] for passage in store_of(pipeline).filter_documents()}
    assert not names & {"a.txt", "d.pdf"}
    assert all(item.is_new for item in index(pipeline, [folder], retry_refused=True).refused)
    (folder / "a.txt").write_text("Words again.")
    assert [item.path.rsplit("/", 1)[1] for item in index(pipeline, [folder]).refused] == ["d.pdf"]


def test_without_a_converter_the_run_stops_and_keeps_what_was_there(pipeline, folder, monkeypatch):
    index(pipeline, [folder])
    before = contents(store_of(pipeline))
    no_process = "def fork(): raise BlockingIOError(11, 'Resource temporarily unavailable')"
    worker = f"import os; from indexing.convert import worker\n{no_process}\nos.fork = fork; worker.serve()"
    monkeypatch.setattr(pool_module, "_COMMAND", [sys.executable, "-c", worker])
    (folder / "a.txt").write_text("Other words.")
    with pytest.raises(PipelineRuntimeError, match="no file can be converted on this machine now"):
        index(pipeline, [folder])
    assert contents(store_of(pipeline)) == before
    monkeypatch.setattr(pool_module, "_COMMAND", [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(PipelineRuntimeError, match="ended twice"):
        index(pipeline, [folder])
    assert contents(store_of(pipeline)) == before


def test_files_whose_converter_was_ended_are_not_tried_again(tmp_path, monkeypatch):
    command = [sys.executable, "-X", "utf8", "-m", "tests.indexing.broken_worker"]
    monkeypatch.setattr(pool_module, "_COMMAND", command)
    documents = tmp_path / "documents"
    documents.mkdir()
    for order in ("sleep", "segfault", "kill", "good words"):
        (documents / f"{order}.txt").write_text(order)
    pipeline = build(tmp_path / "store", converter=FileConverter(timeout=1.0))
    for is_new in (True, False):
        report = index(pipeline, [documents])
        assert len(report.indexed) == is_new
        refused = {item.path.rsplit("/", 1)[1]: (item.reason, item.is_new) for item in report.refused}
        assert refused == {
            "sleep.txt": ("timeout", is_new), "segfault.txt": ("crashed", is_new), "kill.txt": ("memory", is_new)
        }  # fmt: skip
    os.utime(documents / "sleep.txt")  # touched, with the same content: known by its hash
    assert not [item for item in index(pipeline, [documents]).refused if item.is_new]
    (documents / "sleep.txt").write_text("good words now")
    assert len(index(pipeline, [documents]).indexed) == 1


def test_what_was_lost_in_a_crash_is_done_again(pipeline, folder):
    index(pipeline, [folder])
    before = contents(store_of(pipeline))
    store = store_of(pipeline)
    lost = [one.id for one in store.filter_documents() if one.meta["file_name"] in ("a.txt", "d.pdf")]
    store.delete_documents(lost)
    assert index(pipeline, [folder]).indexed == []  # nobody knows
    (store.folder / "passages-lost").touch()  # as opening after a crash leaves it
    report = index(pipeline, [folder])
    assert sorted(path.rsplit("/", 1)[1] for path in report.indexed) == ["a.txt", "d.pdf"]
    assert contents(store) == before
    assert index(pipeline, [folder]).indexed == []


def test_links_and_pipes_are_news_once(pipeline, folder):
    (folder / "out.txt").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.txt")
    for is_new in (True, False):
        refused = {item.path.rsplit("/", 1)[1]: item.is_new for item in index(pipeline, [folder]).refused}
        assert refused == {"out.txt": is_new, "pipe.txt": is_new}
    assert {s.path.rsplit("/", 1)[1] for s in store_of(pipeline).sources.all() if s.state == "refused"} == set(refused)
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/etc/hostname")
    report = index(pipeline, [folder])
    assert ([path.rsplit("/", 1)[1] for path in report.removed], report.indexed) == (["a.txt"], [])
    assert [item.path.rsplit("/", 1)[1] for item in report.refused if item.is_new] == ["a.txt"]
    (folder / "out.txt").unlink()
    (folder / "out.txt").write_text("Words of a file now.")
    assert [path.rsplit("/", 1)[1] for path in index(pipeline, [folder]).indexed] == ["out.txt"]
    assert not [item for item in index(pipeline, [folder]).refused if item.is_new]


def test_a_file_that_a_later_component_fails_on_costs_itself_only(tmp_path, folder):
    (folder / "bad.txt").write_text("POISON for the embedder, and a secret")
    pipeline = build(tmp_path / "store", embedder=HashEmbedder(fails_on="POISON"))
    report = index(pipeline, [folder])
    assert len(report.indexed) == len(WRITERS)
    (refused,) = report.refused
    assert (refused.reason, refused.detail) == ("failed", "ValueError in component 'c'")
    assert len(index(pipeline, [folder]).refused) == 1


def hold_lock(folder, held, release):
    with one_writer(folder):
        held.set()
        release.wait(30)


def test_one_run_at_a_time(pipeline, folder, tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=hold_lock, args=(tmp_path / "store", held, release))
    other.start()
    assert held.wait(60)
    try:
        with pytest.raises(StoreBusyError, match=f"Process {other.pid} is indexing into"):
            index(pipeline, [folder])
    finally:
        other.kill()  # the lock goes with its holder
        other.join()
    assert len(index(pipeline, [folder], lock_wait=5).indexed) == len(WRITERS)


def test_a_pipeline_without_a_writer_is_refused_by_name(folder):
    from haystack import Pipeline

    from indexing.converter import FileConverter

    pipeline = Pipeline()
    pipeline.add_component("only", FileConverter())
    with pytest.raises(
        PipelineShapeError, match=r"needs `generation`.*components \(only\).*indexing\.writer\.SourceWriter"
    ):
        index(pipeline, [folder])


def test_a_fault_of_the_machine_stops_the_run_and_costs_no_file(pipeline, folder, monkeypatch):
    index(pipeline, [folder])
    before = contents(store_of(pipeline))
    (folder / "a.txt").write_text("Other words.")

    def no_process(self, paths):
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr("indexing.convert.pool.ConverterPool.convert", no_process)
    with pytest.raises(PipelineRuntimeError, match="temporarily unavailable"):
        index(pipeline, [folder])
    assert contents(store_of(pipeline)) == before


def test_memory_does_not_grow_with_the_collection(tmp_path):
    """One batch of text at a time is in memory, whatever the number of files."""

    @component
    class Watching(HashEmbedder):
        most = 0
        alive: ClassVar[list[weakref.ref]] = []

        @component.output_types(documents=list[Document])
        def run(self, documents: list[Document]) -> dict[str, list[Document]]:
            gc.collect()
            living = {document.id for reference in self.alive if (document := reference()) is not None}
            assert not living - {document.id for document in documents}, "documents of an earlier batch are kept"
            self.alive += [weakref.ref(document) for document in documents]
            self.most = max(self.most, sum(len(document.content) for document in documents))
            return HashEmbedder.run(self, documents=documents)

    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.txt").write_text(f"Number {number}. " + "Nobody has lived there for long. " * 300)
    embedder = Watching()
    pipeline = build(tmp_path / "store", embedder=embedder)
    assert len(index(pipeline, [folder], batch_bytes=50_000).indexed) == 40
    assert 30_000 < embedder.most <= 50_000
    assert len(embedder.alive) >= 40
