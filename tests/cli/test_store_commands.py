"""`excerpt verify`, `dump` and `load`: what they say, and their exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.exits import CommandError
from cli.main import app
from components.stores.lancedb import LanceDBDocumentStore
from indexing.maintenance.dump import DumpError
from indexing.run import index
from tests.indexing.pipeline import build, contents, store_of


@pytest.fixture
def store(tmp_path: Path) -> LanceDBDocumentStore:
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(3):
        (documents / f"{number}.txt").write_text(f"House {number} stands on the northern rock.")
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents])
    return store_of(pipeline)


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def test_verify_says_what_is_wrong_and_ends_with_1(store: LanceDBDocumentStore) -> None:
    found = json.loads(run("verify", "--store", store.path, "--json").stdout)
    assert (found["whole"], found["current"], found["sources"], found["passages"]) == (True, True, 3, 3)
    assert "holds what its record says" in run("verify", "--store", store.path).stdout
    store.delete_documents([store.filter_documents()[0].id])
    said = run("verify", "--store", store.path, code=1).stdout
    assert "not whole: " in said
    assert "excerpt verify --repair" in said
    found = json.loads(run("verify", "--store", store.path, "--json", code=1).stdout)
    assert (found["whole"], len(found["incomplete"])) == (False, 1)


def test_dump_and_load(store: LanceDBDocumentStore, tmp_path: Path) -> None:
    file, other = tmp_path / "all.jsonl.gz", tmp_path / "other"
    assert "3 files and 3 passages written" in run("dump", file, "--store", store.path).stdout
    assert "3 files and 3 passages loaded" in run("load", file, "--store", other).stdout
    loaded = LanceDBDocumentStore(other)
    assert contents(loaded) == contents(store)
    loaded.close()
    refused = run("load", file, "--store", other, code=1)
    assert isinstance(refused.exception, CommandError)
    assert "--more" in str(refused.exception)
    run("load", file, "--store", other, "--more")
    assert contents(LanceDBDocumentStore(other)) == contents(store)


def test_what_is_no_dump_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words")
    refused = run("load", tmp_path / "notes.txt", "--store", tmp_path / "new", code=1)
    assert isinstance(refused.exception, DumpError)
    assert "excerpt dump" in str(refused.exception)
