"""One index run at a time over a store."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.stores.busy import Held, StoreBusyError

__all__ = ["StoreBusyError", "one_writer", "writing"]


class _ByTheSystem:
    """A lock that only the end of its process takes away."""

    def check(self) -> None:
        """Never lost."""


@contextmanager
def writing(store: Any, wait: float = 0.0) -> Iterator[Held]:
    """
    The right to index into `store` while the block runs: as the store itself grants it (`one_writer`, Elasticsearch),
    else by a lock in its folder (`path`). A store with neither has nobody to be told apart from.

    :param wait: seconds to wait for another index run to end.
    :raises StoreBusyError: when it has not ended by then; says who it is.
    """
    folder = getattr(store, "path", None)
    if hasattr(store, "one_writer"):
        with store.one_writer(wait) as held:
            yield held
    elif folder:
        with one_writer(folder, wait):
            yield _ByTheSystem()
    else:
        yield _ByTheSystem()


@contextmanager
def one_writer(folder: str | Path, wait: float = 0.0) -> Iterator[None]:
    """
    Hold ``<folder>/index.lock`` while the block runs. The system gives it back when the process dies, however it dies.

    :param wait: seconds to wait for another process to end.
    :raises StoreBusyError: when it has not ended by then; names its process id.
    """
    path = Path(folder) / "index.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                    raise StoreBusyError(
                        f"Process {holder} is indexing into '{folder}'. Wait for it to end, or give another store."
                    ) from None
                time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
