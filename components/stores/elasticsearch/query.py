"""
Builds the `_msearch` of a hybrid search, two legs a question, and fuses the replies; raises ValueError for embeddings
that do not fit the index.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import orjson

from components.search_form import search_form
from components.stores.elasticsearch.index.mapping import IndexDesign
from components.stores.fusion import Fusion, fuse

Ranking = list[tuple[str, float]]  # (id, score), best first
LARGEST_WINDOW = 10_000  # Elasticsearch's own limit of a result window and of kNN candidates
# A question has some ten words. Pasted pages are cut down to distinct words, because each word is a clause a field.
_MOST_WORDS = 100
# A graph search for fewer may get stuck among equal vectors, and finds less than there is.
_FEWEST_CANDIDATES = 100


@dataclass(frozen=True)
class Leg:
    """One search of a question: by words or by meaning."""

    question: int
    kind: Literal["words", "meaning"]
    body: dict[str, Any]


class HybridQuery:
    """
    What is asked of each of many questions.

    :param design: What is searched, and how vectors are compared.
    :param top_k: Passages a question; at least 1.
    :param filters: An Elasticsearch query that holds for both legs; None for no filter.
    :param fusion: How the legs are joined.
    :param oversampling: kNN looks at this many times the candidates it returns: the graph's recall grows with it.
    :param milliseconds: After which a shard stops looking; a partial result is then an error, never silently shorter.
    :param fuzziness: How many letters of a word may differ, as Elasticsearch writes it.
    """

    def __init__(
        self,
        design: IndexDesign,
        top_k: int,
        filters: dict[str, Any] | None,
        fusion: Fusion,
        oversampling: float,
        milliseconds: int,
        fuzziness: str = "0",
    ) -> None:
        self.design, self.filters, self.fuzziness = design, filters, fuzziness
        self.top_k = min(top_k, LARGEST_WINDOW)
        self.depth = min(max(fusion.candidates, top_k), LARGEST_WINDOW)
        self.fusion = replace(fusion, candidates=self.depth)
        self.num_candidates = min(max(int(self.depth * oversampling), _FEWEST_CANDIDATES), LARGEST_WINDOW)
        self.milliseconds = milliseconds

    def legs(self, queries: Sequence[str], embeddings: np.ndarray | None) -> list[Leg]:
        """
        Every leg that has something to ask.

        :param queries: The questions.
        :param embeddings: (questions, dimensions) float32, or None to search by words alone.
        """
        legs: list[Leg] = []
        by_words = self.fusion.asks_words or embeddings is None
        for number, query in enumerate(queries):
            if by_words and any(letter.isalnum() for letter in query):
                legs.append(Leg(number, "words", self._words(query)))
            if self.fusion.asks_meaning and embeddings is not None and embeddings[number].any():
                legs.append(Leg(number, "meaning", self._meaning(embeddings[number])))
        return legs

    def body(self, legs: Sequence[Leg], preference: str) -> bytes:
        """The `_msearch` body. Searches with the same `preference` go to the same copies of the shards."""
        head = orjson.dumps({"preference": preference, "allow_partial_search_results": False}) + b"\n"
        bodies = (orjson.dumps(leg.body, option=orjson.OPT_SERIALIZE_NUMPY) for leg in legs)
        return b"".join(head + body + b"\n" for body in bodies)

    def fuse(self, questions: int, legs: Sequence[Leg], replies: Sequence[dict[str, Any]]) -> list[Ranking]:
        """The ranking of each question, out of the replies to its legs."""
        words: list[Ranking] = [[] for _ in range(questions)]
        meaning: list[Ranking] = [[] for _ in range(questions)]
        for leg, reply in zip(legs, replies, strict=True):
            hits = reply.get("hits", {}).get("hits", [])
            scores = [hit["_score"] for hit in hits]
            if leg.kind == "meaning":
                scores = similarities(scores, self.design.similarity)
            side = words if leg.kind == "words" else meaning
            side[leg.question] = list(zip([hit["fields"]["id"][0] for hit in hits], scores, strict=True))
        return [fuse(one, other, self.fusion, self.top_k) for one, other in zip(words, meaning, strict=True)]

    def _common(self) -> dict[str, Any]:
        return {
            "size": self.depth,
            # The id out of its column, and nothing of the stored fields, which are packed together with the vectors:
            # half the server's work (measured: 4.9 ms of processor a question instead of 9.6).
            "stored_fields": "_none_",
            "docvalue_fields": ["id"],
            "track_total_hits": False,
            "timeout": f"{self.milliseconds}ms",
        }

    def _words(self, query: str) -> dict[str, Any]:
        query = search_form(query).replace(":", " ")  # the tokenizer takes "who:what" for one word
        if query.count(" ") > _MOST_WORDS:
            query = " ".join(list(dict.fromkeys(query.split()))[:_MOST_WORDS])
        matching: dict[str, Any] = {
            "multi_match": {"query": query, "fields": self.design.query_fields(), "type": "most_fields"}
        }
        if self.fuzziness != "0":
            matching["multi_match"]["fuzziness"] = self.fuzziness
        if self.fusion.typos:
            matching["multi_match"] |= {"fuzziness": "AUTO", "prefix_length": 1}
        if self.filters is not None:
            matching = {"bool": {"must": matching, "filter": self.filters}}
        return {"query": matching, **self._common()}

    def _meaning(self, embedding: np.ndarray) -> dict[str, Any]:
        knn: dict[str, Any] = {
            "field": "embedding",
            "query_vector": embedding,
            "k": self.depth,
            "num_candidates": self.num_candidates,
        }
        if self.filters is not None:
            knn["filter"] = self.filters
        # As a query, not as the search's own section "knn": that is a phase of its own, with a hand-over to the next.
        return {"query": {"knn": knn}, **self._common()}


def similarities(scores: Sequence[float], function: str) -> list[float]:
    """Elasticsearch's kNN scores as the similarities they were made of (docs: dense-vector, `similarity`)."""
    if function in ("cosine", "dot_product"):
        return [2.0 * score - 1.0 for score in scores]
    if function == "max_inner_product":
        return [score - 1.0 if score >= 1.0 else 1.0 - 1.0 / score for score in scores]
    return [-math.sqrt(max(0.0, 1.0 / score - 1.0)) for score in scores]  # l2_norm: nearer is larger


def to_matrix(embeddings: Sequence[Sequence[float]] | None, dimension: int | None) -> np.ndarray | None:
    """
    The questions' embeddings as (questions, dimension) float32; None for None.

    :param dimension: Of the index's vectors; None while it has none.
    :raises ValueError: When they differ in length from the index's or each other, or are not finite.
    """
    if embeddings is None:
        return None
    lengths = {len(one) for one in embeddings}
    if dimension is not None and lengths - {dimension}:
        raise ValueError(
            f"a question's embedding has {min(lengths - {dimension})} numbers, but the index holds vectors of "
            f"{dimension}: embed questions with the model that the passages were embedded with"
        )
    if len(lengths) > 1:
        raise ValueError(f"the questions' embeddings differ in length: {sorted(lengths)}")
    vectors = np.asarray(embeddings, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise ValueError("a question's embedding holds NaN or infinite numbers; all must be finite")
    return vectors
