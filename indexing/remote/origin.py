"""What a place outside this machine tells an index run: which documents it has, and which of them are as they were."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from haystack.dataclasses import ByteStream

from components.stores.contract import Source
from indexing.sources import INSIDE, Changes, FoundFile, source_id_of


class OriginError(RuntimeError):
    """A place cannot be read at all; the message says what was tried and what to do."""


class NotFetchedError(RuntimeError):
    """One document could not be fetched just now; what the index holds of it stays."""


@dataclass(frozen=True)
class RemoteFile:
    """
    A document at its place.

    :param path: what it is called by: its address.
    :param fetch: gives its bytes; raises NotFetchedError. None with a `problem`, and where `is_same`.
    :param suffix: of a file of its type, with the dot: chooses among the text formats.
    :param size: in bytes, as far as it is known before.
    :param validator: changes when the document does: an ETag, a date, a hash. Empty: only its bytes tell.
    :param is_same: the place itself has said that it is as it was.
    :param meta: what its passages bring along.
    :param problem: a reason of `convert.extracted` and its detail: it cannot be read now.
    """

    path: str
    fetch: Callable[[], bytes] | None = None
    suffix: str = ""
    size: int = 0
    validator: str = ""
    is_same: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)
    problem: tuple[str, str] | None = None


class Origin(Protocol):
    """A place outside this machine that an index run is to be true to."""

    @property
    def scope(self) -> str:
        """What the path of each of its documents is, or begins with: what of the record is held against it."""
        ...

    def covers(self, source: Source) -> bool:
        """Whether the document came from here, so that it is gone when `files` does not tell it any more."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether `files` has told all there is: only then is what it has not told gone. Known when it has ended."""
        ...

    def files(self, known: Mapping[str, Source], max_bytes: int) -> Iterator[RemoteFile]:
        """
        Its documents.

        :param known: what the index has of it, by path.
        :param max_bytes: larger ones are told with a problem.
        :raises OriginError: when the place cannot be read at all.
        """
        ...

    def close(self) -> None:
        """Let go of what was fetched."""
        ...


def compare_remote(
    origin: Origin,
    known: Mapping[str, Source],
    fingerprint: str,
    *,
    rehash: bool = False,
    retry_refused: bool = False,
    max_bytes: int = 1 << 62,
) -> Changes:
    """
    Hold what a place has against the record, as `indexing.sources.compare` does for files.

    :param known: what is recorded below `origin.scope`, by source id.
    """
    changes = Changes()
    # What another pipeline made has to be fetched, whatever its place says of its version.
    torn = {one.path.partition(INSIDE)[0] for one in known.values() if rehash or not _is_current(one, fingerprint)}
    current = {source.path: source for source in known.values() if source.path not in torn}
    seen: set[str] = set()
    for file in origin.files(current, max_bytes):
        source_id = source_id_of(file.path)
        if source_id in seen:
            continue
        seen.add(source_id)
        before = current.get(file.path)
        is_same = before is not None and (file.is_same or _agree(file.validator, before.validator))
        again = retry_refused and before is not None and before.state == "refused" and file.fetch is not None
        if file.problem is not None:
            changes.problems.append(FoundFile(file.path, problem=file.problem))
        elif before is None or not is_same or again:
            changes.todo.append(_found(file))
        elif before.state == "refused":
            changes.still_refused.append(source_id)
        else:
            changes.unchanged += 1
    if origin.is_complete:
        there = {source.path for source_id, source in known.items() if source_id in seen}
        for source_id, source in known.items():
            holder = source.path.partition(INSIDE)[0]  # attachments go with what they are in, and stay with it
            if source_id not in seen and holder not in there and origin.covers(source):
                changes.gone[source_id] = source.path
    return changes


def _agree(validator: str, before: str | None) -> bool:
    """Where nothing is said, nothing is known."""
    return validator != "" and validator == before


def _is_current(source: Source, fingerprint: str) -> bool:
    return source.state != "pending" and source.fingerprint == fingerprint


def _found(file: RemoteFile) -> FoundFile:
    return FoundFile(file.path, file.size, fetch=partial(_stream, file), meta=file.meta)


def _stream(file: RemoteFile) -> ByteStream:
    if file.fetch is None:
        raise NotFetchedError("its place gives it only when it has changed")
    about = {"file_path": file.path, "suffix": file.suffix, "validator": file.validator}
    return ByteStream(file.fetch(), meta=about)
