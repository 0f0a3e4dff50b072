"""In which order are a file's passages and its record written, so that being killed at any moment does no harm?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from haystack import Document

from components.stores.contract import PassageStore, Refused, RefusedDocuments, Source
from indexing.refused_file import NOT_STORABLE, told_refusal, without_passages

_AT_ONCE = 200  # sources in one filter
_T = TypeVar("_T")


@dataclass
class IndexWriter:
    """
    Writes passages and record so that a run killed anywhere is mended by the next one.

    A source is `pending` in the record from before its first passage is touched until after its last one is in place;
    a pending source is done again from the start. New passages come in place of old ones, or before those are deleted,
    so that a file is never missing from the index while it is renewed.

    :param store: holds the passages and the record of their sources.
    """

    store: PassageStore

    def write(
        self, sources: Sequence[Source], passages: Sequence[Document], blame_vectors: bool = False
    ) -> dict[str, list[Refused]]:
        """
        Put these versions of `sources` in place of whatever was there of them.

        A source of which the store refuses a passage is recorded as refused, and nothing of it stays in the index.

        :param blame_vectors: when the store refuses the vector of every passage, raise its error instead: that is the
            embedder's fault, and no file should be lost to it.
        :returns: the refused passages by source id.
        :raises RefusedDocuments: when that cannot be told of any source, or by `blame_vectors`.
        """
        record = self.store.sources
        if sources:
            record.put([replace(source, state="pending", text=None, layout=None) for source in sources])
        refused = self._write_passages(passages, {source.source_id for source in sources}, blame_vectors)
        kept = [source for source in sources if source.source_id not in refused]
        if refused:
            # By id: what was written just now is not found by a filter while a store holds refreshes back.
            self.store.delete_documents([one.id for one in passages if str(one.meta.get("source_id")) in refused])
            for ids in _chunks(list(refused)):
                self._delete([_is("source_id", "in", list(ids))])
        for some in _chunks(kept):
            self._delete(
                [
                    _all_of([_is("source_id", "==", source.source_id), _is("source_version", "!=", source.version)])
                    for source in some
                ]
            )
        if sources:
            told = {source_id: told_refusal(of_it) for source_id, of_it in refused.items()}
            record.put(
                [
                    without_passages(source, NOT_STORABLE, told[source.source_id])
                    if source.source_id in told
                    else source
                    for source in sources
                ]
            )
        return refused

    def _write_passages(
        self, passages: Sequence[Document], known: set[str], blame_vectors: bool
    ) -> dict[str, list[Refused]]:
        if not passages:
            return {}
        try:
            self.store.replace_passages(list(passages), sorted(known))
        except RefusedDocuments as error:
            source_of = {passage.id: str(passage.meta.get("source_id")) for passage in passages}
            refused: dict[str, list[Refused]] = {}
            for one in error.refused:
                refused.setdefault(source_of.get(one.id, ""), []).append(one)
            vectors = {one.id for one in error.refused if one.field == "embedding"}
            if not refused.keys() <= known or (blame_vectors and vectors == source_of.keys()):
                raise
            return refused
        return {}

    def remove(self, source_ids: Sequence[str]) -> None:
        """Take sources out of the index: passages first, then the record."""
        record = self.store.sources
        for some in _chunks(source_ids):
            known = [source for source_id in some if (source := record.get(source_id)) is not None]
            record.put([replace(source, state="pending", text=None, layout=None) for source in known])
            self._delete([_is("source_id", "in", list(some))])
            record.delete(some)

    def _delete(self, conditions: list[dict[str, Any]]) -> None:
        wanted = conditions[0] if len(conditions) == 1 else {"operator": "OR", "conditions": conditions}
        self.store.delete_by_filter(wanted)


def _is(field: str, operator: str, value: object) -> dict[str, Any]:
    return {"field": f"meta.{field}", "operator": operator, "value": value}


def _all_of(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": conditions}


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[first : first + _AT_ONCE] for first in range(0, len(items), _AT_ONCE))
