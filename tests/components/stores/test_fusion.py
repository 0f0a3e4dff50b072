import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.stores.fusion import Fusion, fuse

ids = st.text("abcdef", min_size=1, max_size=2)


def legs(low: float, high: float) -> st.SearchStrategy[list[tuple[str, float]]]:
    return st.lists(st.tuples(ids, st.floats(low, high, width=32)), max_size=12, unique_by=lambda pair: pair[0])


fusions = st.builds(
    Fusion,
    method=st.sampled_from(["convex", "rrf"]),
    words_weight=st.floats(0, 1),
    candidates=st.integers(1, 15),
    rank_constant=st.integers(1, 100),
)


def slow_fuse(words, meaning, fusion, top_k):
    """The definitions written out for one id at a time."""
    everything = {name for name, _ in [*words, *meaning]}

    def rank_part(leg, name):
        mine = [score for other, score in leg if other == name]
        if not mine:
            return 0.0
        ahead = sum(1 for other, score in leg if score > mine[0] or (score == mine[0] and other < name))
        return 1 / (fusion.rank_constant + ahead + 1)

    def score_part(leg, name, minimum):
        if not leg:
            return 0.0
        best = max(score for _, score in leg)
        if best <= minimum:
            return 0.0
        mine = [score for other, score in leg if other == name]
        value = mine[0] if mine else (min(s for _, s in leg) if len(leg) >= fusion.candidates else minimum)
        return max(value - minimum, 0.0) / (best - minimum)

    weight = 0.0 if not words else 1.0 if not meaning else fusion.words_weight
    scored = []
    for name in everything:
        if fusion.method == "rrf":
            score = weight * rank_part(words, name) + (1 - weight) * rank_part(meaning, name)
        else:
            score = weight * score_part(words, name, 0.0) + (1 - weight) * score_part(meaning, name, 0.0)
        scored.append((name, score))
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:top_k]


@given(legs(0, 50), legs(-1, 1), fusions, st.integers(0, 30))
def test_agrees_with_the_slow_version(words, meaning, fusion, top_k):
    fast, slow = fuse(words, meaning, fusion, top_k), slow_fuse(words, meaning, fusion, top_k)
    assert len(fast) == len(slow)
    assert [score for _, score in fast] == pytest.approx([score for _, score in slow], abs=1e-9)
    # Ids may differ only where rounding decides between equal scores.
    by_id = dict(slow_fuse(words, meaning, fusion, 100))
    for name, score in fast:
        assert by_id[name] == pytest.approx(score, abs=1e-9)


@given(legs(0, 50), legs(-1, 1), fusions, st.integers(0, 30), st.randoms(use_true_random=False))
def test_order_of_the_input_does_not_matter(words, meaning, fusion, top_k, random):
    mixed = (random.sample(words, len(words)), random.sample(meaning, len(meaning)))
    assert fuse(*mixed, fusion, top_k) == fuse(words, meaning, fusion, top_k)


@given(legs(0, 50), legs(-1, 1), fusions)
def test_scores_fall_and_stay_in_range_and_ties_go_by_id(words, meaning, fusion):
    fused = fuse(words, meaning, fusion, 100)
    assert {name for name, _ in fused} == {name for name, _ in [*words, *meaning]}
    assert all(0.0 <= score <= 1.0 + 1e-9 for _, score in fused)
    assert fused == sorted(fused, key=lambda pair: (-pair[1], pair[0]))


@given(legs(0, 50), fusions)
def test_a_leg_alone_keeps_its_order(leg, fusion):
    expected = [name for name, _ in sorted(leg, key=lambda pair: (-pair[1], pair[0]))]
    scores = dict(leg)
    for fused in (fuse(leg, [], fusion, 100), fuse([], leg, fusion, 100)):
        names = [name for name, _ in fused]
        assert sorted(names) == sorted(expected)
        values = [scores[name] for name in names]
        # Tiny differences may vanish when scores are normalised; the order must not be turned round.
        assert all(a >= b or math.isclose(a, b, abs_tol=1e-6) for a, b in itertools.pairwise(values))


def test_reciprocal_rank_fusion_by_hand():
    fused = fuse([("a", 9.0), ("b", 8.0)], [("b", 0.9), ("c", 0.1)], Fusion("rrf", 0.5, 10, 60), 3)
    assert [name for name, _ in fused] == ["b", "a", "c"]
    assert fused[0][1] == pytest.approx(0.5 / 62 + 0.5 / 61)


def test_convex_combination_by_hand():
    # "c" is missing from a words leg that was cut at two: it gets that leg's last score, 5/10.
    fused = fuse([("a", 10.0), ("b", 5.0)], [("c", 0.8), ("b", 0.4)], Fusion("convex", 0.75, 2), 3)
    assert dict(fused) == pytest.approx({"a": 0.75 + 0.25 * 0.5, "b": 0.75 * 0.5 + 0.25 * 0.5, "c": 0.75 * 0.5 + 0.25})
    # The same legs, not cut: what is missing has the leg's minimum.
    fused = fuse([("a", 10.0), ("b", 5.0)], [("c", 0.8), ("b", 0.4)], Fusion("convex", 0.75, 9), 3)
    assert dict(fused) == pytest.approx({"a": 0.75, "b": 0.75 * 0.5 + 0.25 * 0.5, "c": 0.25})


def test_a_repeated_id_counts_once_with_its_best_score():
    for method in ("rrf", "convex"):
        fusion = Fusion(method, 0.5, 10)
        assert fuse([("a", 1.0), ("b", 3.0), ("a", 4.0)], [], fusion, 5) == fuse(
            [("a", 4.0), ("b", 3.0)], [], fusion, 5
        )


def test_legs_asked():
    assert Fusion(words_weight=0.5).asks_words and Fusion(words_weight=0.5).asks_meaning
    assert not replace(Fusion(), words_weight=1.0).asks_meaning
    assert not replace(Fusion(), words_weight=0).asks_words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "sum"}, "'sum', but must be one of 'convex', 'rrf'"),
        ({"words_weight": 1.1}, "words_weight is 1.1, but must be a number from 0"),
        ({"words_weight": math.nan}, "words_weight is nan"),
        ({"words_weight": "half"}, "words_weight is 'half'"),
        ({"words_weight": True}, "words_weight is True"),
        ({"candidates": 0}, "candidates is 0, but must be a whole number of at least 1"),
        ({"rank_constant": 6.5}, "rank_constant is 6.5"),
    ],
)
def test_bad_settings_are_named_with_what_is_allowed(settings, message):
    with pytest.raises(ValueError, match=message):
        Fusion(**settings)
