"""The `_msearch` of a hybrid search, and the fusion of its replies; no server is asked."""

import math

import numpy as np
import orjson
import pytest

from components.stores.elasticsearch.index.mapping import IndexDesign
from components.stores.elasticsearch.query import HybridQuery, similarities, to_matrix
from components.stores.fusion import Fusion

VECTORS = np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32)


def make_query(top_k: int = 3, filters: dict | None = None, fusion: Fusion | None = None, **settings) -> HybridQuery:
    fusion = fusion or Fusion(candidates=10)
    return HybridQuery(IndexDesign(), top_k, filters, fusion, settings.pop("oversampling", 1.0), 5000, **settings)


def test_only_what_has_something_to_ask_is_asked():
    legs = make_query().legs(["iron tower", "?!"], VECTORS)
    assert [(leg.question, leg.kind) for leg in legs] == [(0, "words"), (0, "meaning")]
    assert [leg.kind for leg in make_query().legs(["tower"], None)] == ["words"]
    meaning = make_query(fusion=Fusion(words_weight=0.0))
    assert [leg.kind for leg in meaning.legs(["tower"], VECTORS[:1])] == ["meaning"]
    assert [leg.kind for leg in meaning.legs(["tower"], None)] == ["words"], "without vectors, words are all there is"


def test_the_filter_holds_inside_both_legs():
    [words, meaning] = make_query(filters={"term": {"a": 1}}).legs(["tower"], VECTORS[:1])
    assert words.body["query"]["bool"]["filter"] == {"term": {"a": 1}}
    assert meaning.body["query"]["knn"]["filter"] == {"term": {"a": 1}}


@pytest.mark.parametrize(
    ("top_k", "candidates", "oversampling", "depth", "looked_at"),
    [(3, 10, 1.0, 10, 100), (20, 10, 1.0, 20, 100), (3, 100, 3.0, 100, 300), (30_000, 10, 1.0, 10_000, 10_000)],
)
def test_how_deep_a_leg_looks(top_k, candidates, oversampling, depth, looked_at):
    query = make_query(top_k, fusion=Fusion(candidates=candidates), oversampling=oversampling)
    [words, meaning] = query.legs(["tower"], VECTORS[:1])
    assert words.body["size"] == meaning.body["size"] == meaning.body["query"]["knn"]["k"] == depth
    assert meaning.body["query"]["knn"]["num_candidates"] == looked_at


def test_pasted_pages_are_cut_down_to_distinct_words():
    [leg] = make_query().legs([" ".join(f"word{number % 150}" for number in range(5000))], None)
    assert len(leg.body["query"]["multi_match"]["query"].split()) == 100


def test_fuzziness_is_asked_for_only_when_set():
    [plain] = make_query().legs(["tower"], None)
    [fuzzy] = make_query(fuzziness="AUTO").legs(["tower"], None)
    assert "fuzziness" not in plain.body["query"]["multi_match"]
    assert fuzzy.body["query"]["multi_match"]["fuzziness"] == "AUTO"


def test_the_body_is_a_line_of_head_and_one_of_search_for_each_leg():
    query = make_query()
    lines = query.body(query.legs(["tower", "wall"], VECTORS), "here").splitlines()
    assert len(lines) == 6
    assert [orjson.loads(line) for line in lines[::2]] == [
        {"preference": "here", "allow_partial_search_results": False}
    ] * 3
    assert orjson.loads(lines[3])["query"]["knn"]["query_vector"] == [1.0, 0.0]


def test_replies_go_to_their_questions():
    def reply(*hits: tuple[str, float]) -> dict:
        return {"hits": {"hits": [{"fields": {"id": [name]}, "_score": score} for name, score in hits]}}

    query = make_query()
    vectors = np.eye(2, dtype=np.float32)
    legs = query.legs(["tower", "wall"], vectors)
    replies = [reply(("a", 2.0)), reply(("a", 1.0), ("b", 0.9)), {}, reply(("c", 1.0))]
    first, second = query.fuse(2, legs, replies)
    assert [name for name, _ in first] == ["a", "b"]
    assert [name for name, _ in second] == ["c"]


@pytest.mark.parametrize("function", ["cosine", "dot_product", "max_inner_product", "l2_norm"])
def test_scores_are_the_similarities_again(function):
    """Elasticsearch's own formulas, from its documentation of dense_vector."""
    values = [-3.0, -0.5, 0.0, 0.5, 2.0] if function == "max_inner_product" else [-1.0, -0.5, 0.0, 0.5, 1.0]
    if function == "l2_norm":
        values = [-4.0, -1.5, -0.25, 0.0]
        scores = [1 / (1 + value * value) for value in values]
    elif function == "max_inner_product":
        scores = [1 / (1 - value) if value < 0 else value + 1 for value in values]
    else:
        scores = [(1 + value) / 2 for value in values]
    for value, found in zip(values, similarities(scores, function), strict=True):
        assert math.isclose(value, found, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("embeddings", "dimension", "named"),
    [
        ([[1.0, 2.0]], 3, "has 2 numbers, but the index holds vectors of 3"),
        ([[1.0], [1.0, 2.0]], None, r"differ in length: \[1, 2\]"),
        ([[float("nan")]], 1, "NaN"),
        ([[float("inf")]], 1, "infinite"),
    ],
)
def test_embeddings_that_do_not_fit(embeddings, dimension, named):
    with pytest.raises(ValueError, match=named):
        to_matrix(embeddings, dimension)


def test_embeddings_as_a_matrix():
    assert to_matrix(None, 3) is None
    matrix = to_matrix([[1, 2], [3, 4]], 2)
    assert (matrix.dtype, matrix.shape) == (np.float32, (2, 2))
