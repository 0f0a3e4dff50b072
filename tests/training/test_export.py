"""Exported readers give the answers of the original; one that does not is an error."""

import json

import pytest
import torch

import training.export
from evaluation.squad_data import read_squad
from tests.training.world import facts, write_model
from training.export import ExportError, compare, export


@pytest.fixture
def world(tmp_path):
    (tmp_path / "facts.json").write_text(json.dumps(facts(3, 10)))
    return write_model(tmp_path / "tiny", layers=1), read_squad([tmp_path / "facts.json"])


def test_openvino_and_onnx_give_equal_answers(world, tmp_path):
    model, data = world
    found = export(model, tmp_path / "out", data, ["openvino-fp32", "onnx"], windows=20)
    assert [agreement.same_answer for agreement in found] == [1.0, 1.0]
    assert all(agreement.largest_gap < 1e-4 for agreement in found)
    assert (tmp_path / "out" / "openvino-fp32" / "model.xml").is_file()
    assert (tmp_path / "out" / "onnx" / "model.onnx").is_file()
    assert len(json.loads((tmp_path / "out" / "agreement.json").read_text())) == 2


def test_other_answers_are_an_error(world, tmp_path, monkeypatch):
    model, data = world

    def shuffled(model, place, types, calibration):
        def run(inputs):
            logits = torch.randn(inputs["input_ids"].shape).numpy()
            return logits, logits

        return run

    monkeypatch.setattr(training.export, "_openvino", shuffled)
    with pytest.raises(ExportError, match=r"openvino-int8 gives the original's best span in .*% of 20 windows, less"):
        export(model, tmp_path / "out", data, ["openvino-int8"], windows=20)
    assert not (tmp_path / "out" / "agreement.json").exists()


def test_compare_counts_spans_and_gaps(world):
    model, data = world
    windows = training.export._windows(data, model, 64, 10, 0)
    start, end = torch.randn(windows.batch.total), torch.randn(windows.batch.total)
    same = compare("x", (start, end), (start + 1, end + 1), windows)
    assert same.same_answer == 1.0 and same.mean_gap == pytest.approx(1.0, abs=1e-5)
    assert compare("x", (start, end), (-start, -end), windows).same_answer < 0.5


def test_unknown_forms_are_named(world, tmp_path):
    with pytest.raises(ValueError, match="'tflite': choose from openvino-fp32"):
        export(world[0], tmp_path / "out", world[1], ["tflite"])
