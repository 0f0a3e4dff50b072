"""Bytes from elsewhere as files of this machine, for as long as they are converted: a converter reads files."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from haystack.dataclasses import ByteStream

from indexing.convert.pool import Converted

_SUFFIX = re.compile(r"\.[a-z0-9]{1,12}")


@contextmanager
def spooled(sources: Sequence[str | Path | ByteStream]) -> Iterator[list[str]]:
    """
    A path for each source while the block runs: bytes lie in a folder that nobody else may read.

    Folders of paths are resolved, their last part not: a symbolic link is refused by the converter, not followed.

    :raises ValueError: for bytes without a `file_path` in their meta.
    """
    if not any(isinstance(source, ByteStream) for source in sources):
        yield [absolute(source) for source in sources if not isinstance(source, ByteStream)]
        return
    with tempfile.TemporaryDirectory(prefix="excerpt-") as folder:
        paths = []
        for number, source in enumerate(sources):
            if not isinstance(source, ByteStream):
                paths.append(absolute(source))
                continue
            if not source.meta.get("file_path"):
                raise ValueError("FileConverter: bytes need `file_path` in their meta: the address they are known by.")
            suffix = str(source.meta.get("suffix", ""))
            path = Path(folder, f"{number}{suffix if _SUFFIX.fullmatch(suffix) else ''}")
            path.write_bytes(source.data)
            paths.append(os.path.realpath(path))
        yield paths


def named_by_its_place(converted: Converted, source: str | Path | ByteStream) -> tuple[Converted, str | None]:
    """What was converted, under its address instead of the file it lay in; and what its place said of its version."""
    if not isinstance(source, ByteStream):
        return converted, None
    validator = source.meta.get("validator")
    return replace(converted, path=str(source.meta["file_path"]), stamp=0), None if validator is None else str(
        validator
    )


def absolute(source: str | Path) -> str:
    """The path as a converter gets it."""
    folder, name = os.path.split(os.path.abspath(source))
    return os.path.join(os.path.realpath(folder), name)
