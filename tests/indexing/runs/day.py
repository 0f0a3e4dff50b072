"""
A day in the life of an index: files come, change, move and go; runs are killed and the power is cut in between.

After each step the next undisturbed run must leave what a fresh index of the same files holds. With a number of files
it is a command: python -m tests.indexing.runs.day 2000
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from haystack import Pipeline

from components.stores.lancedb import LanceDBDocumentStore
from indexing.maintenance.verify import verify
from indexing.run import index
from tests.components.stores.lancedb.power_cut import Disk, NoRights, cut, disk
from tests.indexing import bad_files
from tests.indexing.pipeline import build, contents, store_of
from tests.indexing.real_files import WRITERS

ROOT = Path(__file__).parents[3]


@dataclass
class Day:
    """
    :param folder: the files.
    :param store: the index that lives through the day.
    :param disk: what the store lies on, where the power can be cut.
    """

    folder: Path
    store: Path
    dice: random.Random
    disk: Disk | None = None
    kills: int = 0
    cuts: int = 0
    steps: list[str] = field(default_factory=list)

    def write(self, count: int) -> None:
        """So many files, of every format in turn, each a little different."""
        for number in range(count):
            name, write = list(WRITERS.items())[number % len(WRITERS)]
            path = self.folder / f"{number % 20:02}" / f"{number:05}{Path(name).suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if Path(name).suffix in (".txt", ".md", ".csv"):
                path.write_text(f"File {number}. " + "Another sentence about the rock. " * self.dice.randrange(1, 60))
            else:
                write(path)

    def change(self, count: int) -> None:
        for path in self._some(count):
            path.write_bytes(f"Rewritten {self.dice.random()}. ".encode() + b"It stays so. " * self.dice.randrange(40))

    def rename(self, count: int) -> None:
        for path in self._some(count):
            path.rename(path.with_name(f"moved-{self.dice.randrange(10**9)}{path.suffix}"))

    def delete(self, count: int) -> None:
        for path in self._some(count):
            path.unlink()

    def _some(self, count: int) -> list[Path]:
        files = sorted(path for path in self.folder.glob("[0-9]*/*") if path.is_file())
        return self.dice.sample(files, k=min(count, len(files)))

    def disturb(self, power: bool, seconds: float) -> None:
        """Begin a run, and end it by force within so many seconds of its first sign of life."""
        command = [sys.executable, "-m", "tests.indexing.runs.day", "run", str(self.folder), str(self.store)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lock = self.store / "index.lock"
        while process.poll() is None and not (lock.exists() and lock.read_text() == str(process.pid)):
            time.sleep(0.005)
        time.sleep(self.dice.uniform(0.0, seconds))
        hit = process.poll() is None
        if power and self.disk is not None:
            cut(self.disk.folder)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if power and self.disk is not None:
            self.disk.unmount()
            self.disk.mount()
            self.cuts += hit
        else:
            self.kills += hit

    def settle(self, what: str) -> None:
        """One undisturbed run; then the index is what a fresh one is, whole, and a further run has nothing to do."""
        pipeline = pipeline_over(self.store)
        began = time.perf_counter()
        report = index(pipeline, [self.folder])
        spent = time.perf_counter() - began
        with tempfile.TemporaryDirectory() as place:
            fresh = build(Path(place, "fresh"))
            index(fresh, [self.folder])
            assert contents(store_of(pipeline)) == contents(store_of(fresh)), what
            store_of(fresh).close()
        assert verify(store_of(pipeline)).is_whole, what
        again = index(pipeline, [self.folder])
        assert (again.indexed, again.removed) == ([], []), what
        store_of(pipeline).close()
        self.steps.append(
            f"{what}: {len(report.indexed):,} indexed ({report.taken_over:,} by their content), {report.unchanged:,} "
            f"unchanged, {len(report.removed):,} removed, {len(report.refused):,} refused, {spent:.1f} s; as fresh"
        )
        print(self.steps[-1], flush=True)


def pipeline_over(store: Path) -> Pipeline:
    """The tests' pipeline, over a store that forces everything to disk."""
    pipeline = build(store)
    pipeline.get_component("d").document_store = LanceDBDocumentStore(store)
    return pipeline


def live(day: Day, count: int, seconds: float, disturbances: int = 1) -> None:
    """
    From morning to evening; each step is disturbed before it is settled, the second and fourth by the power.

    :param seconds: how long the first run goes on at most before it is disturbed; those after it have less to do.
    """
    steps = (
        (f"{count:,} files", lambda: day.write(count)),
        (f"{count // 4:,} changed", lambda: day.change(count // 4)),
        (f"{count // 10:,} renamed", lambda: day.rename(count // 10)),
        (f"{count // 20:,} deleted", lambda: day.delete(count // 20)),
        ("all of it once more", lambda: (day.change(count // 8), day.rename(count // 8), day.delete(count // 8))),
    )
    for number, (what, act) in enumerate(steps):
        act()
        for _ in range(disturbances):
            day.disturb(power=number % 2 == 1, seconds=seconds if number == 0 else min(seconds, 0.8))
        day.settle(what)


def main(count: int) -> None:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = place / "documents"
        folder.mkdir()
        bad_files.build(folder)
        try:
            made = stack.enter_context(disk("dir_index", 1_000))
            store = made.folder / "store"
        except NoRights as error:
            print(f"no power cuts here: {error}")
            made, store = None, place / "store"
        seed = random.randrange(10**9)
        day = Day(folder, store, random.Random(seed), made)
        print(f"seed {seed}", flush=True)
        live(day, count, seconds=10.0, disturbances=3)
        print(f"{day.kills} kills and {day.cuts} power cuts hit a run at work; nothing is different from a fresh index")


if __name__ == "__main__":
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    if sys.argv[1] == "run":
        index(pipeline_over(Path(sys.argv[3])), [sys.argv[2]], batch_files=8)
    else:
        main(int(sys.argv[1]))
