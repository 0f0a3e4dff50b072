"""Killed at any moment and run again, an index is what a clean run makes of the same files."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexing.run import index
from tests.indexing.pipeline import build, contents, embedder_of, store_of

ROOT = Path(__file__).parents[3]
ROUNDS = int(os.environ.get("EXCERPT_KILL_ROUNDS", "2"))


def change(folder: Path, dice: random.Random) -> None:
    """Add, rewrite, rename and remove a few files."""
    files = sorted(folder.iterdir())
    for path in dice.sample(files, k=min(4, len(files))):
        match dice.randrange(3):
            case 0:
                path.write_text(f"Rewritten {dice.random()}. " + "A sentence that stays. " * dice.randrange(200))
            case 1:
                path.rename(folder / f"moved-{dice.randrange(10**6)}.txt")
            case 2:
                path.unlink()
    for _ in range(4):
        text = f"New {dice.random()}. " + "Another sentence of the text. " * dice.randrange(200)
        (folder / f"new-{dice.randrange(10**6)}.txt").write_text(text)


def killed_run(folder: Path, store: Path, after: float) -> bool:
    """Start an index run and kill it `after` seconds behind its first sign of life; whether it was still at work."""
    command = [sys.executable, "-m", "tests.indexing.pipeline", str(folder), str(store)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lock = store / "index.lock"
    while process.poll() is None and not (lock.exists() and lock.read_text() == str(process.pid)):
        time.sleep(0.005)
    time.sleep(after)
    was_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return was_running


@pytest.mark.slow
def test_a_killed_run_is_mended_by_the_next(tmp_path):
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    dice = random.Random(seed)
    folder, store = tmp_path / "documents", tmp_path / "store"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"Document {number}. " + "It has a few sentences. " * dice.randrange(300))
    hit = 0
    for number in range(ROUNDS):
        change(folder, dice)
        hit += killed_run(folder, store, dice.uniform(0.0, 2.0))
        mended, clean = build(store), build(tmp_path / f"clean-{number}")
        mended_report = index(mended, [folder])
        index(clean, [folder])
        assert contents(store_of(mended)) == contents(store_of(clean)), f"seed {seed}, round {number}"
        assert {source.state for source in store_of(mended).sources.all()} == {"indexed"}
        embedder_of(mended).seen.clear()
        again = index(mended, [folder])
        assert (again.indexed, again.removed, embedder_of(mended).seen) == ([], [], [])
        assert mended_report.unchanged + len(mended_report.indexed) == len(list(folder.iterdir()))
    assert hit > 0, "no run was killed at work"
