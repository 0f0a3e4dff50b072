"""Fitting finds the weights that made the data, says what it is worth, and agrees with the ranking that serves."""

import json
from pathlib import Path

import numpy as np
import pytest
from haystack import Document

from components.reader.answers.ranking import AnswerSpan, rank_answers
from components.reader.calibration import NEVER, SPAN_ALONE, Calibration
from components.reader.early_stop import FIRST_PASSAGES
from evaluation.reliability import coverage_at, expected_calibration_error, risk_coverage_area
from evaluation.squad_data import read_squad
from tests.training.world import facts
from training.calibration.calibrate import answer_all, calibrate, cross_validated, figures, fit, fit_alone
from training.calibration.early_stop import changes_allowed, stop_from
from training.calibration.ranking_features import Features, gather
from training.calibration.ranking_levels import FITTED
from training.calibration.single_passages import single_passages

TRUE = Calibration(
    span=1.0, null=-0.5, window=0.0, retriever=1.5, rank=-0.5, no_answer=1.0, agreement=1.0, temperature=1.25
)


def drawn(questions: int, seed: int = 0, weights: Calibration = TRUE, passages: int = 4) -> Features:
    """Questions with passages of three spans each, their right answer drawn by the ranking's formula."""
    draw = np.random.default_rng(seed)
    spans, answers = [], []
    for question in range(questions):
        z = np.sort(draw.normal(size=passages))[::-1]
        mine, places = [], []
        for passage in range(passages):
            null, window = draw.normal(0, 2, size=2)
            for start in range(3):
                values = (draw.normal(0, 2), null, window, z[passage], np.log1p(passage))
                text = f"answer{draw.integers(0, 8)}"
                logit = sum(getattr(weights, name) * value for name, value in zip(FITTED, values, strict=False))
                mine.append((question, text, (question, passage, start), values))
                places.append(AnswerSpan(passage, start, start + 1, text, (passage, start), float(logit)))
        ranking = rank_answers(places, weights)
        texts = [answer.places[0].text for answer in ranking.answers] + ["none of these"]
        chances = np.array([answer.probability for answer in ranking.answers] + [ranking.no_answer])
        answers.append([texts[draw.choice(len(texts), p=chances / chances.sum())]])
        spans += mine
    return gather(spans, answers, [f"article {question % 20}" for question in range(questions)])


@pytest.fixture(scope="module")
def features() -> Features:
    return drawn(2000)


def test_fitting_finds_the_weights_that_made_the_data(features: Features) -> None:
    found = fit(features)
    for name in (*FITTED, "temperature"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), abs=0.2), name
    assert found.span == 1.0 and found.agreement >= 0.5


def test_fitted_probabilities_are_as_often_right_as_they_say(features: Features) -> None:
    told = figures(cross_validated(features, agreement=1.0))
    assert told["expected_calibration_error"] < 0.03
    assert told["exact"] > figures(answer_all(features, SPAN_ALONE))["exact"] + 5


def test_training_and_serving_rank_alike() -> None:
    features = drawn(30, seed=1)
    weights = Calibration(
        null=-0.3, window=0.2, retriever=0.7, rank=-0.1, no_answer=0.4, agreement=0.25, temperature=1.7
    )
    outcome = answer_all(features, weights)
    for question in range(len(features)):
        places = []
        for span, region in enumerate(features.region):
            answer = features.answer[region]
            if features.question[answer] == question:
                logit = sum(getattr(weights, n) * v for n, v in zip(FITTED, features.values[span], strict=False))
                places.append(AnswerSpan(0, 0, 1, str(answer), int(region), float(logit)))
        served = rank_answers(places, weights)
        assert outcome.probability[question] == pytest.approx(served.answers[0].probability)
        assert outcome.no_answer[question] == pytest.approx(served.no_answer)
        assert outcome.right[question] == features.right[int(served.answers[0].places[0].text)]


def test_a_part_of_the_questions_keeps_its_spans(features: Features) -> None:
    chosen = np.arange(len(features)) % 3 == 0
    whole, part = answer_all(features, TRUE), answer_all(features.of(chosen), TRUE)
    assert part.probability == pytest.approx(whole.probability[chosen])
    assert (part.right == whole.right[chosen]).all()


def test_cross_validation_never_sees_the_article_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import training.calibration.calibrate as module

    seen: list[tuple[set, set]] = []
    small, true_fit, true_answer = drawn(200), module.fit, module.answer_all
    monkeypatch.setattr(module, "fit", lambda f, **o: seen.append((set(f.group.tolist()), set())) or true_fit(f, **o))
    monkeypatch.setattr(module, "answer_all", lambda f, w: seen[-1][1].update(f.group.tolist()) or true_answer(f, w))
    monkeypatch.setattr(module, "_threshold", lambda f, w: 0.0)
    module.cross_validated(small, folds=4)
    assert len(seen) == 4 and set().union(*(held for _, held in seen)) == set(range(20))
    assert all(not fitted & held for fitted, held in seen)


def test_features_are_kept_in_a_file(tmp_path: Path) -> None:
    features = drawn(20)
    features.save(tmp_path / "features.npz")
    kept = Features.load(tmp_path / "features.npz")
    assert answer_all(kept, TRUE).probability.tolist() == answer_all(features, TRUE).probability.tolist()
    assert len(kept) == 20 and (kept.answerable == features.answerable).all()


def test_questions_without_any_right_answer_cannot_be_fitted() -> None:
    features = gather([(0, "a", 0, (1.0, 0.0, 0.0, 0.0, 0.0))], [["b"]], ["x"])
    with pytest.raises(ValueError, match="None of the 1 questions has a right answer"):
        fit(features)


def test_scores_that_fall_with_being_right_are_refused() -> None:
    spans = [
        (q, f"{kind}", (q, kind), (value, 0.0, 0.0, 0.0, 0.0))
        for q in range(50)
        for kind, value in (("r", 1.0), ("w", 3.0))
    ]
    with pytest.raises(ValueError, match="do not rise with being right"):
        fit(gather(spans, [["r"]] * 50, ["x"] * 50), agreement=1.0)


def test_a_question_without_spans_is_unanswered() -> None:
    features = gather([(0, "a", 0, (1.0, 0.0, 0.0, 0.0, 0.0))], [["a"], ["b"]], ["x", "y"])
    outcome = answer_all(features, TRUE)
    assert outcome.no_answer[1] == 1.0 and outcome.probability[1] == 0.0 and not outcome.right[1]


def test_word_overlap_is_squad_s() -> None:
    spans = [
        (0, text, text, (1.0, 0.0, 0.0, 0.0, 0.0)) for text in ("gustave eiffel", "eiffel", "paris", "eiffel eiffel")
    ]
    features = gather(spans, [["Gustave Eiffel", "the engineer Eiffel"]], ["x"])
    assert features.right.tolist() == [True, False, False, False]
    assert features.f1 == pytest.approx([1.0, 2 / 3, 0.0, 0.5])


def test_calibration_error_by_hand() -> None:
    probability = np.array([0.95, 0.95, 0.15, 0.15, 1.0])
    right = np.array([True, False, False, False, True])
    # bins: .9 to 1 holds .95, .95, 1 (mean .9667, 2 of 3 right); .1 to .2 holds .15, .15 (none right)
    assert expected_calibration_error(probability, right) == pytest.approx(0.6 * (2.9 / 3 - 2 / 3) + 0.4 * 0.15)
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0.0


def test_coverage_by_hand() -> None:
    probability = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, True, True, False, False])
    assert coverage_at(0.75, probability, right) == (0.8, 0.6)
    assert coverage_at(1.0, probability, right) == (0.6, 0.7)
    assert coverage_at(0.5, probability, ~right) == (0.0, 1.0)
    assert risk_coverage_area(probability, right) == pytest.approx((0 + 0 + 0 + 1 / 4 + 2 / 5) / 5)


def one_passage_each(questions: int, seed: int = 0) -> Features:
    """What `drawn` makes, of one passage a question."""
    alone = Calibration(null=-0.8, window=0.1, retriever=0.0, rank=0.0, no_answer=0.5, agreement=0.0, temperature=0.7)
    features = drawn(questions, seed, alone, passages=1)
    features.values[:, 3] = 0.0
    return features


def test_weights_of_a_passage_alone_know_nothing_of_a_retriever() -> None:
    found = fit_alone(one_passage_each(2000))
    assert (found.retriever, found.rank, found.stop_safe) == (0.0, 0.0, NEVER)
    assert (found.null, found.no_answer) == (pytest.approx(-0.8, abs=0.3), pytest.approx(0.5, abs=0.3))


def test_they_are_written_beside_the_others(tmp_path: Path) -> None:
    weights, _ = calibrate(tmp_path, drawn(200), one_passage_each(200))
    kept = Calibration.load(tmp_path)
    assert kept is not None and kept.alone is not None and weights.alone is not None
    assert kept.of(1).numbers() == pytest.approx(weights.alone.numbers(), abs=1e-6)
    assert kept.of(2) is kept and kept.of(0) is kept
    assert json.loads((tmp_path / "calibration.json").read_text())["held_out_alone"]["questions"] == 200


def test_half_of_the_single_passages_hold_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(facts(3, 4)))
    data = read_squad([file])
    texts = [paragraph.text for paragraph in data.paragraphs]
    found = [[Document(content=text) for text in texts]] * len(data.questions)
    examples = single_passages(data, found, seed=0)
    answerable = [example for example in examples if example.answers]
    assert len(answerable) == len(data.questions) == len(examples) / 2
    for example in answerable:
        assert example.answers[0] in (example.documents[0].content or "")
    for own, other in zip(examples[::2], examples[1::2], strict=True):
        assert not other.answers and (own.question, own.documents[0].content) != (
            other.question,
            other.documents[0].content,
        )
        if other.question == own.question:
            assert own.answers[0] not in (other.documents[0].content or "")


def test_calibrating_writes_weights_and_held_out_figures(tmp_path: Path) -> None:
    features = drawn(200)
    weights, outcome = calibrate(tmp_path, features, questions="200 drawn", seed=0)
    kept = Calibration.load(tmp_path)
    assert kept is not None and kept.numbers() == pytest.approx(weights.numbers(), abs=1e-6)
    written = json.loads((tmp_path / "calibration.json").read_text())
    assert written["questions"] == "200 drawn" and written["seed"] == 0
    assert next(iter(written["held_out"])) == "span logit alone" and len(written["held_out"]) == 5
    for row in written["held_out"].values():
        assert {"exact", "f1", "expected_calibration_error", "coverage_at_80_accuracy"} <= set(row)
    assert figures(outcome) == written["held_out"]["and agreement"]


def best_answers(features: Features, weights: Calibration, passages: int) -> list[tuple[str, float]]:
    """The best answer and the best logit of each question over its first passages, by the ranking that serves."""
    places: list[list[AnswerSpan]] = [[] for _ in range(len(features))]
    for values, region in zip(features.values, features.region, strict=True):
        if round(np.expm1(values[4])) < passages:
            answer = features.answer[region]
            logit = sum(getattr(weights, n) * v for n, v in zip(FITTED, values, strict=False))
            places[features.question[answer]].append(AnswerSpan(0, 0, 1, str(answer), int(region), float(logit)))
    return [(rank_answers(mine, weights).answers[0].places[0].text, max(p.logit for p in mine)) for mine in places]


def test_stopping_early_changes_as_few_answers_as_promised() -> None:
    features = drawn(1600, seed=5, weights=Calibration(span=2.0, null=0.0, retriever=1.5, rank=-1.0), passages=7)
    weights = fit(features, agreement=1.0)
    first, whole = best_answers(features, weights, FIRST_PASSAGES), best_answers(features, weights, 7)
    changed = {}
    for stop, allowed in ((weights.stop_safe, 1 / 500), (weights.stop_aggressive, 1 / 50)):
        stopped = [early for early in zip(first, whole, strict=True) if early[0][1] >= stop]
        changed[allowed] = sum(early[0] != late[0] for early, late in stopped)
        assert 100 < len(stopped) < 1600 and changed[allowed] <= allowed * 1600
    assert changed[1 / 50] > 0, "aggressive is not merely safe"
    assert weights.stop_aggressive < weights.stop_safe < NEVER


def test_too_few_questions_promise_nothing() -> None:
    features = drawn(100, seed=5, weights=Calibration(span=2.0, null=0.0), passages=7)
    assert fit(features, agreement=1.0).stop_safe == NEVER


def scored(questions: int, seed: int) -> Features:
    """
    Two spans a question, in the first passage and in one after the first few, their scores as simulated: the later one
    is the better one the more rarely, the higher the first one's score.
    """
    draw = np.random.default_rng(seed)
    values = np.zeros((questions, 2, 5))
    values[:, 0, 0] = draw.normal(6, 3, size=questions)
    values[:, 1, 0] = draw.normal(1, 3, size=questions)
    values[:, 1, 4] = np.log1p(FIRST_PASSAGES)
    each = np.arange(2 * questions)
    right = np.zeros(2 * questions, dtype=bool)
    return Features(values.reshape(-1, 5), each, each, each // 2, right, right * 1.0, np.zeros(questions, dtype=int))


def test_the_promise_holds_on_questions_that_were_not_seen() -> None:
    plain = Calibration(null=0.0, retriever=0.0, temperature=1.0)
    unseen = scored(200_000, seed=99).values.reshape(-1, 2, 5)[:, :, 0]
    broken = stopped = 0.0
    for seed in range(60):
        stop = stop_from(scored(5000, seed), plain, 1 / 500)
        early = unseen[:, 0] >= stop
        stopped += float(early.mean()) / 60
        broken += float((early & (unseen[:, 1] > unseen[:, 0])).mean()) > 1 / 500
    assert stopped > 0.2, "it does stop"
    assert broken <= 0.05 * 60 + 3, "the promise is one of 95 %"


def test_how_many_questions_a_promise_needs() -> None:
    plain = Calibration(null=0.0, retriever=0.0, temperature=1.0)
    assert stop_from(scored(1497, seed=3), plain, 1 / 500) == NEVER
    assert stop_from(scored(1498, seed=3), plain, 1 / 500) < NEVER


def test_changes_allowed_are_poisson_s() -> None:
    # Upper limits at 95 % of the mean of a Poisson count of 0, 1, 2, 4, 10 (Garwood's table).
    for count, limit in ((0, 2.996), (1, 4.744), (2, 6.296), (4, 9.154), (10, 16.962)):
        assert (changes_allowed(limit - 0.01), changes_allowed(limit + 0.01)) == (count - 1, count)
    assert changes_allowed(0.0) == -1 and 1900 < changes_allowed(2000.0) < 1930


def test_a_passage_alone_is_refused_by_the_probability_of_no_answer() -> None:
    """The threshold is where the mean F1 is best, as SQuAD 2.0 counts it: found by trying them all."""
    features = one_passage_each(400, seed=3)
    found = fit_alone(features)
    outcome = answer_all(features, found)
    given = np.array([features.f1[features.question == number].max(initial=0.0) > 0 for number in range(400)])

    def mean_f1(threshold: float) -> float:
        return float(np.where(outcome.no_answer > threshold, ~given, np.where(given, outcome.f1, 0.0)).mean())

    best = max(mean_f1(threshold) for threshold in outcome.no_answer)
    assert found.threshold == 0.0 and 0 < found.no_answer_threshold < 1
    assert mean_f1(found.no_answer_threshold) == pytest.approx(best)
