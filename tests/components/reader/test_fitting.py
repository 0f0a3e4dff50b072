"""What a calibration is fitted on is what the reader ranks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from haystack import Document

from components.reader import ExtractiveReader
from components.reader.calibration import Calibration
from training.calibration.calibrate import answer_all
from training.calibration.ranking_features import Example, collect


def test_features_of_a_reader_rank_as_the_reader_does(reader_of: Callable[[str], Path]) -> None:
    weights = {"null": -0.4, "window": 0.1, "retriever": 0.9, "rank": -0.2, "no_answer": 0.5, "temperature": 3.0}
    reader = ExtractiveReader(
        str(reader_of("bert")),
        device="cpu",
        engine="torch",
        precision="fp32",
        max_seq_length=64,
        stride=8,
        answers_per_seq=2,
        calibration=weights,
    )
    texts = ["The tower was built by Gustave Eiffel.", "It is in Paris. " * 20, "Cats sleep all day."]
    found = [Document(content=text, score=float(-number)) for number, text in enumerate(texts)]
    examples = [
        Example("Who built it?", found, ["Gustave Eiffel"], "tower"),
        Example("Where is it?", [*found[1:], Document(content=None, score=9.0)], ["Paris"], "tower"),
        Example("Who sleeps?", found[::-1], ["cats"], "cats"),
        Example("Who sleeps?", [], ["cats"], "dogs"),
    ]
    reader.warm_up()
    features = collect(reader.span_reader, examples, reader.read_settings, at_once=3)
    served = reader.read([(example.question, example.documents) for example in examples])
    ours = answer_all(features, Calibration(**weights))
    assert [answers[-1].score for answers in served] == pytest.approx(ours.no_answer.tolist())
    assert [answers[0].score for answers in served[:3]] == pytest.approx(ours.probability[:3].tolist())
