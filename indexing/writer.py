"""The Haystack component at the end of an index pipeline: passages into the store, sources into its record."""

from collections import Counter
from typing import Any

from haystack import Document, component

from components.stores.contract import PassageStore, Source
from indexing.index_writer import IndexWriter
from indexing.pipeline import StoreInPlace
from indexing.refused_file import RefusedFile


@component
class SourceWriter:
    """
    Writes passages and remembers their sources, in an order that makes being killed harmless (`indexing.index_writer`).

    :param document_store: one with a record of its sources (`components.stores.contract.PassageStore`).
    :raises TypeError: for any other; says what it lacks.
    """

    def __init__(self, document_store: PassageStore) -> None:
        if not isinstance(document_store, PassageStore):
            raise TypeError(
                f"SourceWriter: {type(document_store).__name__} keeps no record of sources, so that nobody could tell "
                "what changed. Give a store of components.stores, or one as components.stores.contract says."
            )
        self.document_store = document_store
        self._vectors_fit = False

    @component.output_types(counts=dict[str, int], failures=list[RefusedFile], notes=list[tuple[str, str]])
    def run(
        self,
        documents: list[Document],
        sources: list[Document] | None = None,
        failures: list[RefusedFile] | None = None,
        refused: list[RefusedFile] | None = None,
        generation: int | None = None,
        store: StoreInPlace | None = None,
    ) -> dict[str, Any]:
        """
        :param documents: all the passages of `sources`, embedded.
        :param sources: the converter's documents, one a file; None: passages are written without a record of sources.
        :param failures: the files that the converter refused. They are recorded, so that a refused file is tried again
            only when it changes, and what the index held of an earlier version is deleted.
        :param refused: more of these, from whoever runs the pipeline.
        :param generation: number of this index run; None takes the next one.
        :param store: where to write instead of the component's own store: the next version of an index.
        :returns: `counts` of sources, passages and failures, the `failures` as they came and those of sources that the
            store refused a passage of (they are recorded as refused), and `notes` (path, note) on what of the sources
            was not read.
        :raises ValueError: for passages of a source that is not among `sources`.
        :raises RefusedDocuments: when the store refuses passages and there are no `sources`, or when it refuses all
            vectors of the first passages: then the embedder is another than the index was made with.
        """
        target = self.document_store if store is None else store.store
        refusals = [*(failures or []), *(refused or [])]
        number = 0
        if sources or refusals:
            number = target.sources.next_generation() if generation is None else generation
        by_source = Counter(str(document.meta.get("source_id")) for document in documents)
        if sources is not None and (strangers := by_source.keys() - {source.id for source in sources}):
            raise ValueError(
                f"SourceWriter: passages of {len(strangers)} sources that `sources` does not hold. "
                "Connect converter.documents to writer.sources in the pipeline's YAML."
            )
        entries = [_indexed(source, by_source[source.id], number) for source in sources or []]
        entries += [refusal.to_source(number) for refusal in refusals]
        # Vectors that fitted once come from the right embedder: a wrong one after them is a fault of its file.
        rejected = IndexWriter(target).write(entries, documents, not self._vectors_fit)
        by_source = Counter({name: count for name, count in by_source.items() if name not in rejected})
        self._vectors_fit = self._vectors_fit or bool(by_source)
        refusals += [
            RefusedFile.not_storable(entry, rejected[entry.source_id])
            for entry in entries
            if entry.source_id in rejected
        ]
        kept = [source for source in sources or [] if source.id not in rejected]
        counts = {"sources": len(kept), "passages": by_source.total(), "failures": len(refusals)}
        notes = [(str(s.meta["file_path"]), str(note)) for s in kept for note in s.meta.get("notes", [])]
        return {"counts": counts, "failures": refusals, "notes": notes}


def _indexed(source: Document, passages: int, generation: int) -> Source:
    meta = source.meta
    return Source(
        source_id=source.id,
        path=str(meta["file_path"]),
        content_hash=str(meta["content_hash"]),
        fingerprint=str(meta["fingerprint"]),
        version=str(meta["source_version"]),
        state="indexed",
        reason=None,
        size=int(meta["size"]),
        mtime_ns=int(meta["mtime_ns"]),
        title=meta.get("title"),
        mime_type=meta.get("mime_type"),
        passages=passages,
        text=source.content or "",
        page_starts=tuple(meta.get("page_starts", ())),
        layout=source.blob.data if source.blob is not None else None,
        generation=generation,
        validator=meta.get("validator"),
    )
