"""An embedded index made again beside the one in use: questions go on, one switch, or nothing has happened."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb.passages import Passages
from indexing.maintenance.rebuild import rebuild
from indexing.passages import PassageSplitter
from indexing.run import index
from tests.indexing.pipeline import HashEmbedder, build, contents, store_of


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(f"House {number} stands on the northern rock.")
    return folder


def test_questions_go_on_and_the_new_one_takes_the_place(tmp_path: Path, documents: Path) -> None:
    index(build(tmp_path / "store"), [documents])
    asking = LanceDBDocumentStore(tmp_path / "store")
    wrong: list[object] = []
    end = threading.Event()

    def ask() -> None:
        while not end.is_set():
            try:
                found = len(asking.hybrid_search(["northern rock"], None, 20)[0])
                if found != 12 or asking.count_documents() != 12:
                    wrong.append(found)
            except Exception as error:
                wrong.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        # Vectors of another length: such an embedder could not be written into the old index.
        for dimension in (16, 4):
            changed = build(tmp_path / "store", embedder=HashEmbedder(dimension))
            report = rebuild(changed, [documents])
            assert len(report.indexed) == 12
    finally:
        end.set()
        thread.join()
    assert wrong == []
    assert len(asking.filter_documents()[0].embedding or []) == 4
    report = index(changed, [documents])
    assert (report.unchanged, report.indexed) == (12, [])
    index(build(tmp_path / "fresh", embedder=HashEmbedder(4)), [documents])
    assert contents(asking) == contents(LanceDBDocumentStore(tmp_path / "fresh"))
    names = {path.name for path in (tmp_path / "store").iterdir()}
    assert names == {"rebuilt-2", "current", "index.lock"}


@pytest.mark.parametrize("was_open", [True, False])
@pytest.mark.parametrize("blocking", [True, False])
def test_a_search_that_the_switch_overtakes_begins_again(
    tmp_path: Path, documents: Path, monkeypatch: pytest.MonkeyPatch, was_open: bool, blocking: bool
) -> None:
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents])
    asking = LanceDBDocumentStore(tmp_path / "store")
    if was_open:
        assert asking.count_documents() == 12
    search, asked = Passages.search, 0

    async def overtaken(self: Passages, *arguments: Any, **settings: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.to_thread(rebuild, pipeline, [documents])
        return await search(self, *arguments, **settings)

    monkeypatch.setattr(Passages, "search", overtaken)
    if blocking:
        found = asking.hybrid_search(["northern rock"], None, 20)
    else:
        found = asyncio.run(asking.hybrid_search_async(["northern rock"], None, 20))
    assert len(found[0]) == 12
    assert asked > 1


def test_generations_go_on(tmp_path: Path, documents: Path) -> None:
    pipeline = build(tmp_path / "store")
    before = index(pipeline, [documents]).generation
    after = rebuild(pipeline, [documents]).generation
    assert before is not None and after is not None and after > before


def test_what_fails_changes_nothing(tmp_path: Path, documents: Path) -> None:
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents])
    before = contents(store_of(pipeline))
    fails = build(tmp_path / "store", embedder=HashEmbedder(fails_on="House 7"), splitter=PassageSplitter(overlap=1))
    with pytest.raises(RuntimeError, match="as it was"):
        rebuild(fails, [documents])
    assert contents(store_of(pipeline)) == before
    assert not list((tmp_path / "store").glob("rebuilt-*"))
