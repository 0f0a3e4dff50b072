"""The command as a user runs it: a process of its own, over an index of the example documents with the real models."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "documents"
Excerpt = Callable[..., "subprocess.CompletedProcess[str]"]


def run_excerpt(*arguments: object, folder: Path, **options: object) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT), **dict(options.pop("environment", {}))}  # type: ignore[call-overload]
    environment.pop("EXCERPT_DEBUG", None)
    command = [sys.executable, "-m", "cli.main", *map(str, arguments)]
    settings = {"capture_output": True, "text": True, "timeout": 600, "stdin": subprocess.DEVNULL} | options
    if "input" in settings:
        settings.pop("stdin")
    return subprocess.run(command, cwd=folder, env=environment, **settings)  # type: ignore[call-overload]


@pytest.fixture
def excerpt(tmp_path: Path) -> Excerpt:
    """Runs the command in an empty folder."""
    return lambda *arguments, **options: run_excerpt(*arguments, folder=tmp_path, **options)


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of three of the examples (150 passages: enough to be wrong in) in .excerpt."""
    folder = tmp_path_factory.mktemp("indexed")
    files = [EXAMPLES / name for name in ("super-bowl-50.pdf", "black-death.pdf", "steam-engine.md")]
    done = run_excerpt("index", *files, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "3 files indexed" in done.stdout
    return folder


@pytest.fixture
def ask(indexed: Path) -> Excerpt:
    """Runs the command over the index of the examples."""
    return lambda *arguments, **options: run_excerpt(*arguments, folder=indexed, **options)
