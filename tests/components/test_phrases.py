import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.phrases import phrase_shares
from components.questions import WORD

# Few words, so that pairs do meet.
word = st.sampled_from(["a", "b", "ab", "ß", "_1"])
text = st.lists(
    st.one_of(word, st.sampled_from([" ", " ", ", ", " " * 6, "." * 9, "\f", "\n", "A", "-", "—", "é"])), max_size=30
).map("".join)
pair = st.tuples(word, word).map(lambda one: (one[0].casefold(), one[1].casefold()))


def slow_shares(pairs, texts):
    """Every pair against every pair of neighbouring words."""
    held = []
    for one in texts:
        words = WORD.findall(one.casefold())
        held.append([(words[i], words[i + 1]) for i in range(len(words) - 1)])
    weights = []
    for wanted in pairs:
        having = sum(1 for one in held if wanted in one)
        weights.append(math.log(1 + (len(texts) - having + 0.5) / (having + 0.5)))
    return [
        sum(w for w, wanted in zip(weights, pairs, strict=True) if wanted in one) / sum(weights) if pairs else 0.0
        for one in held
    ]


@given(st.lists(pair, max_size=6, unique=True), st.lists(text, max_size=6))
def test_agrees_with_the_slow_version(pairs, texts):
    assert phrase_shares(pairs, texts) == pytest.approx(slow_shares(pairs, texts))


def test_order_and_neighbourhood_count():
    texts = ["Normandy, in France", "France in Normandy", "in-France: Normandy"]
    shares = phrase_shares([("normandy", "in"), ("in", "france")], texts)
    assert shares[0] == 1.0
    assert shares[1] == 0.0
    assert 0.0 < shares[2] < 0.5  # the pair that two texts have weighs less than the one that one has


def test_words_are_whole():
    assert phrase_shares([("a", "b")], ["aa b", "a bb", "a b"]) == [0.0, 0.0, 1.0]


def test_nothing_asked_or_nothing_there():
    assert phrase_shares([], ["a b"]) == [0.0]
    assert phrase_shares([("a", "b")], []) == []
