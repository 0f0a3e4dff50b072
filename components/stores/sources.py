"""The record of what is indexed: one Source a file, kept with the index it describes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["pending", "indexed", "refused"]


@dataclass(frozen=True)
class Source:
    """
    :param source_id: 32 hexadecimal digits of the SHA-256 of the resolved path.
    :param path: The path, posix style.
    :param content_hash: SHA-256 of the file's bytes.
    :param fingerprint: Of the pipeline that made the passages.
    :param version: The passages' `source_version`.
    :param state: `pending` while passages are being written or removed, `refused` when the file could not be read.
    :param reason: Why it was refused.
    :param size: In bytes.
    :param mtime_ns: Modification time, in nanoseconds.
    :param passages: How many passages the index holds of it.
    :param text: The extracted text, pages separated by form feeds; None when it was listed without.
    :param page_starts: Character offset of each page in `text`.
    :param layout: Compressed word rectangles, for drawing an answer on its page; None when listed without.
    :param generation: Number of the index run in which this version became valid.
    """

    source_id: str
    path: str
    content_hash: str
    fingerprint: str
    version: str
    state: State
    reason: str | None = None
    size: int = 0
    mtime_ns: int = 0
    title: str | None = None
    mime_type: str | None = None
    passages: int = 0
    text: str | None = None
    page_starts: tuple[int, ...] = ()
    layout: bytes | None = None
    generation: int = 0


class SourceRecord(Protocol):
    """What a store keeps of its sources. Every method is one transaction: done whole or not at all."""

    def all(self, under: str | None = None) -> Iterator[Source]:
        """
        The sources ordered by path, without text and layout.

        :param under: Only this path and what lies below it.
        """
        ...

    def get(self, source_id: str) -> Source | None:
        """The source with text and layout, or None."""
        ...

    def put(self, sources: Sequence[Source]) -> None:
        """Add the sources, or replace those with the same id."""
        ...

    def delete(self, source_ids: Sequence[str]) -> None:
        """Forget the sources; ids that are not there are ignored."""
        ...

    def next_generation(self) -> int:
        """The next number of an index run: 1, 2, 3 ... never the same twice, in whatever process."""
        ...

    def close(self) -> None:
        """Let go of what is open; the record opens again by itself."""
        ...
