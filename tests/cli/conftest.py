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


@pytest.fixture
def inside(
    indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """
    Runs the command in this process over the index of the examples, which saves its start: (exit code, stdout, stderr).
    What the command keeps for its user goes to a folder of the test.
    """
    from cli import config, exits
    from cli.main import app

    monkeypatch.chdir(indexed)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("EXCERPT_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            exits.run_command(lambda: app([str(one) for one in arguments], default_map=config.default_map()))
        out, err = capfd.readouterr()
        return int(end.value.code or 0), out, err

    return run
