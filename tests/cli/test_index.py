"""`excerpt index` and `excerpt status` for real: what is new, what is refused, what an edited YAML does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "documents"
Excerpt = Callable[..., Any]  # runs the command: see conftest.py


def test_new_changed_gone_refused(excerpt: Excerpt, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.txt").write_text("The lighthouse keeper was called Ada Quill.\n", encoding="utf-8")
    (documents / "b.txt").write_text("The harbour was built in 1843.\n", encoding="utf-8")
    (documents / "broken.pdf").write_bytes(b"%PDF-1.7 this is no PDF")
    first = excerpt("index", documents)
    assert first.returncode == 3
    assert "2 files indexed" in first.stdout and "1 refused" in first.stdout
    assert "broken.pdf" in first.stderr
    answer = excerpt("ask", "Who was the keeper?")
    assert answer.stdout.startswith("Ada Quill"), answer.stdout + answer.stderr

    status = json.loads(excerpt("status", "--json").stdout)
    assert (status["sources"], status["refused_count"], status["pending"]) == (2, 1, 0)
    assert next(iter(status["refused"])).endswith("broken.pdf")
    assert status["bytes"] > 0 and status["passages"] == 2 and len(status["fingerprints"]) == 1

    (documents / "a.txt").write_text("The lighthouse keeper was called Tom Brine.\n", encoding="utf-8")
    (documents / "b.txt").unlink()
    (documents / "broken.pdf").unlink()
    second = excerpt("index", documents)
    assert second.returncode == 0, second.stderr
    assert "1 file indexed (1 passage)" in second.stdout and "2 removed" in second.stdout
    assert excerpt("ask", "Who was the keeper?").stdout.startswith("Tom Brine")
    shown = excerpt("status").stdout
    assert "1 indexed, 0 refused, 0 unfinished" in shown


def test_equal_files_are_one_answer_with_all_its_places(excerpt: Excerpt, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name in ("a.txt", "b.txt", "copy.md"):
        (documents / name).write_text("The lighthouse keeper was called Ada Quill.\n", encoding="utf-8")
    (documents / "other.txt").write_text("The harbour was built in 1843.\n", encoding="utf-8")
    assert "known by their content" in excerpt("index", documents).stdout

    def places() -> list[str]:
        [first, *_] = json.loads(excerpt("ask", "Who was the keeper?", "--json").stdout)["answers"]
        assert first["answer"] == "Ada Quill"
        return sorted(place["file"].rpartition("/")[2] for place in first["places"])

    assert places() == ["a.txt", "b.txt", "copy.md"]
    assert "and 2 other places" in excerpt("ask", "Who was the keeper?").stdout
    (documents / "a.txt").unlink()
    assert "1 removed" in excerpt("index", documents).stdout
    assert places() == ["b.txt", "copy.md"]


def test_document_text_cannot_steer_the_terminal(excerpt: Excerpt, tmp_path: Path) -> None:
    (tmp_path / "evil.txt").write_text(
        "The treasure is buried under \x1b[31mthe old oak\x1b[2J tree.\n", encoding="utf-8"
    )
    excerpt("index", "evil.txt")
    done = excerpt("ask", "Where is the treasure buried?")
    assert "old oak" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\\u001b" in excerpt("ask", "Where is the treasure buried?", "--json").stdout, "JSON keeps the text as it is"


def test_an_empty_folder_is_an_empty_index(excerpt: Excerpt, tmp_path: Path) -> None:
    (tmp_path / ".excerpt").mkdir()
    done = excerpt("ask", "Anything?")
    assert done.returncode == 1
    assert "the index is empty. Fill it: excerpt index PATH" in done.stderr


def test_what_a_user_edits_in_the_yaml_takes_effect(excerpt: Excerpt, tmp_path: Path, indexed: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(ROOT / "pipelines" / "embedded", mine)
    yaml = (mine / "ask.yaml").read_text(encoding="utf-8")
    (mine / "ask.yaml").write_text(yaml.replace("top_k: 3", "top_k: 1"), encoding="utf-8")
    options = ["--pipelines", mine, "--store", indexed / ".excerpt", "--json"]
    assert len(json.loads(excerpt("ask", "Who was the MVP?", *options).stdout)["answers"]) == 1

    (mine / "ask.yaml").write_text(yaml.replace("top_k: 3", "topk: 1"), encoding="utf-8")
    broken = excerpt("ask", "Who was the MVP?", *options)
    assert broken.returncode == 1
    for words in ("mine/ask.yaml, line ", 'component "reader"', '"topk" is unknown', "did you mean top_k?"):
        assert words in broken.stderr


def test_the_examples_are_what_the_script_makes() -> None:
    """Formats that the README promises, and a size that a clone can bear."""
    files = [file for file in EXAMPLES.rglob("*") if file.is_file()]
    kinds = {file.suffix for file in files}
    assert kinds >= {".txt", ".md", ".html", ".pdf", ".docx", ".pptx", ".xlsx", ".csv", ".jsonl", ".eml"}
    assert sum(file.stat().st_size for file in files) < 1_500_000
