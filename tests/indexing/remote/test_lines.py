"""JSON lines as documents: the list is the truth, and a broken line costs itself alone."""

import io
import json

import pytest

from indexing.maintenance.rebuild import rebuild
from indexing.maintenance.verify import repair, verify
from indexing.remote.addresses import open_again
from indexing.remote.lines import JsonLines
from indexing.remote.origin import OriginError
from indexing.run import IndexReport, index
from tests.indexing.pipeline import build, store_of

ROWS = [
    {"id": 1, "text": "The keeper is Ada.", "title": "Keepers", "meta": {"year": 1843, "allow": "ada"}},
    {"id": "two", "text": "# Harbour\n\nBuilt in 1844.", "type": "text/markdown"},
    {"id": "three", "text": "The light stands on the rock."},
]


def run(pipeline, rows: list[object], name: str = "input") -> IndexReport:
    lines = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in rows)
    return index(pipeline, [], origins=[JsonLines(io.BytesIO(lines), name)])


@pytest.fixture
def pipeline(tmp_path):
    return build(tmp_path / "store")


def test_what_is_new_changed_and_gone(pipeline):
    assert len(run(pipeline, ROWS).indexed) == 3
    found = {one.meta["file_path"]: one for one in store_of(pipeline).filter_documents()}
    assert found["lines:input/1"].meta["year"] == 1843
    assert found["lines:input/1"].meta["title"] == "Keepers"
    assert found["lines:input/two"].meta["mime_type"] == "text/markdown"
    assert run(pipeline, ROWS).unchanged == 3
    changed = [{**ROWS[0], "meta": {"year": 1900}}, ROWS[1]]
    report = run(pipeline, changed)
    assert (report.indexed, report.removed, report.unchanged) == (["lines:input/1"], ["lines:input/three"], 1)
    assert {one.meta.get("year") for one in store_of(pipeline).filter_documents()} == {1900, None}


def test_lists_of_different_names_are_apart(pipeline):
    run(pipeline, ROWS)
    report = run(pipeline, ROWS[:1], "other")
    assert (report.indexed, report.removed) == (["lines:other/1"], [])
    assert len(list(store_of(pipeline).sources.all())) == 4
    with pytest.raises(OriginError):
        JsonLines(io.BytesIO(), "a/b")


def test_a_broken_line_is_named_and_nothing_is_then_taken_for_gone(pipeline):
    run(pipeline, ROWS)
    broken = [b"{", b'{"id": 4}', b'{"text": "x"}', b"[1]", b'{"id":"a\\nb","text":"x"}', b"[" * 100_000, ROWS[0]]
    broken.append({"id": "x", "text": "y", "meta": {"source_id": "another's"}})
    report = run(pipeline, broken)
    assert [one.path for one in report.refused] == [f"lines:input/line {n}" for n in (1, 2, 3, 4, 5, 6, 8)]
    assert {one.reason for one in report.refused} == {"damaged"}
    assert (report.unchanged, report.removed) == (1, [])


def test_a_rebuild_takes_lines_from_the_record(tmp_path, pipeline):
    run(pipeline, ROWS)
    (tmp_path / "a.txt").write_text("A file.")
    report = rebuild(pipeline, [tmp_path / "a.txt"])
    assert len(report.indexed) == 4 and report.removed == []
    found = {one.meta["file_path"]: one.meta for one in store_of(pipeline).filter_documents()}
    assert (found["lines:input/1"]["allow"], found["lines:input/1"]["title"]) == ("ada", "Keepers")
    assert run(pipeline, ROWS).unchanged == 3


def test_what_is_not_whole_of_a_list_is_mended_from_the_record(pipeline):
    run(pipeline, ROWS)
    store = store_of(pipeline)
    store.delete_by_filter({"field": "meta.file_path", "operator": "==", "value": "lines:input/two"})
    findings = verify(store)
    assert repair(store, findings) == ["lines:input/two"]
    index(pipeline, [], origins=open_again(store.sources, findings.incomplete))
    assert verify(store).is_whole and store.count_documents() == 3
    assert run(pipeline, ROWS).unchanged == 3
