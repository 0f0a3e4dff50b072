"""How the words leg (BM25) and the meaning leg (vectors) of one search become one ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, get_args

Method = Literal["convex", "rrf"]

# What a passage scores that has nothing to do with the question: BM25 without any word of it, and the cosine of
# unrelated directions. With -1, the cosine's theoretical minimum, the meaning leg differs too little from passage to
# passage: recall at 20 was .957 on training questions, against .972.
WORDS_MINIMUM = 0.0
MEANING_MINIMUM = 0.0


@dataclass(frozen=True)
class Fusion:
    """
    Settings of the fusion; the defaults are the ones chosen on training articles (docs/retrieval.md).

    :param method: `convex`, the convex combination of normalised scores (Bruch, Gai and Ingber 2022, "An Analysis of
        Fusion Functions for Hybrid Retrieval"), or `rrf`, reciprocal rank fusion (Cormack, Clarke and Buettcher 2009).
    :param words_weight: Weight of the words leg, 0 to 1; meaning has the rest. At 1 or 0 one leg alone is asked.
    :param candidates: How many passages each leg returns before fusion.
    :param rank_constant: The k of `rrf`: larger values make the first ranks count less.
    :param typos: Words also match where a letter or two differ (their first letter must be right); many times slower.
    :raises ValueError: When a value is outside what is allowed.
    """

    method: Method = "convex"
    words_weight: float = 0.5
    candidates: int = 100
    rank_constant: int = 60
    typos: bool = False

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            allowed = ", ".join(repr(method) for method in get_args(Method))
            raise ValueError(f"fusion method is {self.method!r}, but must be one of {allowed}")
        if not _is_number(self.words_weight) or not 0.0 <= self.words_weight <= 1.0:
            raise ValueError(
                f"words_weight is {self.words_weight!r}, but must be a number from 0 (meaning only) to 1 (words only)"
            )
        for name in ("candidates", "rank_constant"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} is {value!r}, but must be a whole number of at least 1")

    @property
    def asks_words(self) -> bool:
        """Whether the words leg takes part at all."""
        return self.words_weight > 0.0

    @property
    def asks_meaning(self) -> bool:
        """Whether the meaning leg takes part at all."""
        return self.words_weight < 1.0


def fuse(
    words: Sequence[tuple[str, float]], meaning: Sequence[tuple[str, float]], fusion: Fusion, top_k: int
) -> list[tuple[str, float]]:
    """
    Join what the two legs returned for one question.

    :param words: (id, BM25 score) pairs, in any order.
    :param meaning: (id, cosine similarity) pairs, in any order.
    :param fusion: The settings.
    :param top_k: How many pairs to return at most.
    :returns: (id, fused score) pairs, best first, equal scores ordered by id. Scores lie between 0 and 1. A leg that
        returned nothing has no say: the other leg's order stands, and its weight counts as 1.
    """
    share = fusion.words_weight
    if not words or not meaning:
        share = 1.0 if words else 0.0
    scored: dict[str, float] = {}
    if fusion.method == "rrf":
        for leg, weight in ((words, share), (meaning, 1.0 - share)):
            for rank, (document_id, _) in enumerate(_ranked(_best(leg)), start=1):
                scored[document_id] = scored.get(document_id, 0.0) + weight / (fusion.rank_constant + rank)
    else:
        by_words, words_floor = _normalised(_best(words), WORDS_MINIMUM, fusion.candidates)
        by_meaning, meaning_floor = _normalised(_best(meaning), MEANING_MINIMUM, fusion.candidates)
        rest = 1.0 - share
        for document_id, score in by_words.items():
            scored[document_id] = share * score + rest * by_meaning.get(document_id, meaning_floor)
        for document_id, score in by_meaning.items():
            if document_id not in by_words:
                scored[document_id] = share * words_floor + rest * score
    return _ranked(scored)[:top_k]


def _best(leg: Sequence[tuple[str, float]]) -> dict[str, float]:
    """One score an id: the highest."""
    best = dict(leg)
    if len(best) == len(leg):
        return best
    best.clear()
    for document_id, score in leg:
        if document_id not in best or score > best[document_id]:
            best[document_id] = score
    return best


def _ranked(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    if len(set(scores.values())) == len(scores):
        return sorted(scores.items(), key=itemgetter(1), reverse=True)  # no ties: no tuple a passage to order them
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def _normalised(leg: Mapping[str, float], minimum: float, candidates: int) -> tuple[dict[str, float], float]:
    """
    Scores from 0 (the minimum, and below) to 1 (the best passage), and the score of a passage that the leg left out.

    A leg cut at `candidates` left out passages that score as much as its last one at most; that bound is taken.
    A shorter leg returned all it has, so what is missing has the minimum.
    """
    if not leg:
        return {}, 0.0
    width = max(leg.values()) - minimum
    if width <= 0.0:
        return dict.fromkeys(leg, 0.0), 0.0
    scores = {document_id: (score - minimum) / width for document_id, score in leg.items()}
    lowest = min(scores.values())
    if lowest < 0.0:
        scores = {document_id: max(0.0, score) for document_id, score in scores.items()}
    return scores, max(0.0, lowest) if len(leg) >= candidates else 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
