"""One probability space over the answers of all passages and no answer."""

import math

import numpy as np
import pytest
from haystack import Document
from hypothesis import given
from hypothesis import strategies as st

from components.reader.answers.extracted_answers import build_answers
from components.reader.answers.ranking import AnswerSpan, passage_logits, rank_answers, z_scores
from components.reader.calibration import SPAN_ALONE, Calibration
from components.reader.request import Request

PLACES = st.lists(
    st.builds(
        lambda passage, start, text, logit: AnswerSpan(passage, start, start + 2, text, (passage, start), logit),
        st.integers(0, 3),
        st.integers(0, 5),
        st.sampled_from(["paris", "london", "rome"]),
        st.floats(-30, 30),
    ),
    max_size=12,
)
WEIGHTS = st.builds(Calibration, no_answer=st.floats(-5, 5), agreement=st.floats(0, 1), temperature=st.floats(0.2, 5))


def slow_ranking(places: list[AnswerSpan], weights: Calibration) -> tuple[dict[str, float], float]:
    masses: dict[str, float] = {}
    for text in {place.text for place in places}:
        best = {}
        for place in places:
            if place.text == text:
                best[place.region] = max(best.get(place.region, -math.inf), place.logit)
        terms = [math.exp(logit / weights.temperature) for logit in best.values()]
        masses[text] = (1 - weights.agreement) * max(terms) + weights.agreement * sum(terms)
    none = math.exp(weights.no_answer / weights.temperature)
    total = none + sum(masses.values())
    return {text: mass / total for text, mass in masses.items()}, none / total


@given(PLACES, WEIGHTS)
def test_probabilities_are_those_of_the_formula(places: list[AnswerSpan], weights: Calibration) -> None:
    got = rank_answers(places, weights)
    expected, none = slow_ranking(places, weights)
    assert {answer.places[0].text: answer.probability for answer in got.answers} == pytest.approx(expected)
    assert got.no_answer == pytest.approx(none)
    assert sum(answer.probability for answer in got.answers) + got.no_answer == pytest.approx(1)
    probabilities = [answer.probability for answer in got.answers]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sorted(id(place) for answer in got.answers for place in answer.places) == sorted(map(id, places))


def test_no_place_leaves_no_answer() -> None:
    assert rank_answers([], Calibration()).no_answer == 1.0


def test_answers_that_agree_support_each_other() -> None:
    places = [
        AnswerSpan(0, 0, 5, "london", "a", 2.0),
        AnswerSpan(1, 0, 5, "paris", "b", 1.8),
        AnswerSpan(2, 0, 5, "paris", "c", 1.7),
    ]
    together = rank_answers(places, Calibration(temperature=1.0, agreement=1.0))
    assert [place.passage for place in together.answers[0].places] == [1, 2]
    alone = rank_answers(places, Calibration(temperature=1.0, agreement=0.0))
    assert alone.answers[0].places[0].text == "london"


def test_the_same_words_read_twice_are_no_further_evidence() -> None:
    places = [
        AnswerSpan(0, 0, 5, "london", "a", 2.0),
        AnswerSpan(1, 0, 5, "paris", "b", 1.8),
        AnswerSpan(2, 9, 14, "paris", "b", 1.8),
    ]
    got = rank_answers(places, Calibration(temperature=1.0, agreement=1.0))
    assert got.answers[0].places[0].text == "london" and len(got.answers[1].places) == 2


def test_huge_logits_do_not_overflow() -> None:
    got = rank_answers([AnswerSpan(0, 0, 1, "a", 1, 1e5), AnswerSpan(0, 1, 2, "b", 2, -1e5)], Calibration())
    assert got.answers[0].probability == pytest.approx(1) and got.answers[1].probability == 0


def test_passages_are_weighed_by_score_and_rank() -> None:
    weights = Calibration(retriever=2.0, rank=-0.5)
    z = math.sqrt(1.5)
    expected = [2 * z, -0.5 * math.log(2), -2 * z - 0.5 * math.log(3)]
    assert passage_logits(weights, [3.0, 2.0, 1.0]).tolist() == pytest.approx(expected)
    assert passage_logits(SPAN_ALONE, [3.0, 1.0]).tolist() == [0, 0]


@pytest.mark.parametrize("scores", [[], [1.0], [2.0, 2.0, 2.0], [1.0, None], [1.0, float("nan")], [0.1 + 0.2, 0.3]])
def test_scores_that_say_nothing_weigh_nothing(scores: list) -> None:
    assert z_scores(scores).tolist() == [0.0] * len(scores)


@pytest.mark.parametrize(("no_answer", "withheld"), [(0.9, False), (1.1, True)])
def test_an_answer_more_probable_than_none_is_not_withheld(no_answer: float, withheld: bool) -> None:
    """Whatever threshold is best for SQuAD 2.0: nobody understands that 69 % are not shown."""
    weights = Calibration(no_answer=float(np.log(no_answer)), temperature=1.0, no_answer_threshold=0.01)
    places = [AnswerSpan(0, start, start + 1, f"answer {start}", start, 0.0) for start in (0, 4)]
    request = Request("Who?", [Document(content="a tower")])
    answers = build_answers(request, rank_answers(places, weights), weights.threshold)
    assert answers[-1].meta["abstain"] is withheld
