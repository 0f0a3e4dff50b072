"""An index pipeline with a real store and an embedder that costs nothing; as a command it takes FOLDER STORE."""

import dataclasses
import hashlib
import sys
from pathlib import Path

from haystack import Document, Pipeline, component

from components.stores.lancedb import LanceDBDocumentStore
from indexing.converter import FileConverter
from indexing.passages import PassageSplitter
from indexing.run import index
from indexing.writer import SourceWriter


@component
class HashEmbedder:
    """Vectors of the content's hash: the same passage has the same vector, and nothing has to be loaded."""

    def __init__(self, dimension: int = 8, fails_on: str | None = None) -> None:
        self.dimension = dimension
        self.fails_on = fails_on
        self.seen: list[str] = []

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        if self.fails_on is not None and any(self.fails_on in (document.content or "") for document in documents):
            raise ValueError("the embedder cannot read this")
        self.seen += [document.meta["file_name"] for document in documents]
        return {
            "documents": [dataclasses.replace(document, embedding=self._vector(document)) for document in documents]
        }

    def _vector(self, document: Document) -> list[float]:
        digest = hashlib.sha256((document.content or "").encode()).digest()
        return [byte / 255 + 0.01 for byte in digest[: self.dimension]]


def build(
    store: Path,
    splitter: PassageSplitter | None = None,
    embedder: HashEmbedder | None = None,
    converter: FileConverter | None = None,
) -> Pipeline:
    """Components under names of no meaning: `indexing.run` finds them by type."""
    pipeline = Pipeline()
    pipeline.add_component("a", converter or FileConverter())
    pipeline.add_component("b", splitter or PassageSplitter())
    pipeline.add_component("c", embedder or HashEmbedder())
    pipeline.add_component("d", SourceWriter(LanceDBDocumentStore(path=store, durable=False)))
    pipeline.connect("a.documents", "b.documents")
    pipeline.connect("a.documents", "d.sources")
    pipeline.connect("a.failures", "d.failures")
    pipeline.connect("b.documents", "c.documents")
    pipeline.connect("c.documents", "d.documents")
    return pipeline


def store_of(pipeline: Pipeline) -> LanceDBDocumentStore:
    return pipeline.get_component("d").document_store


def embedder_of(pipeline: Pipeline) -> HashEmbedder:
    return pipeline.get_component("c")


def contents(
    store: LanceDBDocumentStore,
) -> tuple[list[tuple[str, str, int, str]], list[tuple[str, str, str, int, str]]]:
    """All passages and all sources, in a form that two indexes of the same files share."""
    passages = sorted(
        (d.meta["file_path"], d.meta["source_version"], d.meta["split_idx_start"], d.content or "")
        for d in store.filter_documents()
    )
    sources = []
    for light in store.sources.all():
        source = store.sources.get(light.source_id)
        assert source is not None
        text = hashlib.sha256((source.text or "").encode()).hexdigest()
        sources.append((source.path, source.version, source.state, source.passages, text))
    return passages, sorted(sources)


if __name__ == "__main__":
    index(build(Path(sys.argv[2])), [sys.argv[1]], batch_files=3)
