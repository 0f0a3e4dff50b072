"""A whole store in memory: what `components.stores.contract` asks of one, and nothing else. For tests only."""

import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

import numpy as np
from haystack import Document, default_from_dict, default_to_dict
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from rapidfuzz.distance import OSA

from components.stores.contract import Source, StoreBusyError, StoreStatus, WriteLock, check_search
from components.stores.filters import normalise, require, to_haystack
from components.stores.fusion import Fusion, fuse


class MemoryRecord(dict[str, Source]):
    """`get` and `clear` are a dictionary's own."""

    def __init__(self) -> None:
        self.next_generation, self.lock = count(1).__next__, threading.Lock()
        self.put_pipeline, self.get_pipeline = (about := dict[str, Any]()).__setitem__, about.get

    def all(self, under: str | None = None) -> Iterator[Source]:
        folder = (under or "").rstrip("/")
        found = sorted(self.values(), key=lambda one: (one.path, one.source_id))
        return iter([replace(one, text=None, layout=None) for one in found if f"{one.path}/".startswith(f"{folder}/")])

    def get_layout(self, source_id: str) -> tuple[str, bytes | None] | None:
        return (one := self.get(source_id)) and (one.version, one.layout)

    def put(self, sources: list[Source]) -> None:
        self.update((source.source_id, source) for source in sources)

    def delete(self, source_ids: list[str]) -> None:
        for source_id in source_ids:
            self.pop(source_id, None)

    def check(self) -> None: ...

    close = check


class InMemoryStore(InMemoryDocumentStore):
    """Haystack's store in memory, and what the contract adds. Stores of one name are one while the process lives."""

    records: ClassVar[dict[str, MemoryRecord]] = {}
    folder, loading, close = None, nullcontext, MemoryRecord.check

    def __init__(self, name: str) -> None:
        super().__init__(index=f"excerpt-{name}")
        self.name = name
        self.sources = self.records.setdefault(name, MemoryRecord())

    def __deepcopy__(self, memo: dict[int, Any]) -> "InMemoryStore":
        return InMemoryStore(self.name)

    def to_dict(self) -> dict[str, Any]:
        return default_to_dict(self, name=self.name)

    from_dict = classmethod(default_from_dict)

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        condition = normalise(filters)
        return super().filter_documents(None if condition is None else to_haystack(condition))

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        for document in documents:
            self._check_length(document.embedding, f"document {document.id}")
        return super().write_documents(documents, policy)

    def delete_all_documents(self, recreate_index: bool = False) -> None:
        super().delete_all_documents()
        self.sources.clear()

    def replace_passages(self, documents: list[Document], source_ids: list[str]) -> None:
        self.delete_documents([one.id for one in self.storage.values() if one.meta.get("source_id") in source_ids])
        self.write_documents(documents)

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        return super().delete_by_filter(to_haystack(require(filters)))

    def hybrid_search(
        self, queries: list[str], embeddings: Any, top_k: int = 20, filters: Any = None, fusion: Any = None
    ) -> list[list[Document]]:
        check_search(queries, embeddings, top_k)
        for vector in embeddings or []:
            self._check_length(vector, "a question")
        documents, fusion = {one.id: one for one in self.filter_documents(filters)}, fusion or Fusion()
        fusion = replace(fusion, candidates=max(fusion.candidates, top_k))
        by_words = fusion.asks_words or embeddings is None
        vectors = embeddings if embeddings is not None and fusion.asks_meaning else [None] * len(queries)
        ranked = [
            fuse(_by_words(query, documents, fusion) if by_words else [], _by_meaning(vector, documents), fusion, top_k)
            for query, vector in zip(queries, vectors, strict=True)
        ]
        return [[replace(documents[name], score=score, embedding=None) for name, score in one] for one in ranked]

    async def hybrid_search_async(self, *args: Any, **more: Any) -> list[list[Document]]:
        return self.hybrid_search(*args, **more)

    @contextmanager
    def one_writer(self, wait: float = 0.0) -> Iterator[WriteLock]:
        if not self.sources.lock.acquire(wait > 0, wait or -1):
            raise StoreBusyError(f"Somebody is indexing into '{self.name}'.")
        try:
            yield self.sources
        finally:
            self.sources.lock.release()

    def status(self) -> StoreStatus:
        return StoreStatus(f"{self.name} in memory")

    def warm_up(self) -> None: ...

    async def close_async(self) -> None: ...

    def _check_length(self, vector: list[float] | None, whose: str) -> None:
        other = next((one.embedding for one in self.storage.values() if one.embedding is not None), vector) or []
        if vector is not None and (len(vector) != len(other) or not np.isfinite(vector).all()):
            raise ValueError(f"the embedding of {whose} is {len(vector)} numbers, not {len(other)} finite ones")


def _words(text: str) -> set[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return {re.sub(r"(ing|ed|s)$", "", word) for word in re.findall(r"\w+", plain)}


def _by_words(query: str, documents: dict[str, Document], fusion: Fusion) -> list[tuple[str, float]]:
    asked = _words(query)
    words = {n: _words(f"{d.content} {d.meta.get('title')} {d.meta.get('headings')}") for n, d in documents.items()}
    asked = {w for some in words.values() for w in some if any(OSA.distance(w, a) <= 2 * fusion.typos for a in asked)}
    return [(name, float(len(asked & some))) for name, some in words.items() if asked & some]


def _by_meaning(vector: list[float] | None, documents: dict[str, Document]) -> list[tuple[str, float]]:
    if vector is None or not np.any(vector):
        return []
    asked = np.asarray(vector) / np.linalg.norm(vector)
    known = [(name, one.embedding) for name, one in documents.items() if one.embedding is not None]
    return [(name, float(asked @ vector / np.linalg.norm(vector))) for name, vector in known]
