"""
What LanceDB leaves to its user: that a commit survives a power cut, and that what did not is noticed at opening.

LanceDB never calls fsync, and a file system may keep a manifest and lose the data files that it names. So after each
write everything new is forced to disk, data before manifests, and then a marker beside the table says which version is
whole. Whoever opens the table and finds versions after the marked one, with no writer alive, knows that their writer
died in the middle: such a version may name files that are empty, torn or gone, and was never reported as written.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.stores.disk_sync import force_to_disk

logger = logging.getLogger(__name__)

VERSIONS = "_versions"
MARKER = "durable-version"
LOCK = ".write.lock"
# Only a hint for finding the newest version quickly; written over and over, and it may name one that is set aside.
_HINT = "latest_version_hint.json"
# The last bytes of every whole manifest, data and index file, and of every whole file of deletions.
_LANCE_END = b"LANC"
_ARROW_END = b"ARROW1"
_BIGGEST_VERSION = (1 << 64) - 1  # manifests are named by what is left to it, so that the newest comes first
# A writer that was killed leaves its half-written files. None alive holds one open for so long.
_ABANDONED_AFTER_SECONDS = 600.0


class Durability:
    """
    What of one table is known to be on disk.

    Not by times of modification: a clock that is set back would leave files out. LanceDB's files never change once they
    are named, so that a name says enough; and what an earlier process left unforced is not among the names.

    :param table: Folder of the table.
    """

    def __init__(self, table: Path) -> None:
        self.table = table
        self._synced: set[str] = set()

    def sync(self) -> None:
        """Force to disk what has been written, data before the manifests that name it, and mark the newest version."""
        newest = newest_version(self.table)
        names = {name for name in _names(self.table) if not name.endswith(_HINT) and "/.tmp" not in f"/{name}"}
        new = names - self._synced
        manifests = sorted((name for name in new if name.startswith(VERSIONS)), reverse=True)
        self._force(sorted(new - set(manifests)))
        self._force(manifests)
        if not self._synced:
            _sync(self.table.parent)
        self._synced = names
        if newest is not None:
            self._mark(newest)

    def marked(self) -> int | None:
        """The newest version known to be whole on disk; None when that is not recorded."""
        try:
            text = (self.table.parent / MARKER).read_text("ascii")
            number, check = text.split()
            return int(number) if int(number) ^ 0x5EED == int(check) else None
        except (OSError, ValueError):
            return None

    def unmark(self) -> None:
        """Say that nothing is known: before the table is deleted, or written to without forcing it to disk."""
        (self.table.parent / MARKER).unlink(missing_ok=True)

    def _force(self, names: list[str]) -> None:
        for name in names:
            _sync(self.table / name)
        folders = {self.table / parent for name in names for parent in Path(name).parents}
        for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
            _sync(folder)

    def _mark(self, version: int) -> None:
        """Never back to an older version: another process may have marked a newer one meanwhile."""
        path = self.table.parent / MARKER
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            is_new = os.fstat(descriptor).st_size == 0
            if (self.marked() or 0) >= version:
                return
            # One write into one sector: it is there whole or not at all, and costs no entry of the journal.
            os.pwrite(descriptor, f"{version:020} {version ^ 0x5EED:020}\n".encode("ascii"), 0)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync(path.parent)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """
    While this is open, versions beyond the marked one have a writer that is alive.

    Waits while somebody is putting the table right. Blocks: not to be entered on an event loop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def nobody_writing(folder: Path) -> Iterator[bool]:
    """
    Keep writers away while the block runs.

    What it yields is False when one is alive, or when this process may not write here at all. Waits while another
    process is putting the table right. Blocks: not to be entered on an event loop.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield False
        return
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield True
                return
            except BlockingIOError:
                pass
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(descriptor, fcntl.LOCK_SH)  # somebody is putting it right: afterwards look again
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                continue
            yield False
            return
    finally:
        os.close(descriptor)


def versions(table: Path) -> list[int]:
    """The versions that have a manifest, newest first."""
    found = []
    for path in (table / VERSIONS).glob("*.manifest"):
        if path.stem.isdigit():
            number = int(path.stem)
            found.append(_BIGGEST_VERSION - number if len(path.stem) == 20 else number)
    return sorted(found, reverse=True)


def newest_version(table: Path) -> int | None:
    """The newest version that has a manifest, whole or not."""
    return next(iter(versions(table)), None)


def set_aside_torn(table: Path) -> list[int]:
    """
    Rename the manifests that a power cut left empty or torn, so that the table opens at its newest whole version.

    A manifest comes into place by one rename, so that a live writer's is never seen half written.

    :returns: Their versions.
    """
    torn = []
    for version in versions(table):
        manifest = _manifest(table, version)
        try:
            if not _ends_with(manifest, _LANCE_END):
                set_aside(table, [version])
                torn.append(version)
        except FileNotFoundError:
            continue  # pruned by another process meanwhile
    return torn


def set_aside(table: Path, these: list[int]) -> None:
    """Rename the manifests of these versions, which so cease to be versions of the table."""
    for version in these:
        manifest = _manifest(table, version)
        manifest.rename(manifest.with_suffix(".broken"))
    (table / VERSIONS / _HINT).unlink(missing_ok=True)


def looks_whole(table: Path) -> bool:
    """Whether no file of the table is empty or cut off, by their last bytes: what a look at every file can tell."""
    for name in _names(table):
        end = {".lance": _LANCE_END, ".manifest": _LANCE_END, ".arrow": _ARROW_END}.get(Path(name).suffix)
        if end is None or "/.tmp" in f"/{name}":
            continue
        try:
            if not _ends_with(table / name, end):
                return False
        except FileNotFoundError:
            continue
    return True


def sweep_abandoned(table: Path, older_than: float = _ABANDONED_AFTER_SECONDS) -> int:
    """Delete the temporary files of writers that died; LanceDB's own clean-up leaves them. Returns the bytes freed."""
    freed = 0
    for name in _names(table):
        path = table / name
        try:
            status = path.stat()
            if path.name.startswith(".tmp") and time.time() - status.st_mtime > older_than:
                path.unlink()
                freed += status.st_size
        except FileNotFoundError:
            continue
    return freed


def _manifest(table: Path, version: int) -> Path:
    named_by_rest = table / VERSIONS / f"{_BIGGEST_VERSION - version:020}.manifest"
    return named_by_rest if named_by_rest.exists() else table / VERSIONS / f"{version}.manifest"


def _ends_with(path: Path, end: bytes) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(end)))
        return file.read() == end


def _names(table: Path) -> Iterator[str]:
    """Every file below the table, relative to it."""
    for folder, _, names in os.walk(table):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), table)


def _sync(path: Path) -> None:
    with suppress(FileNotFoundError):  # pruned meanwhile: nothing needs it any more
        force_to_disk(path)
