"""What hybrid search over Elasticsearch finds: ours, and both legs fused by hand on the same index."""

from collections.abc import Callable, Sequence
from typing import Any

from haystack import Document

from benchmarks.elasticsearch.sides import TOP_K, Haystack, Ours
from benchmarks.retrieval.sides import Finder
from benchmarks.retrieval.work import ranks, recall
from components.stores.fusion import Fusion
from evaluation.squad import SquadQuestion

DEPTH = 100  # of each leg, for both sides
_BASE = "hybrid_search"
Leg = Sequence[tuple[str, float]]


class ByHand:
    """
    Two searches by the plain client, `match` and `knn`, fused here: what a user would write.

    :param join: The scores of both legs, best first, as one score an id.
    """

    def __init__(self, url: str, index: str, join: Callable[[Leg, Leg], dict[str, float]]) -> None:
        from elasticsearch import Elasticsearch

        self.index, self.join = index, join
        self.client = Elasticsearch(url, request_timeout=60)

    def search(self, questions: Sequence[str], embeddings: Sequence[list[float]]) -> list[list[str]]:
        found = []
        for question, embedding in zip(questions, embeddings, strict=True):
            words = self._leg(query={"match": {"content": question}})
            knn = {"field": "embedding", "query_vector": embedding, "k": DEPTH, "num_candidates": DEPTH}
            scores = self.join(words, self._leg(knn=knn))
            found.append(sorted(scores, key=lambda one: (-scores[one], one))[:TOP_K])
        return found

    def _leg(self, **asked: Any) -> Leg:
        reply = self.client.search(index=self.index, size=DEPTH, source=False, **asked)
        return [(hit["_id"], hit["_score"]) for hit in reply["hits"]["hits"]]


class OverStore:
    """Our store's `hybrid_search` alone: the question as it is, no phrases."""

    def __init__(self, ours: Ours, fusion: Fusion) -> None:
        self.store, self.fusion = ours.store, fusion

    def search(self, questions: Sequence[str], embeddings: Sequence[list[float]]) -> list[list[str]]:
        found = self.store.hybrid_search(list(questions), list(embeddings), TOP_K, None, self.fusion)
        return [[document.id for document in documents] for documents in found]


def min_max_sum(words: Leg, meaning: Leg) -> dict[str, float]:
    """Scores of each leg from 0 (its worst) to 1 (its best), half and half; what a leg left out has 0 there."""
    joined: dict[str, float] = {}
    for leg in (words, meaning):
        low, high = min((score for _, score in leg), default=0.0), max((score for _, score in leg), default=0.0)
        for name, score in leg:
            joined[name] = joined.get(name, 0.0) + 0.5 * ((score - low) / (high - low) if high > low else 1.0)
    return joined


def reciprocal_ranks(words: Leg, meaning: Leg) -> dict[str, float]:
    """Reciprocal rank fusion with k = 60 (Cormack, Clarke and Buettcher 2009)."""
    joined: dict[str, float] = {}
    for leg in (words, meaning):
        for rank, (name, _) in enumerate(leg, start=1):
            joined[name] = joined.get(name, 0.0) + 1 / (60 + rank)
    return joined


def recalls(
    url: str,
    ours: Ours,
    others: Sequence[Haystack],
    questions: Sequence[SquadQuestion],
    vectors: Sequence[list[float]],
    passages: Sequence[Document],
) -> dict[str, Any]:
    """Recall at 1, 5 and 20 of every way, over the same questions, and how `hybrid_search` stands to it at 20."""
    target = ours.store.active.find()
    assert target is not None

    def by_hand(join: Callable[[Leg, Leg], dict[str, float]]) -> ByHand:
        return ByHand(url, target.name, join)

    ways: dict[str, Finder] = {
        _BASE: OverStore(ours, Fusion(candidates=DEPTH)),
        "hybrid_search, rrf": OverStore(ours, Fusion("rrf", candidates=DEPTH)),
        "by hand, min-max and sum": by_hand(min_max_sum),
        "by hand, rrf": by_hand(reciprocal_ranks),
        "match alone": by_hand(lambda words, meaning: dict(words)),
        "knn alone": by_hand(lambda words, meaning: dict(meaning)),
        "HybridRetriever": ours,
        **{other.name: other for other in others},
    }
    result: dict[str, Any] = {}
    base: list[int | None] = []
    for name, way in ways.items():
        found = ranks(way, questions, vectors, passages)
        base = base or found
        result[name] = {"questions": len(found), **recall(found), **_against(base, found)}
        print(f"recall {name:<26} {result[name]}", flush=True)
    return result


def _against(ours: Sequence[int | None], theirs: Sequence[int | None]) -> dict[str, int]:
    """Questions whose paragraph is among the 20 of one and not of the other."""
    return {
        f"only {_BASE} at 20": sum(a is not None and b is None for a, b in zip(ours, theirs, strict=True)),
        "only this at 20": sum(a is None and b is not None for a, b in zip(ours, theirs, strict=True)),
    }
