"""What was written must outlive a power cut: force it to the disk."""

import os
from pathlib import Path


def force_to_disk(path: Path) -> None:
    """
    Wait until a file's content, or a folder's names, are on the disk.

    A file that was made, renamed or deleted is so for certain only when its folder was forced to the disk as well.

    :raises OSError: when it cannot be opened or the disk does not take it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
