"""The miner's BM25 against bm25s, which computes it by code of its own."""

import random

import bm25s
import numpy as np
import pytest

from tests.training.world import FILLER, NAMES, TOWNS, TRADES
from training.data.passage_search import WordSearch, _words


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.9, 0.4)])
def test_scores_are_those_of_bm25s(k1: float, b: float) -> None:
    rng = random.Random(3)
    words = [*FILLER, *NAMES, *TOWNS, *TRADES]
    texts = [" ".join(rng.choices(words, k=rng.randint(3, 40))) for _ in range(200)]
    questions = [" ".join(rng.sample(words, k=rng.randint(1, 6))) for _ in range(40)]
    theirs = bm25s.BM25(method="lucene", k1=k1, b=b)
    theirs.index([_words(text) for text in texts], show_progress=False)
    ours = WordSearch(texts, k1, b)
    ranked = ours(questions, 20)
    for question, row in zip(questions, ranked, strict=True):
        scores = np.asarray(theirs.get_scores(sorted(set(_words(question)))))
        # Lucene's formula leaves out the constant factor k1 + 1: the ranking, and the ratios, are the same.
        assert np.all(np.diff(scores[row]) <= 1e-5)
        assert scores[row].min() >= np.sort(scores)[-20] - 1e-5
        weights = np.asarray(ours._weights[[ours.vocabulary[word] for word in set(_words(question))]].sum(0)).ravel()
        np.testing.assert_allclose(weights, scores * (k1 + 1), rtol=1e-4, atol=1e-4)
