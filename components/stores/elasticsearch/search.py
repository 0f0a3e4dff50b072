"""Hybrid search as one `_msearch`: the bodies that are sent, what comes back, and the fusion of both legs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, PartialResult, cause
from components.stores.elasticsearch.index.mapping import IndexDesign
from components.stores.fusion import Fusion, fuse

Leg = list[tuple[str, float]]
DEEPEST = 10_000  # Elasticsearch's own limit of a result window and of kNN candidates
# A question has some ten words. Pasted pages are cut down to distinct words, because each word is a clause a field.
_MOST_WORDS = 100
# A graph search for fewer may get stuck among equal vectors, and finds less than there is.
_FEWEST_CANDIDATES = 100
# Never travels back with a hit: the vector alone would be nine tenths of the reply.
LEFT_OUT = ["embedding", "sparse_embedding"]


class HybridSearch:
    """
    One search of many questions.

    :param design: What is searched, and how vectors are compared.
    :param top_k: Passages a question.
    :param filters: An Elasticsearch query that holds for both legs; None for no filter.
    :param fusion: How the legs are joined.
    :param oversampling: kNN looks at this many times the candidates it returns: the graph's recall grows with it.
    :param milliseconds: After which a shard stops looking; a partial result is then an error, never silently shorter.
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
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}, but must be at least 1")
        self.design, self.filters, self.fuzziness = design, filters, fuzziness
        self.top_k = min(top_k, DEEPEST)
        self.depth = min(max(fusion.candidates, top_k), DEEPEST)
        self.fusion = replace(fusion, candidates=self.depth)
        self.num_candidates = min(max(int(self.depth * oversampling), _FEWEST_CANDIDATES), DEEPEST)
        self.milliseconds = milliseconds

    def legs(self, queries: Sequence[str], embeddings: np.ndarray | None) -> list[tuple[int, str, dict[str, Any]]]:
        """(question, "words" or "meaning", search body) of every leg that has something to ask."""
        legs: list[tuple[int, str, dict[str, Any]]] = []
        by_words = self.fusion.asks_words or embeddings is None
        by_meaning = self.fusion.asks_meaning and embeddings is not None
        for number, query in enumerate(queries):
            if by_words and any(letter.isalnum() for letter in query):
                legs.append((number, "words", self._words(query)))
            if by_meaning and embeddings is not None and embeddings[number].any():
                legs.append((number, "meaning", self._meaning(embeddings[number])))
        return legs

    def body(self, legs: Sequence[tuple[int, str, dict[str, Any]]], preference: str) -> bytes:
        """The `_msearch` body. Searches with the same `preference` go to the same copies of the shards."""
        head = orjson.dumps({"preference": preference, "allow_partial_search_results": False}) + b"\n"
        bodies = (orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY) for _, _, body in legs)
        return b"".join(head + body + b"\n" for body in bodies)

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
        query = query.replace(":", " ")  # the tokenizer takes "who:what" for one word
        if query.count(" ") > _MOST_WORDS:
            query = " ".join(list(dict.fromkeys(query.split()))[:_MOST_WORDS])
        matching: dict[str, Any] = {
            "multi_match": {"query": query, "fields": self.design.query_fields(), "type": "most_fields"}
        }
        if self.fuzziness != "0":
            matching["multi_match"]["fuzziness"] = self.fuzziness
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
        return {"knn": knn, **self._common()}

    def fuse(
        self, questions: int, legs: Sequence[tuple[int, str, dict[str, Any]]], replies: Sequence[dict[str, Any]]
    ) -> list[Leg]:
        """The ranking of each question, out of the replies to its legs."""
        words: list[Leg] = [[] for _ in range(questions)]
        meaning: list[Leg] = [[] for _ in range(questions)]
        for (number, kind, _), reply in zip(legs, replies, strict=True):
            hits = reply.get("hits", {}).get("hits", [])
            names, scores = [hit["fields"]["id"][0] for hit in hits], [hit["_score"] for hit in hits]
            if kind == "words":
                words[number] = list(zip(names, scores, strict=True))
            else:
                alike = similarities(scores, self.design.similarity)
                meaning[number] = list(zip(names, alike, strict=True))
        return [fuse(one, other, self.fusion, self.top_k) for one, other in zip(words, meaning, strict=True)]


def check_whole(reply: Any, expected: int) -> None:
    """
    :raises PartialResult: When a shard failed or ran out of time, or replies are missing.
    :raises ElasticsearchStoreError: When the search itself was refused.
    """
    responses = reply.get("responses") if isinstance(reply, dict) else None
    if not isinstance(responses, list) or len(responses) != expected:
        raise PartialResult(f"a search of {expected} parts did not get as many answers: is a proxy cutting replies?")
    for one in responses:
        if not isinstance(one, dict):
            raise PartialResult("a search got an answer that is none: is a proxy garbling replies?")
        if "error" in one:
            kind, reason = cause(one)
            if one.get("status", 0) in (429, 502, 503, 504) or kind == "no_shard_available_action_exception":
                raise PartialResult(f"some shards could not answer ({kind}): see /_cluster/health")
            raise SearchRefused(kind, reason)
        failed = one.get("_shards", {}).get("failed", 0)
        if failed or one.get("timed_out"):
            what = f"{failed} shards failed" if failed else "shards ran out of time"
            raise PartialResult(f"the result would be incomplete: {what}; see /_cluster/health")
        if "took" not in one or not isinstance(one.get("hits", {}).get("hits", []), list):
            raise PartialResult("a search got an answer that is none: is a proxy garbling replies?")


class SearchRefused(ElasticsearchStoreError):
    """Elasticsearch refused a search; `kind` and `reason` are its own (the reason may quote the question)."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, reason
        hint = "a field that is filtered by holds another type than the filter asks for?"
        super().__init__(f"Elasticsearch refused the search ({kind}): {hint}")


def similarities(scores: Sequence[float], function: str) -> list[float]:
    """Elasticsearch's kNN scores as the similarities they were made of (docs: dense-vector, `similarity`)."""
    if function in ("cosine", "dot_product"):
        return [2.0 * score - 1.0 for score in scores]
    if function == "max_inner_product":
        return [score - 1.0 if score >= 1.0 else 1.0 - 1.0 / score for score in scores]
    return [-math.sqrt(max(0.0, 1.0 / score - 1.0)) for score in scores]  # l2_norm: nearer is larger


def checked_embeddings(queries: Sequence[str], embeddings: Any, dims: int | None) -> np.ndarray | None:
    """
    The questions' embeddings as (questions, dims) float32.

    :raises ValueError: When they do not fit the questions or the index, or are not finite.
    """
    if embeddings is None:
        return None
    lengths = {len(one) for one in embeddings}
    if dims is not None and lengths - {dims}:
        raise ValueError(
            f"a question's embedding has {min(lengths - {dims})} numbers, but the index holds vectors of {dims}: "
            "embed questions with the model that the passages were embedded with"
        )
    if len(lengths) > 1:
        raise ValueError(f"the questions' embeddings differ in length: {sorted(lengths)}")
    vectors = np.asarray(embeddings, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise ValueError("a question's embedding holds NaN or infinite numbers; all must be finite")
    return vectors
