"""What a store, its record and the files say is held against each other, and mended."""

from dataclasses import replace

import pytest
from haystack import Document

from indexing.maintenance.verify import repair, verify
from indexing.run import index
from tests.indexing.pipeline import build, contents, store_of
from tests.indexing.real_files import WRITERS


@pytest.fixture
def pipeline(tmp_path, folder):
    pipeline = build(tmp_path / "store")
    (folder / "empty.txt").write_text("")
    index(pipeline, [folder])
    return pipeline


def names(sources):
    return [source.path.rpartition("/")[2] for source in sources]


def test_an_index_that_is_whole_and_current(pipeline):
    seen = []
    findings = verify(store_of(pipeline), rehash=True, progress=lambda done, total: seen.append((done, total)))
    assert (findings.is_whole, findings.is_current) == (True, True)
    assert findings.sources == len(WRITERS) + 1
    assert findings.passages == store_of(pipeline).count_documents()
    assert seen[-1] == (findings.sources, findings.sources)


def test_every_kind_of_damage_is_found_and_mended(pipeline, folder):
    store = store_of(pipeline)
    before = contents(store)
    ids = {one.meta["file_name"]: one.id for one in store.filter_documents()}
    store.delete_documents([ids["a.txt"]])
    [pending] = [store.sources.get(one.source_id) for one in store.sources.all() if one.path.endswith("b.md")]
    store.sources.put([replace(pending, state="pending")])
    meta = {"source_id": pending.source_id, "source_version": "old"}
    [other] = [one for one in store.sources.all() if one.path.endswith("c.html")]
    [refused] = [one for one in store.sources.all() if one.path.endswith("empty.txt")]
    store.write_documents(
        [
            Document(id="nobody", content="of no file", meta={"source_id": "0" * 32, "source_version": "1"}),
            Document(id="older", content="an older version", meta={**meta, "source_id": other.source_id}),
            Document(id="refused", content="of a refused file",
                     meta={"source_id": refused.source_id, "source_version": refused.version}),
            Document(id="bare", content="of nothing at all"),
        ]
    )  # fmt: skip
    findings = verify(store)
    assert (findings.is_whole, findings.is_current) == (False, True)
    assert (names(findings.incomplete), names(findings.unfinished)) == (["a.txt"], ["b.md"])
    assert sorted(findings.strays) == ["bare", "nobody", "older", "refused"]
    paths = repair(store, findings)
    assert [path.rpartition("/")[2] for path in paths] == ["a.txt", "b.md"]
    assert len(index(pipeline, paths).indexed) == 2
    assert contents(store) == before
    assert verify(store).is_whole


def test_files_that_changed_or_went_since(pipeline, folder):
    (folder / "a.txt").write_text("Other words.")
    (folder / "b.md").unlink()
    (folder / "c.html").touch()
    findings = verify(store_of(pipeline))
    assert (findings.is_whole, findings.is_current) == (True, False)
    assert (names(findings.changed), names(findings.gone)) == (["a.txt"], ["b.md"])
