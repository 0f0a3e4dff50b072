"""A converter that hangs, crashes, hoards or misbehaves costs its own file, and nothing of it is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexing.convert import pool as pool_module
from indexing.convert.pool import Converted, ConverterPool, Limits

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pool(monkeypatch):
    command = [sys.executable, "-X", "utf8", "-m", "tests.indexing.broken_worker"]
    monkeypatch.setattr(pool_module, "_COMMAND", command)
    pool = ConverterPool(workers=2, limits=Limits(seconds=2.0, memory=256 << 20, max_bytes=1_000_000))
    yield pool
    pool.close()


def convert(pool: ConverterPool, folder: Path, *orders: str) -> dict[str, Converted]:
    paths = []
    for order in orders:
        paths.append(folder / f"{order}.txt")
        paths[-1].write_text(order)
    return {Path(item.path).stem: item for item in pool.convert(paths)}


REASONS = {
    "segfault": "crashed",
    "kill": "memory",
    "sleep": "timeout",
    "spin": "timeout",
    "allocate": "memory",
    "exit": "crashed",
    "torn": "crashed",
    "raise": "damaged",
    "write": "damaged",
    "connect": "damaged",
    "run": "damaged",
}


def test_each_misbehaviour_costs_its_own_file_only(pool, tmp_path):
    Path("/tmp/excerpt-evil").unlink(missing_ok=True)
    orders = [order for bad in REASONS for order in (bad, f"good words beside {bad}")]
    results = convert(pool, tmp_path, *orders)
    assert {order: results[order].reason for order in REASONS} == REASONS
    for order in orders:
        if order.startswith("good"):
            assert results[order].page.text == order
    assert not Path("/tmp/excerpt-evil").exists()


def test_reasons_do_not_quote_the_document(pool, tmp_path):
    assert convert(pool, tmp_path, "raise")["raise"].detail == "KeyError in its converter"


def test_noise_on_stdout_does_not_reach_the_answer(pool, tmp_path):
    assert convert(pool, tmp_path, "print")["print"].page.text == "print"


def test_converting_processes_import_nothing_heavy(pool, tmp_path):
    modules = set(convert(pool, tmp_path, "modules")["modules"].page.text.split("\n"))
    assert "indexing.convert.worker" in modules
    assert not modules & {"torch", "haystack", "transformers", "numpy", "lancedb", "pyarrow", "pydantic"}


def test_a_lost_forking_process_is_replaced(pool, tmp_path):
    convert(pool, tmp_path, "good words")
    for forker in list(pool._idle.queue):
        if forker._process is not None:
            forker._process.kill()
            forker._process.wait()
    assert convert(pool, tmp_path, "more good words")["more good words"].page is not None


def test_links_and_large_files_are_not_read(pool, tmp_path):
    (tmp_path / "real.txt").write_text("words")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    os.mkfifo(tmp_path / "fifo.txt")
    with (tmp_path / "sparse.txt").open("wb") as sparse:
        sparse.truncate(1 << 40)
    found = [item.reason for item in pool.convert(tmp_path / f"{n}.txt" for n in ("link", "fifo", "sparse", "none"))]
    assert found == ["unreadable", "not a file", "too large", "unreadable"]


def children_of(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="lists processes by /proc")
def test_no_converter_outlives_its_parent(tmp_path):
    (tmp_path / "sleep.txt").write_text("sleep")
    script = (
        "import sys\nfrom indexing.convert import pool\n"
        "pool._COMMAND = [sys.executable, '-m', 'tests.indexing.broken_worker']\n"
        f"p = pool.ConverterPool(1)\nf = p._idle.get()\nprint(f._started().pid, flush=True)\np._idle.put(f)\n"
        f"list(p.convert([{str(tmp_path / 'sleep.txt')!r}]))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    forker = int(parent.stdout.readline())  # leads a session of its own
    deadline = time.monotonic() + 10
    while len(children_of(forker)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(children_of(forker)) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 2
    while children_of(forker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children_of(forker) == []
