"""What is compared: each side indexes the same passages and vectors, and answers the same questions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from haystack import Document

TOP_K = 20


class Finder(Protocol):
    """What recall is taken of."""

    def search(self, questions: Sequence[str], embeddings: Sequence[list[float]]) -> list[list[str]]:
        """The ids of the best TOP_K passages for each question, best first."""


class Side(Finder, Protocol):
    """One way of hybrid retrieval. A new one is a class like those below, and a line in `SIDES`."""

    name: str

    def index(self, documents: list[Document]) -> None:
        """Take the passages in; ids must survive."""


class Excerpt:
    """`HybridRetriever` with its defaults over the embedded store; many questions are one request."""

    name = "excerpt"

    def __init__(self, folder: Path) -> None:
        from components.retriever import HybridRetriever
        from components.stores.lancedb import LanceDBDocumentStore

        self.store = LanceDBDocumentStore(folder / "lancedb")
        self.retriever = HybridRetriever(self.store, top_k=TOP_K)

    def index(self, documents: list[Document]) -> None:
        for start in range(0, len(documents), 2_000):
            self.store.write_documents(documents[start : start + 2_000])
        self.store.optimise()
        self.retriever.warm_up()

    def search(self, questions: Sequence[str], embeddings: Sequence[list[float]]) -> list[list[str]]:
        found = self.retriever.search(list(questions), list(embeddings))
        return [[document.id for document in documents] for documents in found]


class HaystackHybrid:
    """Two of Haystack's retrievers, one after the other, and its DocumentJoiner; one question after another."""

    words: Any
    meaning: Any

    def __init__(self) -> None:
        from haystack.components.joiners import DocumentJoiner

        self.joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=TOP_K)

    def search(self, questions: Sequence[str], embeddings: Sequence[list[float]]) -> list[list[str]]:
        found = []
        for question, embedding in zip(questions, embeddings, strict=True):
            words = self.words.run(query=question)["documents"]
            meaning = self.meaning.run(query_embedding=embedding)["documents"]
            found.append([document.id for document in self.joiner.run(documents=[words, meaning])["documents"]])
        return found


class HaystackInMemory(HaystackHybrid):
    """Haystack's in-memory BM25 and embedding retrievers."""

    name = "haystack in memory"

    def __init__(self, folder: Path) -> None:
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        super().__init__()
        self.store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        self.words = InMemoryBM25Retriever(self.store, top_k=TOP_K)
        self.meaning = InMemoryEmbeddingRetriever(self.store, top_k=TOP_K)

    def index(self, documents: list[Document]) -> None:
        self.store.write_documents(documents)


SIDES: dict[str, type[Excerpt] | type[HaystackInMemory]] = {"excerpt": Excerpt, "haystack": HaystackInMemory}
