"""The official figures: cases worked by hand, and an independent slow version of the official scripts."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.squad import (
    SquadQuestion,
    evaluate,
    exact_match,
    f1,
    normalize_answer,
    read_questions,
    score_question,
)


def question(name: str, *answers: str) -> SquadQuestion:
    return SquadQuestion(name, f"what is {name}?", "context", answers, "article")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Cat!", "cat"),
        ("an apple a day", "apple day"),
        ("U.S.", "us"),
        ("a-b", "ab"),  # punctuation goes before articles: "a-b" loses no "a"
        ("the", ""),
        ("Théâtre", "théâtre"),
        ("“quoted”", "“quoted”"),  # only ASCII punctuation is removed
        ("£5,000", "£5000"),
        ("thean the theory", "thean theory"),
    ],
)
def test_normalize_by_hand(text: str, normal: str) -> None:
    assert normalize_answer(text) == normal


def test_scores_by_hand() -> None:
    assert exact_match("The Denver Broncos.", "denver broncos") == 1
    # 2 of 3 predicted words are right, 2 of 2 wanted words are found: P = 2/3, R = 1, F1 = 4/5
    assert f1("Denver Broncos won", "The Denver Broncos") == pytest.approx(0.8)
    # a bag, not a set: one "new" of two is matched: P = 1/1, R = 1/2
    assert f1("new", "new new") == pytest.approx(2 / 3)
    assert f1("x", "y") == 0.0
    assert (f1("the", "a", "2.0"), f1("the", "a", "1.1")) == (1.0, 0.0)
    # best over golds, each measure for itself
    assert score_question("red car", ["red", "a fast red car"]) == (0, pytest.approx(0.8))
    assert score_question("", ["the"], "2.0") == (1, 1.0), (
        "a gold answer that normalises to nothing counts as no answer"
    )
    assert score_question("x", ["the"], "1.1") == (0, 0.0)


def test_figures_of_2_0_by_hand() -> None:
    questions = [question("a", "red"), question("b", "blue sea", "sea"), question("c"), question("d")]
    predictions = {"a": "red", "b": "the blue sky", "c": "", "d": "wrong"}
    no_answer = {"a": 0.1, "b": 0.3, "c": 0.9, "d": 0.6}
    figures = evaluate(questions, predictions, no_answer)
    assert figures == {
        "exact": 50.0,  # a, c
        "f1": pytest.approx(62.5),  # 1 + .5 + 1 + 0 of 4
        "total": 4,
        "HasAns_exact": 50.0,
        "HasAns_f1": 75.0,
        "HasAns_total": 2,
        "NoAns_exact": 50.0,
        "NoAns_f1": 50.0,
        "NoAns_total": 2,
        # none answered: 2; a answered: 3 (best, at .1); b: 3 (exact) or 3.5 (F1, at .3); d: one less
        "best_exact": 75.0,
        "best_exact_thresh": 0.1,
        "best_f1": 87.5,
        "best_f1_thresh": 0.3,
    }
    # above .5 nothing is answered: d becomes right
    assert evaluate(questions, predictions, no_answer, threshold=0.5)["exact"] == 75.0


def test_figures_of_1_1_count_what_is_missing_as_wrong() -> None:
    questions = [question("a", "red"), question("b", "blue")]
    assert evaluate(questions, {"a": "red"}, version="1.1") == {"exact": 50.0, "f1": 50.0, "total": 2}
    with pytest.raises(ValueError, match="1 of 2 questions have no prediction, the first is 'b'"):
        evaluate(questions, {"a": "red"})


words = st.lists(st.sampled_from(["a", "the", "red", "Red,", "sea", "-", "blue"]), max_size=4).map(" ".join)
probabilities = st.sampled_from([i / 8 for i in range(9)])
cases = st.lists(st.tuples(words, st.lists(words, max_size=3), probabilities), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(cases, probabilities)
def test_equals_an_independent_slow_version(cases: list[tuple[str, list[str], float]], threshold: float) -> None:
    questions = [question(str(i), *answers) for i, (_, answers, _) in enumerate(cases)]
    predictions = {str(i): prediction for i, (prediction, _, _) in enumerate(cases)}
    no_answer = {str(i): probability for i, (_, _, probability) in enumerate(cases)}
    figures = evaluate(questions, predictions, no_answer, threshold)

    def slow_normal(text: str) -> list[str]:
        kept = "".join(
            c for c in text.lower() if not (c.isascii() and c.isprintable() and not c.isalnum() and c != " ")
        )
        return [word for word in kept.split() if word not in ("a", "an", "the")]

    def slow_f1(prediction: str, gold: str) -> float:
        left, right = slow_normal(prediction), slow_normal(gold)
        if not left and not right:
            return 1.0
        rest, same = list(right), 0
        for word in left:
            if word in rest:
                rest.remove(word)
                same += 1
        return 2 * same / (len(left) + len(right))

    def slow_scores(prediction: str, answers: list[str]) -> tuple[float, float]:
        golds = [gold for gold in answers if slow_normal(gold)] or [""]
        return (
            float(any(slow_normal(prediction) == slow_normal(gold) for gold in golds)),
            max(slow_f1(prediction, gold) for gold in golds),
        )

    def mean_at(limit: float, which: int) -> float:
        """Everything less sure than `limit` is left unanswered."""
        got = [
            slow_scores(prediction, answers)[which] if probability <= limit else float(not answers)
            for prediction, answers, probability in cases
        ]
        return 100 * sum(got) / len(got)

    assert figures["exact"] == pytest.approx(mean_at(threshold, 0))
    assert figures["f1"] == pytest.approx(mean_at(threshold, 1))
    # With equal probabilities the official search can also stop between them, so it finds at least the best limit.
    # It also takes a question without gold answer as lost by any answer, even one that normalises to nothing.
    clean = all(prediction == "" or slow_normal(prediction) for prediction, _, _ in cases)
    distinct = len({probability for _, _, probability in cases}) == len(cases)
    limits = [-1.0, *sorted({probability for _, _, probability in cases})]
    if clean and distinct:
        assert figures["best_exact"] == pytest.approx(max(mean_at(limit, 0) for limit in limits))
        assert figures["best_f1"] == pytest.approx(max(mean_at(limit, 1) for limit in limits))


def test_reads_both_versions(tmp_path: Path) -> None:
    qas = [{"id": "1", "question": "q", "answers": [{"text": "x", "answer_start": 0}]}]
    content = {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "x y", "qas": qas}]}]}
    plain, packed = tmp_path / "one.json", tmp_path / "two.json.gz"
    plain.write_text(json.dumps(content), encoding="utf-8")
    assert read_questions(plain) == ([SquadQuestion("1", "q", "x y", ("x",), "t")], "1.1")
    content["version"] = "v2.0"
    packed.write_bytes(gzip.compress(json.dumps(content).encode()))
    assert read_questions(packed)[1] == "2.0"
    plain.write_text('{"data": [{"paragraphs": [{}]}]}', encoding="utf-8")
    with pytest.raises(ValueError, match=r'one\.json: data\[0\]\.paragraphs\[0\]: no text under "context"'):
        read_questions(plain)
    plain.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"one\.json: not JSON"):
        read_questions(plain)
