"""Keeps what is expensive to make: converted models, learnt ranges, measured choices. Safe against crashes, rivals."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Loaded = TypeVar("Loaded")

_CHECKSUMS = "checksums.json"
_LOCK_SECONDS = 600.0

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """``EXCERPT_CACHE``, else ``excerpt`` in the user's cache folder (``XDG_CACHE_HOME``, or ``~/.cache``)."""
    if named := os.environ.get("EXCERPT_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "excerpt"


def build_or_load(entry: Path, make: Callable[[Path], None], load: Callable[[Path], Loaded]) -> Loaded:
    """
    Load a cache entry, making it first if it is not there or damaged.

    Processes that want the same entry wait for the one that makes it. An entry appears by one rename, with the sha256
    of each of its files, which are checked before they are loaded; a damaged entry is made again. Where nothing can be
    written, the entry is made in a temporary folder and forgotten.

    :param entry: folder of the entry; its name says everything that the content depends on.
    :param make: writes the files into the empty folder that it is given.
    :param load: reads them.
    """
    from filelock import FileLock

    if is_whole(entry):
        return load(entry)
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(prefix=f".{entry.name}-", dir=entry.parent))
    except OSError as error:
        logger.warning("The cache folder %s cannot be written (%s): set EXCERPT_CACHE.", entry.parent, error.strerror)
        with tempfile.TemporaryDirectory() as anywhere:
            make(Path(anywhere))
            return load(Path(anywhere))
    try:
        # The lock dies with its process, so that a crash leaves nothing to clean up by hand.
        with FileLock(f"{entry}.lock", timeout=_LOCK_SECONDS):
            if not is_whole(entry):
                make(workplace)
                _seal(workplace)
                if entry.exists():
                    logger.warning("The cache entry %s is damaged and was made again.", entry)
                    shutil.rmtree(entry)
                workplace.rename(entry)
        return load(entry)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def is_whole(entry: Path) -> bool:
    """Whether an entry is there and its files are those that were written."""
    try:
        sums = json.loads((entry / _CHECKSUMS).read_text(encoding="utf-8"))
        return bool(sums) and all(_sha256(entry / name) == wanted for name, wanted in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _seal(folder: Path) -> None:
    sums = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    (folder / _CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
