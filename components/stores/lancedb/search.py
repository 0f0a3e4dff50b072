"""Hybrid search over one version of the table: both legs, fusion, and one fetch of the winning rows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from haystack import Document

from components.search_form import search_form
from components.stores.fusion import Fusion, fuse
from components.stores.lancedb import rows
from components.stores.lancedb.filters import ids_condition

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import AsyncTable

# Texts and metas of a version are held beside its vectors while they take no more than this.
DOCUMENTS_IN_MEMORY_BYTES = 128 << 20
# (id, score) of a leg's candidates, best first.
Leg = list[tuple[str, float]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]
IntArray = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Memory:
    """
    All the vectors of one version, held in memory: comparing a question with 20,000 of them takes 1 ms in numpy and
    12 ms in a scan of the table, which reads them anew each time; fetching 20 rows takes 0.1 ms instead of 2. A version
    never changes, so nothing can become stale: the next version, whoever wrote it, gets a Memory of its own.
    """

    row_ids: IntArray  # (n,) ascending
    ids: Sequence[str]  # (n,)
    vectors: FloatArray | None  # (n, dimension), length 1; zeros where a row has none
    without_vector: IntArray  # positions of those rows
    positions: dict[str, int]  # by id
    documents: "pa.Table | None"  # the rows without vectors; None when they are too long to hold

    def nearest(self, queries: FloatArray, depth: int, allowed: IntArray | None) -> list[Leg]:
        """The `depth` most similar rows for each query; `allowed` are the row ids a filter leaves (None: all)."""
        assert self.vectors is not None  # noqa: S101 - asked only where there are vectors
        excluded = np.zeros(len(self.ids), dtype=bool)
        excluded[self.without_vector] = True
        if allowed is not None:
            excluded |= ~np.isin(self.row_ids, allowed)
        scores = queries @ self.vectors.T
        scores[:, excluded] = -np.inf
        return [self._best(line, min(depth, int((~excluded).sum()))) for line in scores]

    def _best(self, scores: FloatArray, depth: int) -> Leg:
        if depth == 0:
            return []
        # Ties at the border are broken by id like all others, so that equal tables give equal answers.
        border = np.partition(scores, -depth)[-depth]
        chosen = np.flatnonzero(scores >= border)
        return best_first([(self.ids[position], float(scores[position])) for position in chosen.tolist()])[:depth]


@dataclass
class Snapshot:
    """One version of the table, to which a whole search keeps: legs and fetched rows always belong together."""

    table: "AsyncTable"
    version: int
    dimension: int | None  # None: no row has a vector
    boosts: dict[str, float]  # of the searchable fields
    memory_rows: int  # largest table to hold the vectors of in memory
    searches: int = 0
    memory: Memory | None = None
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def search(
        self, queries: list[str], embeddings: FloatArray | None, top_k: int, where: str | None, fusion: Fusion
    ) -> list[list[Document]]:
        """The best `top_k` Documents for each question. `embeddings` is (len(queries), dimension), None: words only."""
        depth = max(fusion.candidates, top_k)
        fusion = replace(fusion, candidates=depth)
        by_words = fusion.asks_words or embeddings is None
        by_meaning = fusion.asks_meaning and embeddings is not None
        await self._remember(len(queries))
        words_legs = [
            asyncio.create_task(self._words(query, depth, where, fusion.typos)) for query in queries if by_words
        ]
        try:
            meaning = await self._meaning(embeddings, depth, where) if by_meaning and embeddings is not None else None
            words = await asyncio.gather(*words_legs)
        finally:
            for leg in words_legs:
                leg.cancel()
        fused = [
            fuse(words[i] if by_words else [], meaning[i] if meaning else [], fusion, top_k)
            for i in range(len(queries))
        ]
        found = await self._fetch({document_id for ranking in fused for document_id, _ in ranking})
        return [[replace(found[document_id], score=score) for document_id, score in ranking] for ranking in fused]

    async def _remember(self, questions: int) -> None:
        """Load vectors into memory once a version is asked more than one question: for one, a scan is cheaper."""
        self.searches += questions
        if self.memory is None and self.searches > 1 and await self.table.count_rows() <= self.memory_rows:
            async with self._loading:
                if self.memory is None:
                    self.memory = await self._load()

    async def _load(self) -> Memory:
        columns = [*rows.DOCUMENT_COLUMNS, *([rows.VECTOR] if self.dimension is not None else [])]
        table = (await self.table.query().select(columns).with_row_id().to_arrow()).sort_by("_rowid")
        vectors, without = None, np.zeros(0, dtype=np.int64)
        if self.dimension is not None:
            column = table[rows.VECTOR].combine_chunks()
            vectors = column.values.to_numpy(zero_copy_only=False).reshape(-1, self.dimension).copy()
            vectors[column.is_null().to_numpy(zero_copy_only=False)] = 0.0
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            np.divide(vectors, lengths, out=vectors, where=lengths > 0)
            without = np.flatnonzero(lengths[:, 0] == 0)  # the direction of a zero vector is nowhere
        ids = table["id"].to_pylist()
        positions = {document_id: position for position, document_id in enumerate(ids)}
        documents = table.select(rows.DOCUMENT_COLUMNS)
        kept = documents.combine_chunks() if documents.nbytes <= DOCUMENTS_IN_MEMORY_BYTES else None
        return Memory(table["_rowid"].to_numpy().astype(np.int64), ids, vectors, without, positions, kept)

    async def _words(self, query: str, depth: int, where: str | None, typos: bool) -> Leg:
        from lancedb import query as lance

        query = search_form(query)
        if not query.strip():
            return []
        columns = [rows.field_column(name) for name in self.boosts]
        # Never the text itself: LanceDB would read quotation marks in it as a phrase query.
        match: lance.FullTextQuery = (
            lance.MatchQuery(_beginnings(query), columns[0], fuzziness=2, prefix_length=1)  # type: ignore[call-arg]
            if typos  # several fields cannot be asked fuzzily at once: the text alone
            else lance.MatchQuery(query, columns[0])  # type: ignore[call-arg]
            if len(columns) == 1
            else lance.MultiMatchQuery(query, columns, boosts=list(self.boosts.values()))  # type: ignore[call-arg]
        )
        search = self.table.query().nearest_to_text(match)
        if where is not None:
            search = search.where(where)
        if self.memory is None:
            found = await search.select(["id", "_score"]).limit(depth).to_arrow()
            return best_first(zip(found["id"].to_pylist(), found["_score"].to_pylist(), strict=True))
        # Row ids instead of ids: then nothing but the index is read.
        found = await search.with_row_id().select(["_rowid", "_score"]).limit(depth).to_arrow()
        positions = np.searchsorted(self.memory.row_ids, found["_rowid"].to_numpy())
        return best_first(
            zip((self.memory.ids[position] for position in positions), found["_score"].to_pylist(), strict=True)
        )

    async def _meaning(self, embeddings: FloatArray, depth: int, where: str | None) -> list[Leg]:
        legs: list[Leg] = [[] for _ in embeddings]
        lengths = np.linalg.norm(embeddings, axis=1)
        asked = np.flatnonzero(lengths > 0)
        if not len(asked):
            return legs
        queries = embeddings[asked] / lengths[asked, None]
        if self.memory is not None:
            allowed = None
            if where is not None:
                found = await self.table.query().where(where).select(["_rowid"]).with_row_id().to_arrow()
                allowed = found["_rowid"].to_numpy().astype(np.int64)
            else:
                await asyncio.sleep(0)  # lets the words legs start: they run beside what follows
            results = self.memory.nearest(queries, depth, allowed)
        else:
            results = await self._scan(queries, depth, where)
        for position, leg in zip(asked, results, strict=True):
            legs[position] = leg
        return legs

    async def _scan(self, queries: FloatArray, depth: int, where: str | None) -> list[Leg]:
        search = self.table.query().nearest_to(list(queries)).column(rows.VECTOR).distance_type("cosine")
        # Only an approximate index reads it: it ranks five times as many by compressed vectors, then by whole ones.
        search = search.refine_factor(5)
        if where is not None:
            search = search.where(where)
        columns = ["id", "_distance", *(["query_index"] if len(queries) > 1 else [])]
        found = await search.select(columns).limit(depth).to_arrow()
        legs: list[Leg] = [[] for _ in queries]
        indexes = found["query_index"].to_pylist() if len(queries) > 1 else [0] * len(found)
        for index, document_id, distance in zip(
            indexes, found["id"].to_pylist(), found["_distance"].to_pylist(), strict=True
        ):
            legs[index].append((document_id, 1.0 - distance))
        return [best_first(leg) for leg in legs]

    async def _fetch(self, ids: set[str]) -> dict[str, Document]:
        if not ids:
            return {}
        memory = self.memory
        if memory is None:
            table = await self.table.query().where(ids_condition(sorted(ids))).select(rows.DOCUMENT_COLUMNS).to_arrow()
        else:
            positions = sorted(memory.positions[document_id] for document_id in ids)
            if memory.documents is not None:
                table = memory.documents.take(positions)
            else:
                row_ids = memory.row_ids[positions].tolist()
                table = await self.table.take_row_ids(row_ids).select(rows.DOCUMENT_COLUMNS).to_arrow()
        return {document.id: document for document in rows.to_documents(table)}


def best_first(leg: Any) -> Leg:
    """Highest score first, equal scores by id: an order that does not depend on how rows happen to lie."""
    return sorted(leg, key=lambda pair: (-pair[1], pair[0]))


def _beginnings(query: str) -> str:
    """
    Each word, small, and its beginnings: a fuzzy query of LanceDB is compared as it stands with the index, whose words
    are small and stemmed ("ingedients" with "ingredi").
    """
    words = query.lower().split()
    return " ".join(word[:length] for word in words for length in range(max(4, len(word) - 5), len(word) + 1))
