"""What is compared: the same files into a store, with the same embedding model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haystack import Document, Pipeline

from components.models import MINILM, resolve_model


class Excerpt:
    """The index pipeline that `excerpt index` runs, into an embedded store on disk, each batch forced to disk."""

    name = "excerpt"

    def __init__(self) -> None:
        from pipelines.loader import load_pipeline

        self._load = load_pipeline
        self.pipeline: Any = None

    def open(self, store: Path) -> None:
        """A pipeline over the store in this folder, with its model loaded."""
        if self.pipeline is not None:
            self.pipeline.document_store.close()
        self.pipeline = self._load("index", "embedded", {"EXCERPT_STORE": str(store)})
        for _, component in self.pipeline.pipeline.walk():
            if hasattr(component, "warm_up"):
                component.warm_up()

    def run(self, folder: Path) -> int:
        """Make the index true to the folder; how many passages were written."""
        from indexing.run import index

        return index(self.pipeline, [folder]).passages

    def embed(self, documents: list[Document]) -> None:
        self.pipeline.pipeline.get_component("embedder").run(documents)


class Haystack:
    """
    Haystack's own components, wired by hand: a converter a format, cleaner, splitter, embedder of
    sentence-transformers, writer, into its store in memory.

    It keeps no record of files: whoever wants to be true to a folder runs all of it again, over what is there.
    """

    name = "haystack"

    def __init__(self) -> None:
        self.embedder: Any = None
        self.pipeline: Pipeline | None = None

    def open(self, store: Path) -> None:
        """
        A pipeline over an empty store; `store` is not used.

        Passages of 150 words: what all-MiniLM-L6-v2 reads whole, as Excerpt's passages are.
        """
        from haystack.components.converters import (
            DOCXToDocument,
            HTMLToDocument,
            MarkdownToDocument,
            PyPDFToDocument,
            TextFileToDocument,
        )
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
        from haystack.components.routers import FileTypeRouter
        from haystack.components.writers import DocumentWriter
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack.document_stores.types import DuplicatePolicy
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
        )

        self.embedder = SentenceTransformersDocumentEmbedder(model=str(resolve_model(MINILM)), progress_bar=False)
        self.embedder.warm_up()
        docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        converters = {
            "text/plain": TextFileToDocument(),
            "text/markdown": MarkdownToDocument(progress_bar=False),
            "text/html": HTMLToDocument(),
            docx: DOCXToDocument(),
            "application/pdf": PyPDFToDocument(),
        }
        pipeline = Pipeline()
        pipeline.add_component("router", FileTypeRouter(list(converters)))
        pipeline.add_component("joiner", DocumentJoiner())
        pipeline.add_component("cleaner", DocumentCleaner())
        pipeline.add_component("splitter", DocumentSplitter(split_by="word", split_length=150))
        pipeline.add_component("embedder", self.embedder)
        pipeline.add_component("writer", DocumentWriter(InMemoryDocumentStore(), DuplicatePolicy.OVERWRITE))
        for number, (mime_type, converter) in enumerate(converters.items()):
            pipeline.add_component(f"converter{number}", converter)
            pipeline.connect(f"router.{mime_type}", f"converter{number}.sources")
            pipeline.connect(f"converter{number}", "joiner")
        for sender, receiver in (
            ("joiner", "cleaner"), ("cleaner", "splitter"), ("splitter", "embedder"), ("embedder", "writer")
        ):  # fmt: skip
            pipeline.connect(sender, receiver)
        self.pipeline = pipeline

    def run(self, folder: Path) -> int:
        assert self.pipeline is not None
        files: Sequence[Path] = sorted(path for path in folder.iterdir() if path.is_file())
        done = self.pipeline.run({"router": {"sources": list(files)}})
        return int(done["writer"]["documents_written"])

    def embed(self, documents: list[Document]) -> None:
        self.embedder.run(documents)
