"""The training run, told from top to bottom: data, model, resume, epochs of steps, looks at held-out articles, model.

A killed run resumes to the same weights, bit for bit, because nothing depends on how it came to a step: the windows of
an epoch follow from (seed, epoch), dropout from (seed, step), the rate from the questions done.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import PreTrainedModel

from training.data.prefetch import Step, prefetch
from training.data.run_data import RunData
from training.model_folder import write_model_folder
from training.run.checkpoints import save_checkpoint, save_tensors
from training.run.devices import Devices, Precision, choose_precision, keep_freed_memory
from training.run.metrics import Metrics, plot
from training.run.objectives import Batch, Objective, SpanObjective
from training.run.optimiser import WeightAverage, build_optimiser, set_rate, trainable
from training.run.position import Position, open_run, restore, snapshot
from training.run.run_context import deterministic, stop_requests
from training.run.settings import TrainSettings
from training.run.step_log import StepLog, TrainingError, check_answers_seen
from training.span_model import model_to_train

MakeObjective = Callable[[TrainSettings, PreTrainedModel, RunData, torch.device], Objective]


def finetune(settings: TrainSettings, make_objective: MakeObjective | None = None, fresh: bool = False) -> Path | None:
    """Train, or go on with the run in `settings.out`.

    :param make_objective: what to learn from; the labels alone by default.
    :param fresh: begin anew where the folder holds a run.
    :returns: the finished model's folder, or None when the run was stopped before its end (run again to go on).
    :raises TrainingError: NaN, no gradient, no answer in a whole epoch.
    :raises ValueError: settings that do not fit the data, the model or the run that is in the folder.
    """
    out, devices = Path(settings.out), Devices(settings.device)
    if devices.device.type == "cpu":
        keep_freed_memory()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    with deterministic(settings.deterministic), stop_requests(settings.stop_after_minutes) as stop:
        # 1. A new run, or one to go on with?
        kept = open_run(settings, fresh, devices)
        if kept is not None and kept.state["position"]["finished"] and (out / "model").is_dir():
            return out / "model"

        # 2. Data: read, held out by article, tokenised, wrong passages mined.
        data = RunData.load(settings, say=_say if devices.first else lambda message: None)
        if kept is not None and kept.state["data"] != data.digest:
            raise ValueError(f"the data files have changed since {out} was begun: choose another --out, or --fresh")

        # 3. Model, what it learns from, optimiser, average of the weights.
        maps = settings.distillation is not None and settings.distillation.stage == "intermediate"
        model = model_to_train(settings, devices.device, maps)
        weights = trainable(model)
        objective = (make_objective or _labels)(settings, model, data, devices.device)
        if objective.extra is not None:
            objective.extra.to(devices.device)
        optimiser = build_optimiser(model, settings, objective.extra)
        average = WeightAverage(weights, settings)

        # 4. Where were we?
        at = Position(next_look=settings.evaluate_every)
        if kept is not None:
            at = restore(kept, model, objective, optimiser, average)
        else:
            at.precision = choose_precision(
                settings.precision, devices.device, lambda p: _trial(p, devices, model, objective, data)
            )
        devices.use(at.precision)
        if kept is not None and devices.scaler is not None:
            devices.scaler.load_state_dict(kept.state["scaler"])

        # 5. The epochs.
        called = devices.wrap(model, settings.torch_compile)
        per_epoch = data.plan(0).questions
        whole = round(settings.epochs * per_epoch)
        if whole < 1:
            raise ValueError(
                f"epochs is {settings.epochs}, which is less than one of {per_epoch:,} questions: raise it"
            )
        log, files = StepLog(), _files(out, at.step) if devices.first else None
        saved = time.monotonic()
        bar = _bar(at, whole, devices)

        def save() -> None:
            nonlocal saved
            log.check(at)
            if devices.first:
                began = time.monotonic()
                kept_now = snapshot(at, data.digest, model, objective, optimiser, average, devices)
                save_checkpoint(out / "checkpoints", at.step, kept_now)
                log.leave_out(time.monotonic() - began)
            saved = time.monotonic()

        stopped = devices.any(stop())  # of all processes: one that left alone would leave the others waiting
        while not (at.finished or stopped):
            plan = data.plan(at.epoch)
            if at.step_in_epoch == 0:
                check_answers_seen(data.corpus.held_answers(plan.windows), len(plan.windows))
            steps = list(plan.steps(settings.gradient_accumulation_steps * devices.processes))[at.step_in_epoch :]
            for step in prefetch(steps, data.corpus.batch, devices.rank, devices.processes):
                # 6. One step: the gradients of its batches, then the optimiser.
                norm, rate = _step(step, at, whole, settings, devices, called, model, objective, optimiser, log)
                average.update(at.questions / whole)
                bar.update(step.questions)

                # 7. Report. A NaN is found here, or before a checkpoint is written, never after.
                ended = at.questions >= whole
                if at.step % settings.logging_steps == 0 or ended:
                    row = log.row(at, rate, float(norm))
                    bar.set_postfix_str(f"loss {row['loss']:.3f}, {row['tokens_per_s']:,.0f} tokens/s")
                    if files:
                        files[0].add(row)

                # 8. A look at the held-out articles: keep the best weights, stop when they get no better.
                if data.held_out is not None and (ended or at.questions >= at.next_look * per_epoch):
                    began = time.monotonic()
                    at.next_look += settings.evaluate_every
                    with average.in_place():
                        figures = data.held_out.look(model)
                        _judge(figures["score"], at, model, out, devices)
                    if files:
                        files[1].add({"step": at.step, "epoch": at.questions / per_epoch, **figures})
                        plot(out)
                        told = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
                        bar.write(f"step {at.step}, epoch {at.questions / per_epoch:.2f}: {told}", file=sys.stderr)
                    log.leave_out(time.monotonic() - began)
                    at.finished = ended or 0 < settings.early_stopping_patience <= at.looks_without_gain
                    save()
                at.finished = at.finished or ended
                stopped = devices.any(stop())
                if at.finished or stopped:
                    break
                if devices.any(time.monotonic() - saved > settings.checkpoint_minutes * 60):
                    save()
            else:
                at.epoch, at.step_in_epoch = at.epoch + 1, 0
        bar.close()
        save()
        if not at.finished:
            _say(f"stopped at step {at.step}, {at.questions / whole:.0%} of the run: run the same again to go on")
            devices.close()
            return None

        # 9. The model: the best average seen, or the last one.
        if devices.first:
            with average.in_place():
                if at.best_step >= 0:
                    _load_best(model, out)
                result = {**asdict(at), "held_out": _best_figures(out, at.best_step)}
                command = "distil" if settings.distillation else "train"
                made = {"command": command, "settings": settings.public(), "data": data.summary(), "result": result}
                # What another stage begins with keeps its full precision.
                write_model_folder(out / "model", model, settings.model, made, half=not maps)
            plot(out)
        devices.close()
        return out / "model"


def _step(
    step: Step,
    at: Position,
    whole: int,
    settings: TrainSettings,
    devices: Devices,
    called: torch.nn.Module,
    model: PreTrainedModel,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    log: StepLog,
) -> tuple[torch.Tensor, float]:
    """Learn from one step's batches; the gradient's norm and the rate it was taken with."""
    optimiser.zero_grad(set_to_none=True)
    for number, (windows, share) in enumerate(step.batches):
        torch.manual_seed(hash((settings.seed, at.step, number, devices.rank)) % 2**63)
        with devices.autocast():
            parts = objective(called, Batch.of(windows, devices.device))
        last = number == len(step.batches) - 1
        devices.backward(parts["loss"].sum() * (share / step.questions), called, last)
        if share:
            log.add(parts, windows)
    if devices.scaler is not None:
        devices.scaler.unscale_(optimiser)
    everything = [weight for group in optimiser.param_groups for weight in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(everything, settings.max_grad_norm)
    if at.step == 0 and float(norm) == 0:
        raise TrainingError(
            f"the first step's gradient is 0 for all {len(everything)} trainable weights: nothing would be learned. Is "
            "the head frozen, or do the losses not depend on the model?"
        )
    rate = set_rate(optimiser, (at.questions + step.questions / 2) / whole, settings) * settings.learning_rate
    if devices.scaler is not None:
        devices.scaler.step(optimiser)
        devices.scaler.update()
    else:
        log.add_norm(norm)
        optimiser.step()
    at.step, at.step_in_epoch, at.questions = at.step + 1, at.step_in_epoch + 1, at.questions + step.questions
    return norm, rate


def _labels(settings: TrainSettings, model: PreTrainedModel, data: RunData, device: torch.device) -> Objective:
    return SpanObjective(settings.shared_softmax_weight)


def _trial(precision: Precision, devices: Devices, model: PreTrainedModel, objective: Objective, data: RunData) -> None:
    """A typical batch forward and backward, without a step."""
    windows = data.corpus.batch(next(data.plan(0).steps(1))[0])
    lower = torch.autocast(devices.device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
    with lower:
        loss = objective(model, Batch.of(windows, devices.device))["loss"].mean()
    loss.backward()
    model.zero_grad(set_to_none=True)


def _judge(score: float, at: Position, model: PreTrainedModel, out: Path, devices: Devices) -> None:
    """Keep the weights when they are the best so far."""
    if score > at.best_score:
        at.best_score, at.best_step, at.looks_without_gain = score, at.step, 0
        if devices.first:
            save_tensors(out / "best.safetensors", dict(model.state_dict()))
    else:
        at.looks_without_gain += 1


def _load_best(model: PreTrainedModel, out: Path) -> None:
    from safetensors.torch import load_file

    model.load_state_dict(load_file(out / "best.safetensors"))


def _best_figures(out: Path, step: int) -> dict[str, float]:
    from training.run.metrics import read_rows

    rows = [row for row in read_rows(out / "evaluations.csv") if int(row["step"]) == step]
    return {name: float(value) for name, value in rows[-1].items() if name not in ("step", "epoch")} if rows else {}


def _files(out: Path, step: int) -> tuple[Metrics, Metrics]:
    return Metrics(out, "metrics", step), Metrics(out, "evaluations", step)


def _bar(at: Position, whole: int, devices: Devices) -> Any:
    terminal = sys.stderr.isatty()
    return tqdm(
        total=whole, initial=at.questions, unit=" questions", desc=f"training ({at.precision}, {devices.device.type})",
        disable=not devices.first, mininterval=0.5 if terminal else 30, maxinterval=60, dynamic_ncols=terminal,
    )  # fmt: skip


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
