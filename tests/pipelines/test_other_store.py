"""A store that Excerpt does not ship: `excerpt index` and `excerpt ask` run over it by YAML alone."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from pipelines.loader import SETS, BrokenPipelineError, load_pipeline
from tests.components.stores.memory.store import InMemoryStore

MODULE = InMemoryStore.__module__


@pytest.fixture
def pipelines(tmp_path: Path) -> Path:
    """The embedded pipelines with another store, and the fast reader."""
    folder = tmp_path / "pipelines"
    folder.mkdir()
    for name in ("index", "ask"):
        text = (SETS / "embedded" / f"{name}.yaml").read_text(encoding="utf-8")
        text = text.replace("components.stores.lancedb.LanceDBDocumentStore", f"{MODULE}.InMemoryStore")
        text = re.sub(r"path: .*EXCERPT_STORE.*", f"name: {tmp_path.name}", text)
        text = text.replace("models/minilm-squad}", "models/minilm-squad-fast}")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package were installed that says it brings components for YAML files."""
    about = tmp_path / "site" / "another_store-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: another-store\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[excerpt.components]\nmemory = {MODULE}\n")
    monkeypatch.syspath_prepend(tmp_path / "site")


def test_index_and_ask_run_over_it(pipelines: Path, installed: None, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "tower.txt").write_text("The Eiffel Tower was finished in 1889. It stands in Paris.")
    (documents / "wall.txt").write_text("The wall was built of stone over many centuries by many hands.")
    (documents / "empty.txt").write_text("")

    def run(*arguments: object, code: int = 0):
        done = CliRunner().invoke(app, [str(one) for one in (*arguments, "--pipelines", pipelines, "--json")])
        assert done.exit_code == code, (done.output, done.exception)
        return json.loads(done.stdout)

    report = run("index", documents, code=3)
    assert [len(report[name]) for name in ("indexed", "refused")] == [2, 1]
    answers = run("ask", "When was the Eiffel Tower finished?")["answers"]
    assert answers[0]["answer"] == "1889"
    assert answers[0]["file"].endswith("tower.txt")
    (documents / "wall.txt").unlink()
    assert len(run("index", documents)["removed"]) == 1
    status = run("status")
    assert (status["sources"], status["refused_count"], status["bytes"]) == (1, 1, None)
    assert status["store"] == f"{tmp_path.name} in memory"


def test_no_package_names_it_no_yaml_may(pipelines: Path) -> None:
    with pytest.raises(BrokenPipelineError, match=r"memory.store.InMemoryStore\" is not allowed"):
        load_pipeline("index", str(pipelines))
