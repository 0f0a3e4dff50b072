"""Two processes train one model: the weights of one process with the same step."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from tests.training.run.test_finetune import ROOT
from tests.training.world import settings_for
from training.run.finetune import finetune
from training.run.metrics import read_rows
from training.run.settings import settings_from


@pytest.mark.slow
def test_two_processes_are_one(tmp_path):
    pytest.importorskip("accelerate")
    alone = settings_for(tmp_path, epochs=1, dropout=0.0, batch_tokens=512, gradient_accumulation_steps=2, held_out=0)
    finetune(settings_from(alone))
    together = {**alone, "out": str(tmp_path / "together"), "gradient_accumulation_steps": 1}
    (tmp_path / "run.py").write_text(
        "from training.run.finetune import finetune\nfrom training.run.settings import settings_from\n"
        f"finetune(settings_from({together!r}))\n"
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    launch.append(str(tmp_path / "run.py"))
    done = subprocess.run(
        launch, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    steps = [read_rows(tmp_path / run / "metrics.csv")[-1]["step"] for run in ("run", "together")]
    assert steps[0] == steps[1], "each process trained by itself"
    first, second = (load_file(tmp_path / run / "model" / "model.safetensors") for run in ("run", "together"))
    for name, weight in first.items():
        if name.endswith("key.bias"):
            continue  # has no gradient but rounding (a softmax ignores it), which Adam then scales up
        torch.testing.assert_close(weight.float(), second[name].float(), rtol=1e-2, atol=2e-3)
