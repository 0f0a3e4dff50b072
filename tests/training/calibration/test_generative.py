"""A reader that writes is calibrated as the reader of spans is: its folder gets weights, and it uses them."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from haystack import Document

from components.generation.generative_reader import UNCALIBRATED
from components.generative_reader import GenerativeReader
from components.models import is_seq2seq
from components.reader.calibration import Calibration
from tests.components.generation.conftest import known, tiny_t5  # noqa: F401 - fixtures
from tests.components.generation.tiny_t5 import Lessons
from training.calibration.calibrate import calibrate
from training.calibration.ranking_features import Example, collect_from
from training.calibration.run_calibration import run_calibration


@pytest.fixture
def model(tiny_t5: Path, tmp_path: Path) -> Path:  # noqa: F811
    return Path(shutil.copytree(tiny_t5, tmp_path / "model"))


def test_features_are_what_was_written_and_weights_take_effect(model: Path, known: Lessons) -> None:  # noqa: F811
    contexts = list(dict.fromkeys(context for _, context, _ in known.answered))
    documents = [Document(content=context, score=1.0 - number / 10) for number, context in enumerate(contexts)]
    examples = [
        Example(
            question, sorted(documents, key=lambda one: one.content != context), [answer] if answer else [], context
        )
        for question, context, answer in known.answered
    ]
    reader = GenerativeReader(model=str(model), not_in_text="refuse")
    features = collect_from(
        lambda requests: reader.features([(one.query, one.documents) for one in requests]), examples, at_once=5
    )
    assert len(features) == len(examples) and features.values.shape[1] == 5
    assert (features.values[:, :2] <= 0).all() and not features.values[:, 2].any(), "log-probabilities, and no window"
    answered = sum(bool(answer) for _, _, answer in known.answered)
    assert features.answerable.sum() >= answered - 1, "it knows its lessons by heart"
    # Trained to the end on a dozen lessons it is as sure of what is wrong as of what is right; which of the two it is
    # surer of differs by processor. A model of real size doubts: so what is wrong loses half a nat here.
    wrong = ~features.right[features.answer[features.region]]
    values = features.values.copy()
    values[wrong, 0] -= 0.5
    weights, _ = calibrate(model, replace(features, values=values))
    assert (model / "calibration.json").is_file()
    calibrated = GenerativeReader(model=str(model), not_in_text="refuse")
    calibrated.warm_up()
    assert calibrated._weights.numbers(6) == weights.numbers(6) != UNCALIBRATED.numbers(6)
    asked = [one for one in examples if one.answers]
    best = [calibrated.run(query=one.question, documents=list(one.documents))["answers"][0] for one in asked]
    unsure = [reader.run(query=one.question, documents=list(one.documents))["answers"][0] for one in asked]
    assert sum(one.data == other.answers[0] for one, other in zip(best, asked, strict=True)) >= len(asked) - 1
    assert sum(one.score for one in best) > sum(one.score for one in unsure), "what is always right is surer now"


def test_a_passage_alone_has_weights_of_its_own(model: Path, known: Lessons) -> None:  # noqa: F811
    question, context, _ = next(one for one in known.answered if one[2])
    Calibration(alone=Calibration(no_answer=50.0)).save(model)
    reader = GenerativeReader(model=str(model))
    alone = reader.run(query=question, documents=[Document(content=context)])["answers"][-1]
    two = reader.run(query=question, documents=[Document(content=context), Document(content="the old river .")])
    assert alone.score > 0.99 > two["answers"][-1].score


@pytest.mark.slow
def test_the_whole_run(model: Path, known: Lessons, tmp_path: Path) -> None:  # noqa: F811
    """From SQuAD files to calibration.json; passages are retrieved, and read by writing."""
    assert is_seq2seq(model)
    articles: dict[str, list[dict[str, object]]] = {}
    for number, (question, context, answer) in enumerate(known.answered):
        if answer:
            qa = {"id": str(number), "question": question, "answers": [
                {"text": answer, "answer_start": context.index(answer)}]}  # fmt: skip
            articles.setdefault(context, []).append(qa)
    data = [
        {"title": f"t{n}", "paragraphs": [{"context": c, "qas": qas}]} for n, (c, qas) in enumerate(articles.items())
    ]
    file = tmp_path / "data.json"
    file.write_text(json.dumps({"version": "1.1", "data": data}))

    @contextmanager
    def quiet(*_: object):  # type: ignore[no-untyped-def]
        yield lambda done: None

    outcome = run_calibration(model, [file], quiet, held_out=0, passages=4, cache=tmp_path / "cache")
    assert len(outcome.right) == sum(map(len, articles.values()))
    told = json.loads((model / "calibration.json").read_text())
    assert told["weights"]["window"] == 0 and "weights_alone" in told and (model / "reliability.png").is_file()
