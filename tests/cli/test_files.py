"""`excerpt list`, `show`, `forget`, `open`, and the files that `--filter file=` means."""

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.commands.files.find import matching
from cli.commands.files.open import command_for
from cli.exits import CommandError
from components.stores.contract import Source

Run = Callable[..., tuple[int, str, str]]
ANTHEM = "Who sang the national anthem at Super Bowl 50?"


def test_list_and_show(inside: Run) -> None:
    code, out, _ = inside("list")
    assert (code, len(out.splitlines())) == (0, 3)
    assert all(len(line) <= 100 for line in out.splitlines())
    code, out, _ = inside("list", "*.pdf", "--json")
    files = [json.loads(line) for line in out.splitlines()]
    assert [Path(one["path"]).name for one in files] == ["black-death.pdf", "super-bowl-50.pdf"]
    assert inside("list", "nothing*")[0] == 5

    code, out, _ = inside("show", "steam-engine.md")
    assert code == 0 and "James Watt" in out
    code, out, _ = inside("show", "super-bowl-50.pdf", "--passages", "--json")
    passages = [json.loads(line) for line in out.splitlines()]
    assert len(passages) == next(one["passages"] for one in files if "super-bowl" in one["path"])
    assert passages == sorted(passages, key=lambda one: one["start_in_file"])
    code, out, _ = inside("show", passages[3]["document_id"])
    assert code == 0 and f"id {passages[3]['document_id']}" in out
    code, _, err = inside("show", "no-such-file.pdf")
    assert (code, "neither a passage nor a file" in err) == (5, True)


def test_file_filters_take_names_folders_and_patterns(inside: Run) -> None:
    for name in ("black-death.pdf", "*death*", Path("black-death.pdf").stem + ".*"):
        code, out, err = inside(
            "ask", "How many people died of plague in Paris in 1466?", "--json", "--filter", f"file={name}"
        )
        assert code in (0, 4), err
        assert {Path(one["file"]).name for one in json.loads(out)["answers"]} == {"black-death.pdf"}
    code, out, err = inside("ask", ANTHEM, "--filter", "file=no-such.pdf")
    assert (code, out) == (5, "")
    assert "means no file of the index; excerpt list shows the files" in err
    code, _, err = inside("ask", ANTHEM, "--filter", "colour!=red")
    assert (code, "no passage has a field `colour`" in err, "file_name" in err) == (2, True, True)
    code, _, err = inside("ask", ANTHEM, "--filter", "page>9000")
    assert (code, "no passage of the index matches the filter" in err) == (5, True)


def test_open_opens_the_page_of_the_last_answers(inside: Run, tmp_path: Path) -> None:
    code, _, err = inside("open")
    assert (code, "ask something first" in err) == (1, True)
    inside("ask", ANTHEM, "--top-k", 1)
    viewer = "cat --page={page} {file}"
    code, out, _ = inside("open", 1, "--print", "--viewer", viewer)
    assert code == 0
    assert out.startswith("cat --page=7 ") and out.strip().endswith("super-bowl-50.pdf")
    code, _, err = inside("open", 2, "--viewer", viewer)
    assert (code, "from 1 to 1" in err) == (1, True)
    kept = next((tmp_path / "XDG_CACHE_HOME").rglob("*.json"))
    assert "Gaga" not in kept.read_text() and "anthem" not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_hostile_name_is_one_word_for_the_viewer() -> None:
    name = "/tmp/-rf $(id) '; x.txt"
    assert command_for(name, None, "cat {file}") == ["cat", name]
    assert command_for(name, None, "cat") == ["cat", name]
    with pytest.raises(CommandError, match="`no-such-viewer` is not installed"):
        command_for("/a.pdf", 3, "no-such-viewer {file}")


def test_forget_takes_out_of_the_index_and_leaves_the_file(inside: Run, indexed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(indexed / ".excerpt", copy)
    code, out, err = inside("forget", "steam-engine.md", "--store", copy)
    assert code == 0, err
    assert "still there" in out
    assert len(inside("list", "--store", copy)[1].splitlines()) == 2
    code, _, err = inside("forget", "steam-engine.md", "--store", copy)
    assert (code, "no file of the index is meant" in err) == (5, True)


def test_names_are_found_however_they_are_composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "Münchner Vertrag.txt"
    stored = f"{tmp_path}/deep/{unicodedata.normalize('NFD', name)}"
    sources = [
        Source("1", stored, "", "", "", "indexed"),
        Source("2", f'{tmp_path}/deep/it\'s "odd".txt', "", "", "", "indexed"),
    ]
    for given in (name, unicodedata.normalize("NFD", name), f"deep/{name}", "M*Vertrag.txt", f"{tmp_path}/deep/{name}"):
        assert [one.source_id for one in matching(sources, given)] == ["1"], given
    assert [one.source_id for one in matching(sources, 'it\'s "odd".txt')] == ["2"]
    assert [one.source_id for one in matching(sources, "deep")] == ["1", "2"]
    assert matching(sources, "odd.txt") == []
