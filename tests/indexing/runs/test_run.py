"""An index run does what is new or changed, takes out what is gone, and nothing else."""

import json
import shutil

import pytest
from haystack import Document, component

from components.named_pipeline import NamedPipeline
from components.stores.lancedb.runtime import run
from indexing.passages import PassageSplitter
from indexing.run import index
from tests.indexing.pipeline import HashEmbedder, build, contents, embedder_of, store_of
from tests.indexing.real_files import PARAGRAPH, WRITERS


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
