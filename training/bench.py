"""How fast does training run here? The loop's step alone, with burn-in and synchronised clock:

python -m training.bench --model models/minilm-squad --data train-v1.1.json.gz --seconds 20
"""

import argparse
import itertools
import time
from collections.abc import Iterator

import torch

from training.data.prefetch import Step, prefetch
from training.data.run_data import RunData
from training.run.devices import Devices, Precision, keep_freed_memory
from training.run.learner import Learner
from training.run.position import Position
from training.run.settings import settings_from
from training.run.step_log import StepLog

BURN_IN = 3  # steps


def measure(data: RunData, precision: Precision, seconds: float) -> dict[str, float]:
    """Tokens (without padding), questions and steps a second of the training step, in one precision."""
    settings, devices = data.settings, Devices(data.settings.device)
    learner, at, log = Learner.build(settings, devices, data), Position(), StepLog()
    devices.use(precision)
    learner.prepare()
    steps: Iterator[Step] = prefetch(list(data.plan(0).steps(settings.gradient_accumulation_steps)), data.corpus.batch)
    tokens = questions = counted = 0
    began = time.monotonic()
    for number in itertools.count():
        step = next(steps)
        learner.learn(step, at, 10**9, log)
        if number < BURN_IN:
            if devices.device.type == "cuda":
                torch.cuda.synchronize()
            began = time.monotonic()
            continue
        tokens += sum(int(windows.real.sum()) for windows, _ in step.batches)
        questions, counted = questions + step.questions, counted + 1
        if time.monotonic() - began > seconds:
            break
    if devices.device.type == "cuda":
        torch.cuda.synchronize()
    spent = time.monotonic() - began
    return {"tokens_per_s": tokens / spent, "questions_per_s": questions / spent, "steps_per_s": counted / spent}


def main() -> None:
    """Print a line for each precision, and what an epoch would take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="models/minilm-squad")
    parser.add_argument("--data", required=True, nargs="+")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--batch-tokens", type=int, default=8192)
    parser.add_argument("--passages", type=int, default=1)
    parser.add_argument("--limit", type=int, default=8000, help="questions to take the batches from")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--hand-back-memory", action="store_true", help="let glibc give freed memory back, as it does")
    given = parser.parse_args()
    if not given.hand_back_memory:
        keep_freed_memory()
    settings = settings_from(
        {
            "model": given.model,
            "data": given.data,
            "out": "runs/bench",
            "batch_tokens": given.batch_tokens,
            "limit": given.limit,
            "held_out": 0,
            "dropout": given.dropout,
            "torch_compile": given.compile,
            "mixture": {"passages": given.passages, "mined": 0.0 if given.passages == 1 else 0.25, "made": 0.0},
        }
    )
    data = RunData.load(settings)
    plan = data.plan(0)
    print(
        f"{plan.tokens / len(plan.windows):.0f} tokens a window, {plan.tokens / plan.questions:.0f} tokens a question"
    )
    for precision in given.precision:
        figures = measure(data, precision, given.seconds)
        told = ", ".join(f"{name} {value:,.1f}" for name, value in figures.items())
        hours = plan.tokens / plan.questions * 85_000 / figures["tokens_per_s"] / 3600
        print(
            f"{precision} {settings.device}, {torch.get_num_threads()} threads: {told}; 85,000: {hours:.2f} h",
            flush=True,
        )


if __name__ == "__main__":
    main()
