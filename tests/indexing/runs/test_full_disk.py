"""A disk that is full: the run ends with an error, what was there stays whole, and with room again all comes in."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.exits import describe
from indexing.maintenance.verify import verify
from indexing.run import index
from tests.indexing.pipeline import build, contents, store_of
from tests.indexing.runs.day import pipeline_over


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_costs_nothing_that_was_there(tmp_path):
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(12):
        (documents / f"{number:03}.txt").write_text(f"House {number}. " + "It stands on the rock. " * 40)
    with small_disk(tmp_path / "disk", 2):
        store = tmp_path / "disk" / "store"
        index(pipeline_over(store), [documents])
        before = contents(store_of(pipeline_over(store)))
        for number in range(12, 150):
            text = " ".join(f"word{number}x{n}" for n in range(3_000))
            (documents / f"{number:03}.txt").write_text(text)
        with pytest.raises(Exception) as error:
            index(pipeline_over(store), [documents], batch_files=4)
        assert "full" in describe(error.value).lower() or "space" in describe(error.value).lower(), error.value
        passages, sources = contents(store_of(pipeline_over(store)))
        assert set(before[0]) <= set(passages) and set(before[1]) <= set(sources)
        subprocess.run(["mount", "-o", "remount,size=400m", str(tmp_path / "disk")], check=True)
        mended = pipeline_over(store)
        index(mended, [documents])
        index(fresh := build(tmp_path / "fresh"), [documents])
        assert contents(store_of(mended)) == contents(store_of(fresh))
        assert verify(store_of(mended)).is_whole
        store_of(mended).close()
