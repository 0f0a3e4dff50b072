"""A file that cannot be in the index, and why: what converter, writer and index run tell each other of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.stores.contract import Refused, Source
from indexing.fingerprint import source_version

NOT_STORABLE = "not storable"  # why a file is refused whose passages the store does not take


@dataclass(frozen=True)
class RefusedFile:
    """
    :param path: Of the file, as `indexing.sources.shown` writes it.
    :param reason: One of `indexing.convert.extracted.REASONS`, "failed" or `NOT_STORABLE`.
    :param detail: What was found and what to do, without any text of the document.
    :param is_new: False: refused in an earlier run, and unchanged since.
    :param source_id: As the record knows it.
    :param content_hash: SHA-256 of its bytes; empty where they were not read.
    :param fingerprint: Of the pipeline that refused it.
    :param size: In bytes.
    :param mtime_ns: `indexing.sources.stamp_of` the file.
    :param validator: as in `Source`.
    """

    path: str
    reason: str
    detail: str = ""
    is_new: bool = True
    source_id: str = ""
    content_hash: str = ""
    fingerprint: str = ""
    size: int = 0
    mtime_ns: int = 0
    validator: str | None = None

    @classmethod
    def of_record(cls, source: Source) -> "RefusedFile":
        """A file that an earlier run refused, as the record remembers it."""
        reason, _, detail = (source.reason or "").partition(": ")
        return cls(source.path, reason, detail, is_new=False, **_common(source))

    @classmethod
    def not_storable(cls, source: Source, passages: Sequence[Refused]) -> "RefusedFile":
        """A file some of whose passages the store does not take."""
        return cls(source.path, NOT_STORABLE, told_refusal(passages), **_common(source))

    def to_source(self, generation: int) -> Source:
        """What the record keeps of it, so that it is tried again only when it changes."""
        return Source(
            source_id=self.source_id,
            path=self.path,
            content_hash=self.content_hash,
            fingerprint=self.fingerprint,
            version=source_version(self.content_hash, self.fingerprint),
            state="refused",
            reason=f"{self.reason}: {self.detail}" if self.detail else self.reason,
            size=self.size,
            mtime_ns=self.mtime_ns,
            generation=generation,
            validator=self.validator,
        )

    def to_json(self) -> dict[str, Any]:
        """The fields that docs/json.md promises."""
        return {"path": self.path, "reason": self.reason, "detail": self.detail, "is_new": self.is_new}


def told_refusal(refused: Sequence[Refused]) -> str:
    """The first reason, and how many passages have theirs; passages are told apart by nothing a user knows."""
    more = f" (and {len(refused) - 1} more of its passages)" if len(refused) > 1 else ""
    return f"{refused[0].reason}{more}"


def without_passages(source: Source, reason: str, detail: str) -> Source:
    """What is recorded of a source that is not in the index."""
    return replace(
        source, state="refused", reason=f"{reason}: {detail}", passages=0, text=None, page_starts=(), layout=None
    )


def _common(source: Source) -> dict[str, Any]:
    return {
        "source_id": source.source_id,
        "content_hash": source.content_hash,
        "fingerprint": source.fingerprint,
        "size": source.size,
        "mtime_ns": source.mtime_ns,
        "validator": source.validator,
    }
