"""`excerpt index --files-from`: the paths of a list."""

import json
import os
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app


def test_the_files_of_a_list_are_indexed_and_no_others(tmp_path: Path) -> None:
    names = [b"plain.txt", b"with blank.txt", b"caf\xe9.txt"]
    for name in [*names, b"other.txt"]:
        (tmp_path / os.fsdecode(name)).write_text(f"The house {len(name)} stands on the northern rock.")
    lines = b"\r\n".join(os.fsencode(tmp_path) + b"/" + name for name in names) + b"\n\n"
    done = CliRunner().invoke(
        app, ["index", "--files-from", "-", "--store", str(tmp_path / "store"), "--json", "-q"], input=lines
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert sorted(Path(path).name for path in report["indexed"]) == ["caf\\udce9.txt", "plain.txt", "with blank.txt"]


def test_without_a_path_or_with_no_list_nothing_is_loaded(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["index"]).exit_code == 2
    missing = CliRunner().invoke(app, ["index", "--files-from", str(tmp_path / "list")])
    assert missing.exit_code == 1
    assert "cannot be read" in str(missing.exception)
