"""Which files lie under the given paths, and which of them are new, changed or gone since they were indexed?"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.stores.contract import Source

if TYPE_CHECKING:
    from haystack.dataclasses import ByteStream

INSIDE = " > "  # between a file and one inside it: mail.eml > report.pdf


@dataclass(frozen=True)
class FoundFile:
    """
    A file that may be indexed, or with a `problem` one that may not (a reason of `convert.extracted`, and its detail).

    :param path: absolute, resolved; bytes that are not UTF-8 stand as surrogates (os.fsdecode).
    :param stamp: `stamp_of` its status.
    :param fetch: gives its bytes, where `path` is an address elsewhere (`indexing.remote`); `content` is what it gave,
        and `meta` what its passages bring along.
    """

    path: str
    size: int = 0
    stamp: int = 0
    problem: tuple[str, str] | None = None
    fetch: "Callable[[], ByteStream] | None" = None
    content: "ByteStream | None" = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Changes:
    """What an index run has to do: `todo` files, `gone` source ids with their paths, and what is left alone."""

    todo: list[FoundFile] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    unchanged: int = 0
    touched: dict[str, int] = field(default_factory=dict)  # source id -> new stamp, of unchanged files
    still_refused: list[str] = field(default_factory=list)  # source ids
    problems: list[FoundFile] = field(default_factory=list)

    def add(self, others: "Changes") -> None:
        """Join what another place has to do."""
        self.todo += others.todo
        self.gone |= others.gone
        self.unchanged += others.unchanged
        self.touched |= others.touched
        self.still_refused += others.still_refused
        self.problems += others.problems


def source_id_of(path: str) -> str:
    """First 32 hex of the sha256 of the resolved path's bytes."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:32]


def stamp_of(status: os.stat_result) -> int:
    """
    The later of a file's times of modification and of change, in nanoseconds.

    Editing a file and setting its modification time back (`touch -d`, unpacking) moves the time of change all the same.
    """
    return max(status.st_mtime_ns, status.st_ctime_ns)


def shown(path: str) -> str:
    """A path as valid Unicode on one line: bytes that are not UTF-8 and control characters become backslash escapes."""
    if path.isprintable():
        return path
    return "".join(
        char if char.isprintable() or char == " " else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in path
    )


def find_files(paths: Iterable[str | Path], without: str | Path | None = None) -> Iterator[FoundFile]:
    """
    Regular files below `paths`, sorted within each folder.

    Hidden files and folders (of a leading dot) are left out, unless given themselves. Symbolic links are not followed,
    except a given path itself; a link that leads to somewhere inside the given folder is passed over, as that is found
    anyway, any other is a problem. Pipes, sockets and devices are problems and never opened.

    :param without: a folder that is passed over with all it holds: the index itself.
    :raises FileNotFoundError: for a given path that does not exist.
    """
    left_out = None if without is None else os.path.realpath(without)
    for given in paths:
        root = os.path.realpath(given)
        if not os.path.lexists(root):
            raise FileNotFoundError(f"There is no file or folder '{shown(os.fspath(given))}'.")
        if left_out is None or not (root + "/").startswith(left_out + "/"):
            yield from _walk(root, root, left_out)


def _walk(path: str, root: str, left_out: str | None) -> Iterator[FoundFile]:
    stack = [path]
    while stack:
        current = stack.pop()
        if current == left_out:
            continue
        try:
            status = os.lstat(current)
            if stat.S_ISDIR(status.st_mode):
                names = sorted(name for name in os.listdir(current) if not name.startswith("."))
                stack.extend(os.path.join(current, name) for name in reversed(names))
                continue
        except OSError as error:
            yield FoundFile(current, problem=("unreadable", error.strerror or "cannot be listed"))
            continue
        if stat.S_ISLNK(status.st_mode):
            target = os.path.realpath(current)
            if not (os.path.exists(target) and target.startswith(root.rstrip("/") + "/")):
                yield FoundFile(
                    current, problem=("not a file", "a symbolic link that leads out of the folder or nowhere")
                )
        elif stat.S_ISREG(status.st_mode):
            yield FoundFile(current, status.st_size, stamp_of(status))
        else:
            yield FoundFile(current, problem=("not a file", "a pipe, socket or device"))


def content_hash(path: str) -> str:
    """
    sha256 of the file's bytes, read in pieces.

    :raises OSError: when it cannot be read.
    """
    descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def compare(
    found: Iterable[FoundFile],
    known: Mapping[str, Source],
    roots: Sequence[str],
    fingerprint: str,
    *,
    rehash: bool = False,
    retry_refused: bool = False,
    max_bytes: int = 1 << 62,
) -> Changes:
    """
    Hold the files against the record.

    A file is unchanged when the same pipeline has dealt with the same content. Content is compared by hash; a file
    whose size and `stamp_of` are those of the record is taken as the same without reading it, unless `rehash`.

    :param known: what is recorded under `roots`, by source id.
    :param roots: the given paths, resolved. What is recorded below them and not found is gone, except below a folder
        that could not be listed.
    :param retry_refused: whether files that were refused are tried again although they are unchanged.
    :param max_bytes: larger files are not read to hash them; the converter refuses them by their size.
    """
    changes = Changes()
    seen: set[str] = set()
    unlisted: list[str] = []
    holders: set[str] = set()  # shown paths of files that are as they were
    unfinished = {
        source.path.partition(INSIDE)[0]
        for source in known.values()
        if INSIDE in source.path and _torn(source, fingerprint)
    }
    for file in found:
        source_id = source_id_of(file.path)
        if source_id in seen:
            continue
        seen.add(source_id)
        before = known.get(source_id)
        if file.problem:
            changes.problems.append(file)
            if file.problem[0] == "unreadable":
                unlisted.append(shown(file.path).rstrip("/") + "/")
            elif before is not None and before.state != "refused":
                seen.discard(source_id)  # a link or a pipe stands where a file was
        elif before is None or before.path in unfinished or not _is_same(file, before, fingerprint, rehash, max_bytes):
            changes.todo.append(file)
        elif before.state == "refused":
            if retry_refused:
                changes.todo.append(file)
            else:
                changes.still_refused.append(source_id)
        else:
            changes.unchanged += 1
            holders.add(before.path)
            if before.mtime_ns != file.stamp:
                changes.touched[source_id] = file.stamp
    for source_id, before in known.items():
        path = before.path
        if any(holder in holders for holder in _holders_of(path)):
            continue
        if source_id not in seen and not path.startswith(tuple(unlisted)) and is_under(path, roots):
            changes.gone[source_id] = path
    return changes


def is_under(path: str, roots: Iterable[str]) -> bool:
    """Whether a recorded (shown) path is one of `roots` or lies below one."""
    return any(path == shown(root) or path.startswith(shown(root).rstrip("/") + "/") for root in roots)


def _torn(source: Source, fingerprint: str) -> bool:
    """Whether a file inside another one has to be read again, and so its holder."""
    return source.state == "pending" or source.fingerprint != fingerprint


def _holders_of(path: str) -> Iterator[str]:
    """The paths that a file inside others may lie in: names of files may hold the mark themselves."""
    place = path.find(INSIDE)
    while place != -1:
        yield path[:place]
        place = path.find(INSIDE, place + 1)


def _is_same(file: FoundFile, before: Source, fingerprint: str, rehash: bool, max_bytes: int) -> bool:
    if before.state == "pending" or before.fingerprint != fingerprint or before.size != file.size:
        return False
    if before.mtime_ns == file.stamp and (not rehash or file.size > max_bytes):
        return True
    if not before.content_hash or file.size > max_bytes:
        return False
    try:
        return content_hash(file.path) == before.content_hash
    except OSError:
        return False  # the converter says why
