"""
What LanceDB leaves to its user: that a commit survives a power cut, and that a damaged newest version is survivable.

LanceDB never calls fsync. After a power cut the newest manifests can be files of 0 bytes, and the table then refuses to
open although older versions are whole.
"""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

# The last bytes of every whole manifest.
_MANIFEST_END = b"LANC"
# A writer that was killed leaves its half-written files. None alive holds one open for so long.
_ABANDONED_AFTER_SECONDS = 600.0


def sync_written(table: Path, since: float) -> None:
    """
    Force to disk every file under `table` that was written since the time `since` (seconds, `time.time`), then the
    folders that hold them. LanceDB's files never change once they are named, so that earlier ones need no second sync.
    """
    folders: set[Path] = set()
    for path, status in _files(table):
        if status.st_mtime >= since:
            _sync(path)
            folders.update(parent for parent in path.parents if parent == table or table in parent.parents)
            folders.add(table.parent)
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        _sync(folder)


def set_aside_broken_manifests(table: Path) -> list[Path]:
    """
    Rename the manifests that a power cut left empty or torn, so that the table opens at its newest whole version.

    A manifest comes into place by one rename, so that a live writer's is never seen half written.

    :returns: The new names; a warning says what happened for each.
    """
    renamed = []
    for manifest in sorted((table / "_versions").glob("*.manifest")):
        try:
            if _is_whole(manifest):
                continue
            aside = manifest.with_suffix(".broken")
            manifest.rename(aside)
        except FileNotFoundError:
            continue  # pruned by another process meanwhile
        renamed.append(aside)
    if renamed:
        # Only a hint for finding the newest version quickly, and it may name one that is set aside.
        (table / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)
        logger.warning(
            "The newest changes of the index in %s were lost, as by a power cut: %d damaged version(s) renamed to "
            "*.broken, the newest whole one is used. Run `excerpt index` again to bring it up to date.",
            table.parent,
            len(renamed),
        )
    return renamed


def sweep_abandoned(table: Path, older_than: float = _ABANDONED_AFTER_SECONDS) -> int:
    """Delete the temporary files of writers that died; LanceDB's own clean-up leaves them. Returns the bytes freed."""
    freed = 0
    for path, status in _files(table):
        if path.name.startswith(".tmp") and time.time() - status.st_mtime > older_than:
            path.unlink(missing_ok=True)
            freed += status.st_size
    return freed


def _is_whole(manifest: Path) -> bool:
    with manifest.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_MANIFEST_END)))
        return file.read() == _MANIFEST_END


def _files(table: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, _, names in os.walk(table):
        for name in names:
            path = Path(folder, name)
            try:
                yield path, path.stat()
            except FileNotFoundError:
                continue  # pruned meanwhile


def _sync(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # pruned meanwhile: nothing needs it any more
    except PermissionError:
        if path.is_dir():
            return  # Windows opens no folders, and needs no sync of them
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
