"""JSON lines as documents: a list from standard input or a file, each line one document with its id and text."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from components.stores.contract import Source
from indexing.remote.origin import OriginError, RemoteFile
from indexing.sources import is_under

SCHEME = "lines:"
_LONGEST_LINE = 64 << 20
_NAME = re.compile(r"[\w.-]{1,100}")
_SUFFIXES = {"text/plain": ".txt", "text/markdown": ".md", "text/html": ".html"}
_OURS = frozenset({"source_id", "source_version", "file_path", "split_id", "split_idx_start"})


class JsonLines:
    """
    The documents of a list, named `lines:NAME/ID`. The list is the whole of NAME: what it lacks now is gone.

    A line is an object with `id` and `text`, and optionally `title`, `type` (text/plain, text/markdown, text/html) and
    `meta`: an object whose fields the passages bring along, for filters.

    :param lines: is read line by line.
    :param name: tells several lists apart.
    :raises OriginError: for a name that is none.
    """

    def __init__(self, lines: BinaryIO, name: str = "input") -> None:
        if not _NAME.fullmatch(name):
            raise OriginError(f"'{name}' cannot name a list: letters, digits, '.', '-' and '_' can, 100 at most")
        self.lines, self.name = lines, name
        self.scope = f"{SCHEME}{name}"
        self.is_complete = False

    def files(self, known: Mapping[str, Source], max_bytes: int) -> Iterator[RemoteFile]:
        """A line that cannot be read is told as a problem; nothing is then taken for gone."""
        broken = False
        number = 0
        while line := self.lines.readline(_LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            file = self._file(line, number, max_bytes)
            broken = broken or file.problem is not None
            yield file
        self.is_complete = not broken

    def covers(self, source: Source) -> bool:
        """Whether it is one of these."""
        return is_under(source.path, [self.scope])

    def close(self) -> None:
        self.lines.close()

    def _file(self, line: bytes, number: int, max_bytes: int) -> RemoteFile:
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("no object")
            path, text, suffix, meta = self._read(row)
        except (ValueError, RecursionError) as error:
            what = str(error) if type(error) is ValueError else "no JSON"
            return RemoteFile(f"{self.scope}/line {number}", problem=("damaged", f"line {number}: {what}"))
        if len(text) > max_bytes:
            return RemoteFile(path, problem=("too large", f"line {number}: {len(text):,} bytes"))
        whole = json.dumps(row, sort_keys=True).encode("utf-8", "surrogatepass")
        validator = hashlib.sha256(whole).hexdigest()
        return RemoteFile(path, lambda: text, suffix, len(text), validator, meta=meta)

    def _read(self, row: dict[str, Any]) -> tuple[str, bytes, str, dict[str, Any]]:
        name, text, meta = row.get("id"), row.get("text"), row.get("meta", {})
        if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).isprintable() or name == "":
            raise ValueError("`id` must be a text on one line, or a whole number")
        if not isinstance(text, str):
            raise ValueError("`text` must be a text")
        if not isinstance(meta, dict) or meta.keys() & _OURS:
            raise ValueError(f"`meta` must be an object without the names {', '.join(sorted(_OURS))}")
        kind = row.get("type", "text/plain")
        if kind not in _SUFFIXES:
            raise ValueError(f"`type` must be one of {', '.join(_SUFFIXES)}")
        if isinstance(title := row.get("title"), str):
            meta = {**meta, "title": title}
        return f"{self.scope}/{name}", text.encode("utf-8", "replace"), _SUFFIXES[kind], meta
