"""The finished model's folder, and what its card knows."""

import json

import pytest

from tests.training.world import write_model
from training.card import held_out_articles
from training.model_folder import write_model_folder
from training.span_model import load_span_model


def test_weights_too_large_for_fp16_are_named(tmp_path):
    model = load_span_model(write_model(tmp_path / "tiny"), 0)
    model.qa_outputs.weight.data.fill_(1e6)
    with pytest.raises(ValueError, match=r"qa_outputs\.weight holds NaN, or values too large"):
        write_model_folder(tmp_path / "out", model, tmp_path / "tiny", {})
    assert not (tmp_path / "out").exists()


def test_the_articles_a_model_was_not_trained_on(tmp_path):
    assert held_out_articles(tmp_path) == set()
    runs = [{"data": {"held_out_articles": ["A", "B"]}}, {"data": {"held_out_articles": ["B", "C"]}}]
    (tmp_path / "training.json").write_text(json.dumps({"runs": runs}))
    assert held_out_articles(tmp_path) == {"B"}, "an average has seen what any of its runs has"
