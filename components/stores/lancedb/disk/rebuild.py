"""Which folder inside a store is in use, and how does one that was made beside it take its place in one step?"""

import os
import shutil
from pathlib import Path

from components.stores.disk_sync import force_to_disk
from components.stores.lancedb.disk.durability import LOCK, MARKER
from components.stores.lancedb.disk.recovery import LOSSES

# Holds the name of the folder in use. Missing: the store's own folder is, as in every index that was never rebuilt.
CURRENT = "current"
_PREFIX = "rebuilt-"
_OF_A_STORE = ("passages.lance", "sources.sqlite3", "sources.sqlite3-wal", "sources.sqlite3-shm", ".create.lock")


def folder_in_use(store: Path) -> Path:
    """The folder that holds passages and record: the store's own, or the one a rebuild has put in its place."""
    try:
        name = (store / CURRENT).read_text("ascii").strip()
    except FileNotFoundError:
        return store
    return store / name if name.startswith(_PREFIX) and "/" not in name else store


def next_folder(store: Path) -> Path:
    """A name for a new folder beside the one in use; what rebuilds that were killed have left is deleted."""
    current = folder_in_use(store)
    for path in store.glob(f"{_PREFIX}*"):
        if path != current:
            shutil.rmtree(path, ignore_errors=True)
    number = int(current.name.removeprefix(_PREFIX)) if current != store else 0
    return store / f"{_PREFIX}{number + 1}"


def switch(store: Path, new: Path) -> None:
    """Make `new` the folder in use: by one rename, which is on disk when this returns."""
    part = store / f"{CURRENT}.new"
    with part.open("w", encoding="ascii") as file:
        file.write(f"{new.name}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(store / CURRENT)
    force_to_disk(store)


def discard(store: Path, old: Path) -> None:
    """Delete a folder that is no longer in use; of the store's own only what a rebuild has put elsewhere."""
    if old != store:
        shutil.rmtree(old, ignore_errors=True)
        return
    for name in (*_OF_A_STORE, MARKER, LOSSES, LOCK):
        path = store / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
