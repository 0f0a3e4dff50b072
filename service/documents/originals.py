"""Files that were uploaded: kept under names of our own, written whole or not at all."""

import errno
import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from components.stores.disk_sync import force_to_disk
from service.errors import ServiceError

# Control the order in which letters are shown: "exe.fdp" could look like "pdf.exe".
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


def shown_name(given: str | None) -> str:
    """What an upload is called: its last part, on one line, without control or direction characters."""
    last = re.split(r"[\\/]", given or "")[-1]
    kept = "".join(char for char in last if char.isprintable() and char not in _DIRECTIONS)
    return kept.strip()[:200].strip() or "unnamed"


class Originals:
    """The folder `<data>/uploads`. The name a file came under is never a path: only its extension is kept."""

    def __init__(self, data: Path) -> None:
        (data / "uploads").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = Path(os.path.realpath(data / "uploads"))

    def new_path(self, name: str) -> Path:
        """Where a new upload is to lie."""
        match = _EXTENSION.fullmatch(os.path.splitext(name)[1])
        return self.folder / f"{secrets.token_hex(16)}{match[0].lower() if match else ''}"

    def holds(self, path: str) -> bool:
        return os.path.dirname(path) == str(self.folder)

    async def write(self, target: Path, chunks: AsyncIterator[bytes]) -> int:
        """
        Write a file and force it to disk; what fails in between leaves nothing.

        :returns: its size in bytes.
        :raises ServiceError: 507 when the disk is full.
        """
        part = target.with_name(f".part-{target.name}")
        size = 0
        try:
            with open(part, "xb") as file:
                async for chunk in chunks:
                    size += file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
            force_to_disk(target.parent)
        except OSError as error:
            raise disk_error(error) from error
        finally:
            part.unlink(missing_ok=True)
        return size

    def replace(self, spool: Path, target: Path) -> None:
        """Put a new version in place of the old one."""
        os.replace(spool, target)
        force_to_disk(target.parent)

    def remove(self, path: str) -> None:
        """Delete an upload; anything that is not ours stays."""
        if self.holds(path):
            Path(path).unlink(missing_ok=True)

    def sweep(self, known: set[str]) -> None:
        """Delete what a killed process left behind: parts, and files that no document or job names."""
        for file in self.folder.iterdir():
            if file.name.startswith(".part-") or str(file) not in known:
                file.unlink(missing_ok=True)


def disk_error(error: OSError) -> ServiceError:
    """What a client is told when something cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ServiceError(507, "disk_full", "The server's disk is full: nothing of the upload was kept.", 60)
    return ServiceError(500, "internal", "The upload could not be written. Tell the operator the request id.")
