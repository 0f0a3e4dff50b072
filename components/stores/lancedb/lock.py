"""One index run at a time over an embedded store: a file lock that the system releases when its process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.stores.contract import StoreBusyError

NAME = "index.lock"


class FolderLock:
    """A lock that only the end of its process takes away."""

    def check(self) -> None:
        """Never lost."""


@contextmanager
def one_writer(folder: str | Path, wait: float = 0.0) -> Iterator[FolderLock]:
    """
    Hold ``<folder>/index.lock`` while the block runs. The system gives it back when the process dies, however it dies.

    :param wait: seconds to wait for another process to end.
    :raises StoreBusyError: when it has not ended by then; names its process id.
    """
    path = Path(folder) / NAME
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
        yield FolderLock()
    finally:
        os.close(descriptor)
