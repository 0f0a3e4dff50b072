"""A pipeline that is another than the index was made with: what changed is said, and the whole index is made anew."""

import json
import shutil
import uuid
from pathlib import Path

import pytest
from haystack import Pipeline

from components.models import MINILM, resolve_model
from components.stores.lancedb import LanceDBDocumentStore
from indexing.converter import FileConverter
from indexing.fingerprint import describe_pipeline
from indexing.maintenance.dump import dump, load
from indexing.maintenance.pipeline_changes import find_changes, tell_differences
from indexing.maintenance.rebuild import bring_up_to_date, rebuild
from indexing.passages import PassageSplitter
from indexing.pipeline import index_pipeline
from indexing.run import index
from indexing.writer import SourceWriter
from tests.components.stores.memory.store import InMemoryStore
from tests.indexing.pipeline import HashEmbedder, build, contents, store_of


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"House {number} stands on the northern rock. " * 12)
    return folder


def differences(before: list[object], now: list[object]) -> list[str]:
    return tell_differences(describe_pipeline(before), describe_pipeline(now))


def test_what_changed_is_said_in_words(tmp_path: Path) -> None:
    shutil.copytree(resolve_model(MINILM), tmp_path / "model")
    model = str(tmp_path / "model")
    before = [FileConverter(), PassageSplitter(max_tokens=200), HashEmbedder()]
    assert differences(before, [FileConverter(workers=9), PassageSplitter(max_tokens=200), HashEmbedder()]) == []
    assert differences(before, [FileConverter(), PassageSplitter(max_tokens=150, overlap=1), HashEmbedder()]) == [
        "passage length 200 -> 150 tokens",
        "overlap of passages 0 -> 1 sentences",
    ]
    assert differences(before, [FileConverter(archives=True), PassageSplitter(model, 200), HashEmbedder(9)]) == [
        "archives of FileConverter off -> on",
        f"model {MINILM} -> {model}",
        "dimension of HashEmbedder 8 -> 9",
    ]
    assert differences(before, before[:2]) == ["HashEmbedder is gone"]
    assert differences(before, [*before, PassageSplitter()]) == ["PassageSplitter is new"]
    assert differences(before, before[::-1]) == ["the order of the components"]
    old = describe_pipeline([PassageSplitter(model)])
    with (tmp_path / "model" / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x07")
    new = describe_pipeline([PassageSplitter(model)])
    assert tell_differences(old, new) == [f"the weights of model {model}"]
    assert tell_differences({**old, "format": 3}, old) == ["how this version of Excerpt reads files (format 3 -> 4)"]


def test_a_changed_pipeline_makes_the_whole_index_anew(tmp_path: Path, documents: Path) -> None:
    other = tmp_path / "elsewhere.txt"
    other.write_text("A light stands elsewhere.")
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents, other])
    told: list[list[str]] = []
    assert bring_up_to_date(pipeline, [documents], on_changes=told.append).unchanged == 5
    # Vectors of another length could not be written into the old index at all.
    changed = build(tmp_path / "store", PassageSplitter(max_tokens=64), HashEmbedder(16))
    report = bring_up_to_date(changed, [documents], on_changes=told.append)
    words = ["passage length as the model says -> 64 tokens", "dimension of HashEmbedder 8 -> 16"]
    assert told == [words]
    assert (report.pipeline_changes, len(report.indexed)) == (words, 6)
    index(fresh := build(tmp_path / "fresh", PassageSplitter(max_tokens=64), HashEmbedder(16)), [documents, other])
    assert contents(store_of(changed)) == contents(store_of(fresh))
    assert bring_up_to_date(changed, [documents], on_changes=told.append).unchanged == 5
    assert len(told) == 1


def test_an_index_from_before_settings_were_recorded_is_made_anew_too(tmp_path: Path, documents: Path) -> None:
    index(build(tmp_path / "store"), [documents])
    with store_of(build(tmp_path / "store")).sources._writing() as connection:
        connection.execute("DROP TABLE pipelines")
    changed = build(tmp_path / "store", PassageSplitter(max_tokens=64))
    [told] = bring_up_to_date(changed, [documents]).pipeline_changes
    assert "not recorded" in told
    assert {source.fingerprint for source in store_of(changed).sources.all()} != set()


def test_who_may_see_a_file_holds_in_the_new_index(tmp_path: Path, documents: Path) -> None:
    whose = {str(documents / "0.txt"): "ada", str(documents / "1.txt"): "bob"}
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents], meta=lambda path: {"allow": whose.get(path, "all"), "file_name": "shown as this"})
    changed = build(tmp_path / "store", PassageSplitter(max_tokens=64))
    other_language = build(tmp_path / "store", PassageSplitter(max_tokens=64))
    other_language.get_component("d").document_store = LanceDBDocumentStore(tmp_path / "store", language="de")
    for made in (changed, other_language):
        rebuild(made, [documents]) if made is other_language else bring_up_to_date(made, [documents])
        changed = made
        seen = {one.meta["file_path"]: one.meta["allow"] for one in store_of(changed).filter_documents()}
        assert seen == {str(documents / f"{n}.txt"): whose.get(str(documents / f"{n}.txt"), "all") for n in range(5)}


def test_a_store_that_cannot_be_made_anew_is_indexed_in_place(documents: Path) -> None:
    def make(splitter: PassageSplitter, name: str = uuid.uuid4().hex) -> Pipeline:
        pipeline = Pipeline()
        pipeline.add_component("a", FileConverter())
        pipeline.add_component("b", splitter)
        pipeline.add_component("c", HashEmbedder())
        pipeline.add_component("d", SourceWriter(InMemoryStore(name)))
        for sender, receiver in (
            ("a.documents", "b.documents"), ("a.documents", "d.sources"), ("a.failures", "d.failures"),
            ("b.documents", "c.documents"), ("c.documents", "d.documents"),
        ):  # fmt: skip
            pipeline.connect(sender, receiver)
        return pipeline

    bring_up_to_date(make(PassageSplitter()), [documents])
    changed = make(PassageSplitter(max_tokens=64))
    report = bring_up_to_date(changed, [documents])
    assert report.pipeline_changes == ["passage length as the model says -> 64 tokens"]
    indexing = index_pipeline(changed)
    assert find_changes(indexing.document_store, indexing) == []


def test_a_dump_carries_what_the_pipeline_was_made_of(tmp_path: Path, documents: Path) -> None:
    index(build(tmp_path / "store"), [documents])
    dump(store_of(build(tmp_path / "store")), tmp_path / "all.gz")
    load(store_of(build(tmp_path / "other")), tmp_path / "all.gz")
    changed = index_pipeline(build(tmp_path / "other", PassageSplitter(overlap=2)))
    assert find_changes(changed.document_store, changed) == ["overlap of passages 0 -> 2 sentences"]
    assert json.dumps(bring_up_to_date(changed, [documents]).to_json()["pipeline_changes"])
