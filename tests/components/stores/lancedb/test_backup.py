"""Copies of an embedded store: one state of it, whole or not at all, also while it is written to."""

import subprocess
import sys
from pathlib import Path

import pytest
from haystack import Document
from typer.testing import CliRunner

from cli.main import app
from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb.disk.backup import BackupError, back_up
from indexing.run import index
from tests.indexing.pipeline import build, contents, store_of

ROOT = Path(__file__).parents[4]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(f"House {number} stands on the northern rock.")
    return folder


def test_the_copy_holds_the_same_and_answers(tmp_path: Path, documents: Path) -> None:
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents])
    store = store_of(pipeline)
    store.optimise()
    back_up(store, tmp_path / "copy")
    assert not list(Path(store.path).glob(".backup-*"))
    expected = contents(store)
    store.delete_all_documents()
    copy = LanceDBDocumentStore(tmp_path / "copy")
    assert contents(copy) == expected
    assert copy.hybrid_search(["house 7"], None, 1)[0]
    # It is an index of its own: nothing is to be done again, and what changes is written to it.
    report = index(build(tmp_path / "copy"), [documents])
    assert (report.unchanged, len(report.indexed)) == (60, 0)
    copy.write_documents([Document(id="one more", content="text")])
    copy.close()


@pytest.mark.slow
def test_copies_made_while_a_run_writes_are_whole(tmp_path: Path, documents: Path) -> None:
    command = [sys.executable, "-m", "tests.indexing.pipeline", str(documents), str(tmp_path / "store")]
    copies: list[Path] = []
    with subprocess.Popen(command, cwd=ROOT) as run:
        while run.poll() is None:
            store = LanceDBDocumentStore(tmp_path / "store")
            try:
                back_up(store, target := tmp_path / f"copy-{len(copies)}")
                copies.append(target)
            except BackupError:
                continue  # nothing is there yet
            finally:
                store.close()
    assert run.returncode == 0
    expected = contents(LanceDBDocumentStore(tmp_path / "store"))
    sizes = set()
    for target in [copies[0], copies[len(copies) // 2], copies[-1]]:
        copy = LanceDBDocumentStore(target)
        per_source: dict[str, int] = {}
        for one in copy.filter_documents():
            per_source[one.meta["source_id"]] = per_source.get(one.meta["source_id"], 0) + 1
        indexed = {one.source_id: one.passages for one in copy.sources.all() if one.state == "indexed"}
        assert {name: per_source.get(name) for name in indexed} == indexed  # nothing is promised that is not there
        sizes.add(len(indexed))
        copy.close()
    middle = copies[len(copies) // 2]
    subprocess.run([*command[:-1], str(middle)], cwd=ROOT, check=True)
    assert contents(LanceDBDocumentStore(middle)) == expected
    assert len(sizes) > 1, "no copy was made in the middle of the run"


def test_what_cannot_be_copied_is_said_and_leaves_nothing(
    tmp_path: Path, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = build(tmp_path / "store")
    store = store_of(pipeline)
    with pytest.raises(BackupError, match="no index"):
        back_up(store, tmp_path / "copy")
    index(pipeline, [documents])
    with pytest.raises(BackupError, match="exists already"):
        back_up(store, documents)
    with pytest.raises(BackupError, match="inside the index"):
        back_up(store, tmp_path / "store" / "copy")

    def is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", is_full)
    with pytest.raises(OSError, match="No space"):
        back_up(store, tmp_path / "copy")
    assert {one.name for one in tmp_path.iterdir()} == {"documents", "store"}
    assert not list(Path(store.path).glob(".backup-*"))


def test_the_command_says_where_the_copy_is(tmp_path: Path, documents: Path) -> None:
    index(build(tmp_path / "store"), [documents])
    done = CliRunner().invoke(app, ["backup", str(tmp_path / "copy"), "--store", str(tmp_path / "store")])
    assert done.exit_code == 0, done.output
    assert "copied to" in done.stdout
    assert LanceDBDocumentStore(tmp_path / "copy").count_documents() == 60
