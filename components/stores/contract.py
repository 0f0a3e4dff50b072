"""
What a store of Excerpt must do: `PassageStore`, the record of sources that it keeps, and the errors it raises.

A new store is one class with these methods and one subclass of the shared suite (`tests/.../store_suite`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from haystack import Document
from haystack.document_stores.errors import DocumentStoreError
from haystack.document_stores.types import DocumentStore

from components.stores.fusion import Fusion

State = Literal["pending", "indexed", "refused"]


@dataclass(frozen=True)
class Source:
    """
    What is known of one file of the index.

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
    :param validator: What its place said of this version (an ETag, a date), where that is no file of this machine.
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
    validator: str | None = None


class SourceRecord(Protocol):
    """
    What a store keeps of its sources.

    Each single source is put or deleted whole or not at all. A call with several may, when it fails, have been carried
    out for some of them (Elasticsearch) or for none (SQLite): whoever calls must be able to call again.
    """

    def all(self, under: str | None = None) -> Iterator[Source]:
        """
        The sources ordered by path, without text and layout; what is put meanwhile does not show.

        :param under: Only this path and what lies below it.
        """
        ...

    def get(self, source_id: str) -> Source | None:
        """The source with text and layout, or None."""
        ...

    def get_layout(self, source_id: str) -> tuple[str, bytes | None] | None:
        """Version and layout of the source, without its text; None when it is not there."""
        ...

    def put(self, sources: Sequence[Source]) -> None:
        """Add the sources, or replace those with the same id."""
        ...

    def delete(self, source_ids: Sequence[str]) -> None:
        """Forget the sources; ids that are not there are ignored."""
        ...

    def clear(self) -> None:
        """Forget every source. Generations go on from where they are."""
        ...

    def put_pipeline(self, fingerprint: str, description: Mapping[str, Any]) -> None:
        """Remember what the pipeline of this name is made of (`indexing.fingerprint.describe_pipeline`)."""
        ...

    def get_pipeline(self, fingerprint: str) -> Mapping[str, Any] | None:
        """What was remembered of it, as JSON gives it back; None when nothing was."""
        ...

    def next_generation(self) -> int:
        """The next number of an index run: 1, 2, 3 ... never the same twice, in whatever process."""
        ...

    def close(self) -> None:
        """Let go of what is open; the record opens again by itself."""
        ...


class WriteLock(Protocol):
    """The right to index into a store, while it lasts."""

    def check(self) -> None:
        """
        To be called before something is begun that another index run would spoil.

        :raises StoreBusyError: when the right has passed to somebody else meanwhile.
        """
        ...


@dataclass(frozen=True)
class StoreStatus:
    """
    What a store tells of itself.

    :param location: Where it is, as a person names it: a folder, or an index and its server.
    :param size_bytes: What it takes on disk; None where that is not known.
    :param details: More, by name, as text to show.
    """

    location: str
    size_bytes: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class PassageStore(DocumentStore, Protocol):
    """
    A Haystack DocumentStore that searches by words and meaning at once and knows the sources of its passages.

    Nothing is opened or created before the first use, and copies (deepcopy, pickle, YAML) open anew. All methods may be
    called from several threads.
    """

    @property
    def sources(self) -> SourceRecord:
        """The record of what is indexed."""
        ...

    @property
    def folder(self) -> Path | None:
        """The folder that holds nothing but this store's files; None when they are not on this machine."""
        ...

    def hybrid_search(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = ...,
    ) -> list[list[Document]]:
        """
        The passages that fit each question by words and by meaning, fused.

        :param queries: The questions. Any text: nothing in it is an operator.
        :param embeddings: One a question, or None to search by words alone.
        :param top_k: How many passages a question gets at most; at least 1.
        :param filters: In Haystack's syntax; they hold for both legs, before anything is scored.
        :param fusion: How the legs are joined; one with weight 0 is not asked.
        :returns: One list a question, best first, equal scores by id; with `score`, without embedding.
        :raises ValueError: When embeddings do not fit the questions or the index, or top_k is below 1.
        :raises FilterError: When the filter is malformed (`components.stores.filters`).
        """
        ...

    async def hybrid_search_async(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = ...,
    ) -> list[list[Document]]:
        """What `hybrid_search` does, without keeping the event loop waiting."""
        ...

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Delete the documents that match, and return how many there were. Raises FilterError for an empty filter."""
        ...

    def replace_passages(self, documents: list[Document], source_ids: Sequence[str]) -> None:
        """
        Write the passages of these sources. A question then finds these and none of the old ones, or the other way
        round: in one step where the store can (LanceDB); elsewhere (Elasticsearch) the old ones may stay until they are
        deleted, and `hybrid_search` leaves them out.

        :raises RefusedDocuments: With those that were refused, and why; the others are written.
        """
        ...

    def one_writer(self, wait: float = 0.0) -> AbstractContextManager[WriteLock]:
        """
        The right to index while the block runs.

        :param wait: Seconds to wait for another index run to end.
        :raises StoreBusyError: when it has not ended by then; says who it is.
        """
        ...

    def loading(self) -> AbstractContextManager[None]:
        """While this is open much is written: what makes that dear may be held back until the end."""
        ...

    def status(self) -> StoreStatus:
        """Where the store is, how large, and what else there is to tell; works on a store that nobody may write."""
        ...

    def warm_up(self) -> None:
        """Open what is there, so that the first question need not wait for it; may run in a thread."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the next use opens them again."""
        ...

    async def close_async(self) -> None:
        """`close`, without keeping the event loop waiting."""
        ...


@runtime_checkable
class Rebuildable(PassageStore, Protocol):
    """A store that can be made anew beside the one in use, and put in its place in one step."""

    def as_made(self) -> PassageStore:
        """
        This store to read documents from, by whatever settings it was made; those of now may be others, which every
        other reading refuses. To be closed.
        """
        ...

    def rebuilt(self, before_switch: Callable[[], None] | None = None) -> AbstractContextManager[PassageStore]:
        """
        A new, empty store; questions go on over the old one. At the end of the block it takes the old one's place. When
        the block fails, everything stays as it was.

        :param before_switch: Called directly before the switch; what it raises stops it.
        """
        ...


class StoreBusyError(RuntimeError):
    """Another process is indexing into this store."""


@dataclass(frozen=True)
class Refused:
    """
    A document that a store refused.

    :param field: where it is known which one is to blame.
    :param reason: what was found, what is allowed, what to do; never text of the document.
    """

    id: str
    field: str | None
    reason: str


class RefusedDocuments(DocumentStoreError):
    """Some documents were refused; the others are written. `refused` lists them all, `written` counts the others."""

    def __init__(self, refused: Sequence[Refused], written: int) -> None:
        self.refused = list(refused)
        self.written = written
        shown = "; ".join(f"document {item.id}: {item.reason}" for item in self.refused[:5])
        more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
        super().__init__(f"{len(refused)} documents refused, {written} written: {shown}{more}")


class InvalidDocuments(RefusedDocuments, ValueError):
    """Some documents could never be stored, as is seen without asking the store; the others are written."""


def check_search(queries: Sequence[str], embeddings: Sequence[Any] | None, top_k: int) -> None:
    """
    Check what a `hybrid_search` is given before anything is searched.

    :raises ValueError: When questions and embeddings differ in number, or `top_k` is below 1.
    """
    if top_k < 1:
        raise ValueError(f"top_k is {top_k}, but must be at least 1")
    if embeddings is not None and len(embeddings) != len(queries):
        raise ValueError(f"{len(queries)} questions came with {len(embeddings)} embeddings: one each is needed")
