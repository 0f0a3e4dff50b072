"""
A real power cut under the embedded store: ext4 on a loop device, shut down without flushing its journal.

As a command it makes as many cuts as it is told: python -m tests.components.stores.lancedb.power_cut 50
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[4]
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2  # as when the power goes: what is not on disk is gone
LAYOUTS = ("dir_index", "^dir_index")  # two orders in which a folder lists its files

# Writes batches, deletes and tidies up; says what is acknowledged. With a number N it cuts the power itself, directly
# before the Nth time that something is forced to disk.
WRITER = """
import fcntl, os, struct, sys
from haystack import Document
from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb import table
from tests.components.stores.lancedb.power_cut import cut

folder, first, at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
table.COMMITS_BEFORE_OPTIMISING = 6
count = 0
def aimed(real):
    def force(handle):
        global count
        count += 1
        if count == at:
            cut(folder)
        real(handle)
    return force
os.fsync, os.fdatasync = aimed(os.fsync), aimed(os.fdatasync)
store = LanceDBDocumentStore(folder + "/store")
for batch in range(first, first + 400):
    documents = [Document(id=f"{batch:05}-{n}", content=f"batch {batch}", embedding=[1.0, n]) for n in range(20)]
    store.write_documents(documents)
    print("written", batch, flush=True)
    if batch % 5 == 4:
        store.delete_by_filter({"field": "id", "operator": "==", "value": f"{batch:05}-0"})
        print("deleted", batch, flush=True)
"""


class NoRights(Exception):
    """This machine does not let us mount a file system of our own; the message says what failed."""


@dataclass
class Disk:
    """An ext4 file system in a file, mounted at `folder`."""

    image: Path
    folder: Path

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.image), str(self.folder))

    def unmount(self) -> None:
        _run("umount", str(self.folder))


@dataclass
class Acknowledged:
    """What the writer has reported as done."""

    written: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)

    def read(self, output: str) -> None:
        for line in output.splitlines():
            what, number = line.split()
            (self.written if what == "written" else self.deleted).add(int(number))


def cut(folder: str | Path) -> None:
    """The power goes: from now on nothing reaches the disk of `folder`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
    finally:
        os.close(handle)


@contextmanager
def disk(layout: str, megabytes: int = 96) -> Iterator[Disk]:
    """:raises NoRights: where a file system cannot be made or mounted."""
    with tempfile.TemporaryDirectory() as place:
        made = Disk(Path(place, "image"), Path(place, "mounted"))
        made.folder.mkdir()
        with made.image.open("wb") as image:
            image.truncate(megabytes << 20)
        try:
            _run("mkfs.ext4", "-q", "-F", "-O", layout, str(made.image))
            made.mount()
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoRights(f"{error}") from error
        try:
            yield made
        finally:
            made.unmount()


def write_and_cut(made: Disk, first: int, chance: random.Random, so_far: Acknowledged) -> None:
    """Let a writer work until the power goes, inside one of its fsyncs or at any moment; then start again."""
    aimed = chance.random() < 0.7
    at = chance.randrange(1, 150) if aimed else 0
    command = [sys.executable, "-c", WRITER, str(made.folder), str(first), str(at)]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert writer.stdout is not None
    so_far.read(writer.stdout.readline())  # starting takes long; the cut is to hit the writing
    if not aimed:
        time.sleep(chance.uniform(0.0, 3.0))
        cut(made.folder)
    try:
        output, _ = writer.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        cut(made.folder)
        output, _ = writer.communicate()
    so_far.read(output)
    made.unmount()
    made.mount()


def check(made: Disk, so_far: Acknowledged) -> None:
    """Everything acknowledged is there, each batch whole; it answers, and takes more."""
    from haystack import Document

    from components.stores.lancedb import LanceDBDocumentStore

    store = LanceDBDocumentStore(made.folder / "store")
    ids = {one.id for one in store.filter_documents()}
    for batch in so_far.written:
        expected = {f"{batch:05}-{n}" for n in range(20)}
        missing = expected - ids
        assert missing <= {f"{batch:05}-0"}, f"batch {batch} was acknowledged, and {len(missing)} of it are gone"
        if missing:
            assert batch % 5 == 4
    for batch in so_far.deleted:
        assert f"{batch:05}-0" not in ids, f"a deletion in batch {batch} was acknowledged, and is undone"
    if ids:
        assert store.hybrid_search(["batch"], [[1.0, 0.0]], top_k=3)[0]
    store.write_documents(
        [Document(id=f"after-{len(so_far.written)}-{len(ids)}", content="after", embedding=[0.0, 1.0])]
    )
    store.optimise()
    store.close()


def cuts(times: int, layout: str, seed: int) -> int:
    """So many cuts on one file system, one after the other. Returns how many batches were acknowledged in all."""
    chance = random.Random(seed)
    so_far = Acknowledged()
    with disk(layout) as made:
        for _ in range(times):
            write_and_cut(made, max(so_far.written, default=-1) + 400, chance, so_far)
            check(made, so_far)
    return len(so_far.written)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    total = int(sys.argv[1])
    for number, one in enumerate(LAYOUTS):
        print(f"{one}: {total // 2} cuts, {cuts(total // 2, one, seed=number)} batches acknowledged, none lost")
