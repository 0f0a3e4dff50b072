"""The mean of models that share a beginning; what shares none is refused."""

import json

import pytest
import torch

from tests.training.world import write_model
from training.average import average
from training.distillation.teacher import same_tokenizer
from training.span_model import load_span_model


def test_weights_are_the_mean_of_all(tmp_path):
    folders = []
    for number in range(3):
        folder = write_model(tmp_path / f"model{number}")
        model = load_span_model(folder, 0)
        with torch.no_grad():
            for weight in model.parameters():
                weight.fill_(float(number * number))
        model.save_pretrained(folder)
        folders.append(folder)
    out = average(folders, tmp_path / "mean")
    for name, weight in load_span_model(out, 0).state_dict().items():
        if weight.is_floating_point() and "position_ids" not in name:
            assert torch.allclose(weight, torch.full_like(weight, 5 / 3), atol=1e-2), name
    same_tokenizer(str(folders[0]), str(out))
    made = json.loads((out / "training.json").read_text())
    assert [run["name"].rpartition("/")[2] for run in made["runs"]] == ["model0", "model1", "model2"]
    assert len({run["digest"] for run in made["runs"]}) == 3
    assert "model2" in (out / "README.md").read_text()


def test_models_of_other_shapes_are_refused(tmp_path):
    small, large = write_model(tmp_path / "small"), write_model(tmp_path / "large", layers=3)
    with pytest.raises(ValueError, match="is no sibling of"):
        average([small, large], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_one_model_and_a_taken_folder_are_refused(tmp_path):
    model = write_model(tmp_path / "model")
    with pytest.raises(ValueError, match="two models or more"):
        average([model], tmp_path / "mean")
    with pytest.raises(ValueError, match="exists already"):
        average([model, model], model)
