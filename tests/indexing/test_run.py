"""An index run does what is new or changed, takes out what is gone, and nothing else."""

import gc
import json
import multiprocessing
import os
import shutil
import sys
import weakref
from typing import ClassVar

import pytest
from haystack import Document, component
from haystack.core.errors import PipelineRuntimeError

from components.named_pipeline import NamedPipeline
from components.stores.contract import StoreBusyError
from components.stores.lancedb.lock import one_writer
from components.stores.lancedb.runtime import run
from indexing.convert import pool as pool_module
from indexing.converter import FileConverter
from indexing.passages import PassageSplitter
from indexing.pipeline import PipelineShapeError
from indexing.run import index
from tests.indexing.pipeline import HashEmbedder, build, contents, embedder_of, store_of
from tests.indexing.real_files import PARAGRAPH, WRITERS


@pytest.fixture
def pipeline(tmp_path):
    return build(tmp_path / "store")


def test_every_format_comes_in_and_a_second_run_does_nothing(pipeline, folder):
    seen = []
    report = index(pipeline, [folder], progress=seen.append)
    assert len(report.indexed) == len(WRITERS)
    assert (report.refused, report.removed, report.generation) == ([], [], 1)
    assert ("attachment not read: map.pdf" in {note for _, note in report.notes}) is True
    assert (seen[-1].files, seen[-1].bytes) == (seen[-1].files_total, seen[-1].bytes_total)
    store = store_of(pipeline)
    assert store.count_documents() == report.passages == seen[-1].passages
    embedder_of(pipeline).seen.clear()
    again = index(pipeline, [folder])
    assert (again.indexed, again.unchanged, again.passages) == ([], len(WRITERS), 0)
    assert embedder_of(pipeline).seen == []


def test_passages_and_record_agree(pipeline, folder):
    index(pipeline, [folder])
    store = store_of(pipeline)
    passages = store.filter_documents()
    for passage in passages:
        source = store.sources.get(passage.meta["source_id"])
        start = passage.meta["split_idx_start"]
        assert source.text[start : start + len(passage.content)] == passage.content
        assert passage.meta["source_version"] == source.version
        assert passage.meta["file_path"] == source.path
        json.dumps(passage.meta)
        if source.page_starts:
            assert passage.meta["page_number"] == 1 + source.text[:start].count("\f")
    for source in store.sources.all():
        assert source.state == "indexed"
        assert source.passages == sum(passage.meta["source_id"] == source.source_id for passage in passages)
        assert (store.sources.get(source.source_id).layout is not None) == source.path.endswith(".pdf")


def test_only_what_changed_is_done_again(pipeline, folder):
    index(pipeline, [folder])
    embedder_of(pipeline).seen.clear()
    (folder / "a.txt").write_text("Entirely other words now.\n")
    (folder / "b.md").rename(folder / "renamed.md")
    (folder / "c.html").unlink()
    report = index(pipeline, [folder])
    assert sorted(path.rsplit("/", 1)[1] for path in report.indexed) == ["a.txt", "renamed.md"]
    assert sorted(path.rsplit("/", 1)[1] for path in report.removed) == ["b.md", "c.html"]
    assert set(embedder_of(pipeline).seen) == {"a.txt"}  # a renamed file is known by its content
    assert report.taken_over == 1
    by_file = {}
    for passage in store_of(pipeline).filter_documents():
        by_file.setdefault(passage.meta["file_name"], []).append(passage.content)
    assert by_file["a.txt"] == ["Entirely other words now."]
    assert "b.md" not in by_file
    assert "c.html" not in by_file
    assert "renamed.md" in by_file


def test_two_files_that_swap_their_content(pipeline, folder):
    (folder / "a.txt").write_text("First text.")
    (folder / "z.txt").write_text("Second one.")
    index(pipeline, [folder])
    (folder / "a.txt").write_text("Second one.")
    (folder / "z.txt").write_text("First text.")
    index(pipeline, [folder])
    found = sorted(
        (passage.meta["file_name"], passage.content)
        for passage in store_of(pipeline).filter_documents()
        if passage.meta["file_name"] in ("a.txt", "z.txt")
    )
    assert found == [("a.txt", "Second one."), ("z.txt", "First text.")]


def test_only_the_given_paths_are_looked_at(pipeline, folder):
    index(pipeline, [folder])
    (folder / "a.txt").unlink()
    assert index(pipeline, [folder / "b.md"]).removed == []
    shutil.rmtree(folder)
    assert len(index(pipeline, [folder]).removed) == len(WRITERS)
    assert store_of(pipeline).count_documents() == 0
    assert list(store_of(pipeline).sources.all()) == []
    with pytest.raises(FileNotFoundError):
        index(pipeline, [folder])


def test_another_pipeline_does_everything_again(tmp_path, folder):
    index(build(tmp_path / "store"), [folder])
    other = build(tmp_path / "store", splitter=PassageSplitter(max_tokens=32))
    report = index(other, [folder])
    assert len(report.indexed) == len(WRITERS)
    clean = build(tmp_path / "clean", splitter=PassageSplitter(max_tokens=32))
    index(clean, [folder])
    assert contents(store_of(other)) == contents(store_of(clean))


def test_a_touched_file_is_read_once_more_only(pipeline, folder):
    index(pipeline, [folder])
    (folder / "a.txt").touch()
    index(pipeline, [folder])
    source = next(source for source in store_of(pipeline).sources.all() if source.path.endswith("a.txt"))
    assert source.mtime_ns >= (folder / "a.txt").stat().st_mtime_ns
    assert store_of(pipeline).sources.get(source.source_id).text.startswith("The Halligen")


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


def test_renamed_and_moved_files_are_known_by_their_content(tmp_path, folder):
    pipeline = build(tmp_path / "store", embedder=HashEmbedder())
    index(pipeline, [folder])
    embedder_of(pipeline).seen.clear()
    moved = tmp_path / "moved"
    folder.rename(moved)
    for path in list(moved.iterdir()):
        path.rename(path.with_name(f"other-{path.name}"))
    report = index(pipeline, [tmp_path / "documents", moved])
    assert (report.taken_over, len(report.indexed), len(report.removed)) == (len(WRITERS),) * 3
    assert embedder_of(pipeline).seen == []
    clean = build(tmp_path / "clean")
    index(clean, [moved])
    assert contents(store_of(pipeline)) == contents(store_of(clean))
    assert sorted(one.id for one in store_of(pipeline).filter_documents()) == sorted(
        one.id for one in store_of(clean).filter_documents()
    )
    for one in store_of(clean).filter_documents():
        [same] = store_of(pipeline).filter_documents({"field": "id", "operator": "==", "value": one.id})
        assert (same.meta, same.embedding) == (one.meta, one.embedding)
    assert index(pipeline, [moved]).unchanged == len(WRITERS)


def test_equal_content_is_embedded_once_and_stands_at_all_its_places(pipeline, folder):
    for name in ("copy.txt", "again.txt"):
        shutil.copy(folder / "a.txt", folder / name)
    shutil.copy(folder / "a.txt", folder / "a-as-markdown.md")  # read in another way: not the same
    report = index(pipeline, [folder])
    assert report.taken_over == 2
    assert [name for name in embedder_of(pipeline).seen if name.endswith(".txt")].count("a.txt") <= 1
    places = {one.meta["file_name"]: one.content for one in store_of(pipeline).filter_documents()}
    assert places["a.txt"] == places["copy.txt"] == places["again.txt"]
    (folder / "a.txt").unlink()
    (folder / "copy.txt").write_text("Other words.")
    index(pipeline, [folder])
    names = {one.meta["file_name"] for one in store_of(pipeline).filter_documents()}
    assert {"copy.txt", "again.txt"} <= names
    assert "a.txt" not in names


def test_what_a_file_brought_along_is_not_copied_to_another(pipeline, folder):
    index(pipeline, [folder], meta={"owner": "ada"})
    shutil.copy(folder / "a.txt", folder / "copy.txt")
    assert index(pipeline, [folder]).taken_over == 0
    found = store_of(pipeline).filter_documents({"field": "meta.file_name", "operator": "==", "value": "copy.txt"})
    assert found
    assert all("owner" not in one.meta for one in found)


def test_every_state_of_the_index_holds_one_version_of_each_file(pipeline, folder):
    index(pipeline, [folder])
    for path in folder.glob("*.txt"):
        path.write_text("Quite other words. " * 50)
    (folder / "b.md").write_text("# New\n\nWords.")
    index(pipeline, [folder])
    table = store_of(pipeline)._passages.table

    async def versions():
        seen = []
        for number in [one["version"] for one in await (await table.existing()).list_versions()]:
            rows = await (await table.at_version(number)).query().select(["meta"]).to_arrow()
            seen.append({(m["source_id"], m["source_version"]) for m in map(json.loads, rows["meta"].to_pylist())})
        return seen

    states = run(versions())
    assert len(states) > 3
    for state in states:
        assert len(state) == len({source_id for source_id, _ in state})


def test_the_index_is_not_indexed(tmp_path, folder):
    pipeline = build(folder / "st")
    index(pipeline, [folder])
    report = index(pipeline, [folder, folder / "st"])
    assert (report.indexed, report.unchanged) == ([], len(WRITERS))
    assert not [source.path for source in store_of(pipeline).sources.all() if "/st/" in source.path]


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


def test_metadata_of_the_user_comes_along(pipeline, folder):
    index(pipeline, [folder], meta={"collection": "islands"})
    assert {passage.meta["collection"] for passage in store_of(pipeline).filter_documents()} == {"islands"}


def test_metadata_may_differ_from_file_to_file(pipeline, folder):
    report = index(pipeline, [folder], meta=lambda path: {"file_name": f"as {path.rpartition('/')[2]} was called"})
    assert report.indexed
    names = {document.meta["file_name"] for document in store_of(pipeline).filter_documents()}
    assert names == {f"as {path.rpartition('/')[2]} was called" for path in report.indexed}


def test_batches_make_no_difference(tmp_path, folder):
    one, many = build(tmp_path / "one"), build(tmp_path / "many")
    index(one, [folder], batch_files=1)
    index(many, [folder])
    assert contents(store_of(one)) == contents(store_of(many))
    assert any(PARAGRAPH in content for *_, content in contents(store_of(one))[0])


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


def test_declared_inputs_and_outputs_are_what_a_run_uses(tmp_path, folder):
    @component
    class Remarks:
        @component.output_types(documents=list[Document], remarks=list[tuple[str, str]])
        def run(self, documents: list[Document], said: str = "") -> dict:
            return {"documents": documents, "remarks": [(one.meta["file_path"], said) for one in documents]}

    pipeline = build(tmp_path / "store")
    pipeline.remove_component("b")
    pipeline.add_component("b", Remarks())
    pipeline.connect("a.documents", "b.documents")
    pipeline.connect("b.documents", "c.documents")
    inputs = {"sources": ["a.sources"], "generation": ["d.generation"], "fingerprint": ["a.fingerprint", "b.said"]}
    report = index(NamedPipeline(pipeline, inputs, {"notes": "b.remarks"}), [folder / "a.txt"])
    [(path, fingerprint)] = report.notes
    assert path == report.indexed[0]
    assert fingerprint == next(store_of(pipeline).sources.all()).fingerprint != ""


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


def test_passages_that_the_embedder_does_not_read_to_their_end_are_counted(tmp_path):
    @component
    class Forgetful(HashEmbedder):
        @component.output_types(documents=list[Document], truncated=list[str])
        def run(self, documents: list[Document]) -> dict:
            cut = [document.id for document in documents if len(document.content or "") > 20]
            return {**HashEmbedder.run(self, documents), "truncated": cut}

    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "long.txt").write_text("The harbour was built in 1843.")
    (tmp_path / "files" / "short.txt").write_text("It rained.")
    report = index(build(tmp_path / "store", embedder=Forgetful()), [tmp_path / "files"], batch_files=1)
    assert (report.passages, report.truncated) == (2, 1)
