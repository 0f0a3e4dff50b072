"""One index run at a time over an embedded store: a file lock that the system releases when its process ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

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
    lock = FileLock(path, timeout=wait, poll_interval=0.1, mode=0o644, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        with path.open("rb") as file:
            holder = file.read(20).decode("ascii", "replace").strip() or "unknown"
        raise StoreBusyError(
            f"Process {holder} is indexing into '{folder}'. Wait for it to end, or give another store."
        ) from None
    try:
        path.write_text(str(os.getpid()), encoding="ascii")
        yield FolderLock()
    finally:
        lock.release()
