"""What keeps an index up, killed in the middle: watching, mending, making anew. The next run puts it right."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexing.maintenance.verify import repair, verify
from indexing.passages import PassageSplitter
from indexing.run import index
from tests.indexing.pipeline import build, contents, store_of

ROOT = Path(__file__).parents[3]
WATCH = """
import sys
from pathlib import Path
from indexing.maintenance.watch import watch
from tests.indexing.pipeline import build
watch(build(Path(sys.argv[2])), [sys.argv[1]], lambda report: print(len(report.indexed), flush=True), batch_files=4)
"""
REBUILD = """
import sys
from pathlib import Path
from indexing.maintenance.rebuild import bring_up_to_date
from indexing.passages import PassageSplitter
from tests.indexing.pipeline import build
print("begins", flush=True)
bring_up_to_date(build(Path(sys.argv[2]), PassageSplitter(max_tokens=64)), [sys.argv[1]], batch_files=2)
print("ended", flush=True)
"""


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number:02}.txt").write_text(f"House {number}. " + "It stands on the rock. " * 60)
    return folder


def start(code: str, *arguments: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "HAYSTACK_TELEMETRY_ENABLED": "False"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.slow
def test_watching_is_killed_in_a_burst(tmp_path: Path, documents: Path) -> None:
    dice = random.Random(random.randrange(10**9))
    store = tmp_path / "store"
    for number in range(3):
        process = start(WATCH, documents, store)
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit(), "the first run is over"
        for path in dice.sample(sorted(documents.iterdir()), 10):
            path.write_text(f"Written in burst {number}. " + "Other words. " * 80)
        (documents / f"new-{number}.txt").write_text("A new file.")
        time.sleep(dice.uniform(0.3, 1.5))
        kill(process)
    index(mended := build(store), [documents])
    index(fresh := build(tmp_path / "fresh"), [documents])
    assert contents(store_of(mended)) == contents(store_of(fresh))
    assert verify(store_of(mended)).is_whole


@pytest.mark.slow
def test_a_changed_pipeline_is_killed_while_it_makes_the_index_anew(tmp_path: Path, documents: Path) -> None:
    store = tmp_path / "store"
    index(build(store), [documents])
    before = contents(store_of(build(store)))
    for wait in (0.2, 0.8, 1.6):
        process = start(REBUILD, documents, store)
        assert process.stdout is not None and process.stdout.readline() == "begins\n"
        time.sleep(wait)
        kill(process)
        now = contents(store_of(build(store)))
        assert now == before or {one[1] for one in now[1]} != {one[1] for one in before[1]}, "the old one, or the new"
        assert len(now[1]) == 30
    subprocess.run([sys.executable, "-c", REBUILD, str(documents), str(store)], cwd=ROOT, check=True)
    index(fresh := build(tmp_path / "fresh", PassageSplitter(max_tokens=64)), [documents])
    assert contents(store_of(build(store))) == contents(store_of(fresh))
    assert len(list(store.glob("rebuilt-*"))) == 1, "what killed ones left is gone"


def test_a_repair_that_was_cut_off_is_begun_again(tmp_path: Path, documents: Path) -> None:
    pipeline = build(tmp_path / "store")
    index(pipeline, [documents])
    store = store_of(pipeline)
    store.delete_by_filter({"field": "meta.file_name", "operator": "in", "value": ["00.txt", "01.txt"]})
    findings = verify(store)
    assert [one.path.rpartition("/")[2] for one in findings.incomplete] == ["00.txt", "01.txt"]
    again = repair(store, findings)  # the process ends here, before anything is indexed again
    left = verify(store)
    assert not left.is_whole and [one.path for one in left.unfinished] == again
    index(pipeline, again)
    assert verify(store).is_whole
    index(fresh := build(tmp_path / "fresh"), [documents])
    assert contents(store) == contents(store_of(fresh))
