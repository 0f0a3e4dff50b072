"""The training run: it learns, survives `kill -9` to the bit, and refuses to do nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForQuestionAnswering

import training.run.finetune as loop
import training.run.learner as learner
from tests.training.world import facts, settings_for, write_model
from training.run.finetune import finetune
from training.run.learner import Learner
from training.run.metrics import read_rows
from training.run.objectives import SpanObjective
from training.run.position import restore
from training.run.settings import settings_from
from training.run.step_log import TrainingError

ROOT = Path(loop.__file__).parents[2]
MIXED = {
    "mixture": {"passages": 2, "mined": 0.2, "made": 0.3},
    "shared_softmax_weight": 0.5,
    "average": "ema",
    "average_decay": 0.9,
    "layer_decay": 0.8,
    "gradient_accumulation_steps": 2,
    "batch_tokens": 512,
    "occurrences": "all",
}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def newest(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    place = sorted((run / "checkpoints").glob("step-*"))[-1]
    return {file.stem: load_file(file) for file in place.glob("*.safetensors")}


def assert_equal_bits(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_a_run_learns_and_leaves_a_whole_model_folder(tmp_path):
    values = settings_for(tmp_path, epochs=4, evaluate_every=2.0, lr_scheduler_type="cosine", average="swa")
    folder = finetune(settings_from(values))
    losses = [float(row["loss"]) for row in read_rows(tmp_path / "run" / "metrics.csv")]
    assert losses[-1] < 0.7 * losses[0]
    looks = read_rows(tmp_path / "run" / "evaluations.csv")
    assert len(looks) == 2 and float(looks[-1]["f1"]) > 20
    assert (tmp_path / "run" / "metrics.png").stat().st_size > 1000
    names = {file.name for file in folder.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    assert all(weight.dtype == torch.float16 for weight in weights(tmp_path / "run").values())
    made = json.loads((folder / "training.json").read_text())
    assert made["settings"]["seed"] == 0 and len(made["data"]["digest"]) == 64
    assert str(tmp_path) not in "".join(
        (folder / name).read_text() for name in ("README.md", "config.json", "training.json")
    )
    AutoModelForQuestionAnswering.from_pretrained(folder)
    # The finished run is not run again.
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert finetune(settings_from(values)) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_kill_9_and_resume_gives_equal_bits(tmp_path):
    whole = settings_from(settings_for(tmp_path, **MIXED, epochs=1))
    finetune(whole)
    killed = settings_from(
        {**settings_for(tmp_path, **MIXED, epochs=1), "out": str(tmp_path / "killed"), "checkpoint_minutes": 1e-6}
    )
    script = (
        "from training.run.finetune import finetune; from training.run.settings import settings_from; "
        f"finetune(settings_from({killed.to_dict()!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.DEVNULL)
    checkpoints = tmp_path / "killed" / "checkpoints"
    until = time.monotonic() + 60
    while not list(checkpoints.glob("step-00000000[3-9]")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model").exists()

    with mock.patch("training.run.finetune.restore", wraps=restore) as restored:
        assert finetune(killed) is not None
    assert restored.call_count == 1, "begun anew, which gives the same weights too"
    assert_equal_bits(weights(tmp_path / "run"), weights(tmp_path / "killed"))
    for name, tensors in newest(tmp_path / "run").items():
        assert_equal_bits(tensors, newest(tmp_path / "killed")[name])
    steps = [row["step"] for row in read_rows(tmp_path / "killed" / "metrics.csv")]
    assert steps == sorted(set(steps), key=int)


def test_a_stopped_run_says_so_and_goes_on(tmp_path, capsys):
    values = settings_for(tmp_path, evaluate_every=9.0)
    assert finetune(settings_from({**values, "stop_after_minutes": 1e-9})) is None
    assert "run the same again to go on" in capsys.readouterr().err
    assert finetune(settings_from(values)) is not None


def test_a_run_with_other_settings_or_data_is_not_gone_on_with(tmp_path):
    values = settings_for(tmp_path)
    finetune(settings_from({**values, "stop_after_minutes": 1e-9}))
    with pytest.raises(ValueError, match=r"other settings \(seed: 0 in the run, 1 now\).*--fresh"):
        finetune(settings_from({**values, "seed": 1}))
    Path(values["data"][0]).write_text(json.dumps(facts(6, 20, seed=5)))
    with pytest.raises(ValueError, match="data files have changed"):
        finetune(settings_from(values))
    assert finetune(settings_from(values), fresh=True) is not None


def test_a_folder_that_is_no_run_is_not_removed(tmp_path):
    values = settings_for(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="no training run"):
        finetune(settings_from(values), fresh=True)
    assert (tmp_path / "run" / "thesis.txt").exists()


def test_early_stop(tmp_path):
    values = settings_for(tmp_path, epochs=50, learning_rate=1e-9, evaluate_every=0.5, early_stopping_patience=2)
    finetune(settings_from(values))
    assert len(read_rows(tmp_path / "run" / "evaluations.csv")) == 3


def test_accumulated_batches_are_one_large_batch(tmp_path):
    """The gradient of a step does not depend on how it was cut into batches."""
    values = settings_for(tmp_path, **{**MIXED, "gradient_accumulation_steps": 1}, dropout=0.0)
    gradients = []
    for tokens, accumulate in ((100_000, 1), (1024, 100)):
        settings = settings_from(
            {**values, "batch_tokens": tokens, "gradient_accumulation_steps": accumulate, "weight_decay": 0.0}
        )
        data = loop.RunData.load(settings)
        step = next(iter(loop.prefetch(list(data.plan(0).steps(accumulate)), data.corpus.batch)))
        taught = Learner.build(settings, loop.Devices("cpu"), data)
        taught.learn(step, loop.Position(), 10**9, loop.StepLog())
        gradients.append({name: weight.grad for name, weight in taught.model.named_parameters()})
        assert len(step.batches) == 1 or accumulate > 1
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-3, atol=1e-6)


class Broken:
    """An objective that goes wrong in one way."""

    extra = None

    def __init__(self, how, after=0):
        self.how, self.after, self.calls, self.labels = how, after, 0, SpanObjective(0.0)

    def __call__(self, model, batch):
        self.calls += 1
        loss = self.labels(model, batch)["loss"]
        factor = {"nan": float("nan"), "nothing": 0.0}[self.how] if self.calls > self.after else 1.0
        return {"loss": loss * factor}


def test_a_nan_is_an_error_and_reaches_no_checkpoint(tmp_path):
    settings = settings_from(settings_for(tmp_path, checkpoint_minutes=1e-6, logging_steps=1000))
    with pytest.raises(TrainingError, match=r"is nan after step 5.*Lower the learning rate"):
        finetune(settings, lambda *_: Broken("nan", after=4))
    for tensor in newest(tmp_path / "run")["model"].values():
        assert torch.isfinite(tensor).all()


def test_a_first_step_without_gradient_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="first step's gradient is 0 for all"):
        finetune(settings_from(settings_for(tmp_path)), lambda *_: Broken("nothing"))


def test_no_trainable_weight_is_an_error(tmp_path, monkeypatch):
    made = learner.model_to_train
    monkeypatch.setattr(learner, "model_to_train", lambda *given: made(*given).requires_grad_(False))
    with pytest.raises(ValueError, match="has no trainable weight"):
        finetune(settings_from(settings_for(tmp_path)))


def test_data_without_answers_is_an_error(tmp_path):
    content = facts(3, 5)
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                qa |= {"answers": [], "is_impossible": True}
    values = settings_for(tmp_path)
    Path(values["data"][0]).write_text(json.dumps(content))
    with pytest.raises(ValueError, match="all labels would be at the first token"):
        finetune(settings_from(values))


def test_answers_that_fit_no_window_are_an_error(tmp_path):
    from training.run.step_log import check_answers_seen

    with pytest.raises(TrainingError, match="all labels are at the first token: none of 70 windows"):
        check_answers_seen(0, 70)


def test_an_encoder_that_is_another_model_is_refused(tmp_path):
    folder = write_model(tmp_path / "tiny")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ValueError, match=r"lacks \d+ weight\(s\).*layer\.2"):
        finetune(settings_from(settings_for(tmp_path, model=str(folder))))


def test_runs_with_nothing_to_do_or_to_judge_by_are_refused(tmp_path):
    with pytest.raises(ValueError, match="less than one of"):
        finetune(settings_from(settings_for(tmp_path, epochs=1e-4)))
    with pytest.raises(ValueError, match="give no question to judge by"):
        finetune(settings_from(settings_for(tmp_path, held_out_questions=0, out=str(tmp_path / "unjudged"))))
