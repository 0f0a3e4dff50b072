"""In which order are a file's passages and its record written, so that being killed at any moment does no harm?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from haystack import Document
from haystack.document_stores.types import DocumentStore, DuplicatePolicy

from components.stores.sources import Source, SourceRecord

_AT_ONCE = 200  # sources in one filter
_T = TypeVar("_T")


@dataclass
class IndexWriter:
    """
    Writes passages and record so that a run killed anywhere is mended by the next one.

    A source is `pending` in the record from before its first passage is touched until after its last one is in place;
    a pending source is done again from the start. New passages are written before old ones are deleted, so that a file
    is never missing from the index while it is renewed.

    :param store: any Haystack DocumentStore.
    :param record: kept with it; None writes passages only.
    """

    store: DocumentStore
    record: SourceRecord | None

    def write(self, sources: Sequence[Source], passages: Sequence[Document]) -> int:
        """Put these versions of `sources` in place of whatever was there of them; returns the number of passages."""
        if self.record is not None and sources:
            self.record.put([replace(source, state="pending", text=None, layout=None) for source in sources])
        written = self.store.write_documents(list(passages), policy=DuplicatePolicy.OVERWRITE) if passages else 0
        for some in _chunks(sources):
            self._delete(
                [
                    _all_of([_is("source_id", "==", source.source_id), _is("source_version", "!=", source.version)])
                    for source in some
                ]
            )
        if self.record is not None and sources:
            self.record.put(sources)
        return written

    def remove(self, source_ids: Sequence[str]) -> None:
        """Take sources out of the index: passages first, then the record."""
        for some in _chunks(source_ids):
            if self.record is not None:
                known = [source for source_id in some if (source := self.record.get(source_id)) is not None]
                self.record.put([replace(source, state="pending", text=None, layout=None) for source in known])
            self._delete([_is("source_id", "in", list(some))])
            if self.record is not None:
                self.record.delete(some)

    def _delete(self, conditions: list[dict[str, Any]]) -> None:
        wanted = conditions[0] if len(conditions) == 1 else {"operator": "OR", "conditions": conditions}
        if hasattr(self.store, "delete_by_filter"):
            self.store.delete_by_filter(wanted)
        elif found := [document.id for document in self.store.filter_documents(wanted)]:
            self.store.delete_documents(found)


def _is(field: str, operator: str, value: object) -> dict[str, Any]:
    return {"field": f"meta.{field}", "operator": operator, "value": value}


def _all_of(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": conditions}


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[first : first + _AT_ONCE] for first in range(0, len(items), _AT_ONCE))
