"""Checkpoints and figures on disk: what a kill or a damaged disk leaves is found and gone on with."""

import pytest
import torch

from training.run.checkpoints import Checkpoint, load_newest, save_checkpoint
from training.run.metrics import Metrics, read_rows


def checkpoint(value):
    return Checkpoint({"model": {"w": torch.full((3,), float(value))}}, {"position": {"step": value}})


def test_the_newest_whole_checkpoint_is_found(tmp_path):
    assert load_newest(tmp_path) is None
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, checkpoint(step))
    assert sorted(place.name for place in tmp_path.iterdir()) == ["step-000000002", "step-000000003"]
    (tmp_path / "unfinished-1").mkdir()
    assert load_newest(tmp_path).state["position"]["step"] == 3
    damaged = tmp_path / "step-000000003" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x01")
    assert load_newest(tmp_path).tensors["model"]["w"].tolist() == [2.0] * 3
    (tmp_path / "step-000000002" / "state.json").write_text("{")
    with pytest.raises(ValueError, match=r"none of the 2 checkpoint\(s\).*is whole"):
        load_newest(tmp_path)


def test_metrics_drop_what_a_resumed_run_writes_again(tmp_path):
    metrics = Metrics(tmp_path, "metrics", 0)
    for step in (1, 2, 3):
        metrics.add({"step": step, "loss": step / 3})
    with metrics.path.open("a") as file:
        file.write("4")  # torn by a kill
    resumed = Metrics(tmp_path, "metrics", 2)
    resumed.add({"step": 3, "loss": 0.5})
    assert [row["step"] for row in read_rows(resumed.path)] == ["1", "2", "3"]
    assert read_rows(resumed.path)[-1]["loss"] == "0.5"
