"""Faults of the machine are told in words that say what to do."""

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cli import machine
from cli.exits import describe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_watched", [])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/a/b.txt"), "`/a/b.txt`: permission denied"),
        (sqlite3.OperationalError("database or disk is full"), r"the disk that holds `.*` is full \(.*B free\)"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (OSError(errno.EMFILE, "Too many open files"), r"may open [\d,]+ files.*ulimit -n"),
        (MemoryError(), "too little memory.*close other programs"),
        (RuntimeError("torch can only be initialized once"), "too little memory"),
        (KeyError("x"), "unexpected: 'x'.*EXCERPT_DEBUG=1"),
        (ValueError("top_k is 0"), "^top_k is 0$"),
        (RuntimeError(), r"without a message \(RuntimeError\)"),
    ],
)
def test_errors_in_words(error: Exception, words: str) -> None:
    import re

    told = describe(error)
    assert re.search(words, told), told
    assert "Errno" not in told


def test_our_own_errors_are_told_without_their_class() -> None:
    from components.stores.contract import StoreBusyError

    assert describe(StoreBusyError("Process 7 is indexing.")) == "Process 7 is indexing."


def test_a_full_disk_is_told_with_the_folder_written_to(tmp_path: Path) -> None:
    machine.writes_to(tmp_path / "store" / "not made yet")
    assert "bytes free" in describe(OSError(errno.ENOSPC, "x")) or "B free" in describe(OSError(errno.ENOSPC, "x"))


def test_too_few_descriptors_are_told_at_once() -> None:
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 24; exec {sys.executable} -m cli.main index ."],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "may open 24 files at once, and Excerpt needs 256: raise the limit first (ulimit -n 256)" in done.stderr
