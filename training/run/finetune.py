"""The training run, told from top to bottom: data, model, resume, epochs of steps, looks at held-out articles, model.

A killed run resumes to the same weights, bit for bit, because nothing depends on how it came to a step: the windows of
an epoch follow from (seed, epoch), dropout from (seed, step), the rate from the questions done.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from training.data.prefetch import prefetch
from training.data.run_data import RunData
from training.model_folder import write_model_folder
from training.run.checkpoints import Checkpoint, save_checkpoint, save_tensors
from training.run.devices import Devices, choose_precision, keep_freed_memory
from training.run.learner import Learner, MakeObjective
from training.run.metrics import Metrics, plot, read_rows
from training.run.optimiser import WeightAverage, trainable
from training.run.position import Position, open_run, restore, snapshot
from training.run.run_context import deterministic, stop_requests
from training.run.settings import TrainSettings
from training.run.step_log import StepLog, check_answers_seen

Advance = Callable[..., None]  # (questions done, note="")
Progress = Callable[..., AbstractContextManager[Advance]]  # (what, total, unit, done=0): cli.terminal.progress


def finetune(
    settings: TrainSettings,
    make_objective: MakeObjective | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Path | None:
    """Train, or go on with the run in `settings.out`.

    :param make_objective: what to learn from; the labels alone by default.
    :param fresh: begin again where the folder holds a run.
    :param progress: shows how far the run is; by default only its evaluations are reported, on standard error.
    :returns: the finished model's folder, or None when the run was stopped before its end (run again to go on).
    :raises TrainingError: NaN, no gradient, no answer in a whole epoch.
    :raises ValueError: settings that do not fit the data, the model or the run that is in the folder.
    """
    devices = Devices(settings.device)
    if devices.device.type == "cpu":
        keep_freed_memory()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    with deterministic(settings.deterministic), stop_requests(settings.stop_after_minutes) as stop:
        kept = open_run(settings, fresh, devices)
        finished = Path(settings.out) / "model"
        if kept is not None and kept.state["position"]["finished"] and finished.is_dir():
            return finished
        data = RunData.load(settings, say=_say if devices.first else lambda message: None)
        run = _Run.begin(settings, devices, data, make_objective, kept)
        shown = progress if progress is not None and devices.first else _no_progress
        what = f"Training ({run.at.precision}, {devices.device.type})"
        with shown(what, run.whole, "questions", done=run.at.questions) as advance:
            run.train(stop, advance)
        run.save()
        if run.at.finished:
            run.write_model()
        else:
            done = run.at.questions / run.whole
            _say(f"stopped at step {run.at.step}, {done:.0%} of the run: run the same again to go on")
        devices.close()
        return finished if run.at.finished else None


@dataclass
class _Run:
    """A run under way.

    :param per_epoch: questions of an epoch. :param whole: of the whole run.
    :param saved: when the last checkpoint was written, by the monotonic clock.
    """

    data: RunData
    learner: Learner
    average: WeightAverage
    at: Position
    per_epoch: int
    whole: int
    log: StepLog = field(default_factory=StepLog)
    saved: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(
        cls,
        settings: TrainSettings,
        devices: Devices,
        data: RunData,
        make_objective: MakeObjective | None,
        kept: Checkpoint | None,
    ) -> "_Run":
        """Model, objective, optimiser and average, where the checkpoint left them or at the start."""
        if kept is not None and kept.state["data"] != data.digest:
            raise ValueError(
                f"the data files have changed since {settings.out} was begun: choose another --out, or --fresh"
            )
        per_epoch = data.plan(0).questions
        whole = round(settings.epochs * per_epoch)
        if whole < 1:
            raise ValueError(
                f"epochs is {settings.epochs}, which is less than one of {per_epoch:,} questions: raise it"
            )
        learner = Learner.build(settings, devices, data, make_objective)
        average = WeightAverage(trainable(learner.model), settings)
        if kept is not None:
            at = restore(kept, learner.model, learner.objective, learner.optimiser, average)
        else:
            typical = data.corpus.batch(next(data.plan(0).steps(1))[0])
            precision = choose_precision(
                settings.precision, devices.device, lambda tried: learner.try_precision(tried, typical)
            )
            at = Position(next_look=settings.evaluate_every, precision=precision)
        devices.use(at.precision)
        if kept is not None and devices.scaler is not None:
            devices.scaler.load_state_dict(kept.state["scaler"])
        learner.prepare()
        return cls(data, learner, average, at, per_epoch, whole)

    @property
    def settings(self) -> TrainSettings:
        return self.data.settings

    @property
    def out(self) -> Path:
        return Path(self.settings.out)

    def train(self, stop: Callable[[], bool], advance: Advance) -> None:
        """Take steps until the run is finished, or somebody asks to stop."""
        at, devices, settings = self.at, self.learner.devices, self.settings
        rows = Metrics(self.out, "metrics", at.step) if devices.first else None
        looks = Metrics(self.out, "evaluations", at.step) if devices.first else None
        self.saved = time.monotonic()
        stopped = devices.any(stop())  # of all processes: one that left alone would leave the others waiting
        while not (at.finished or stopped):
            plan = self.data.plan(at.epoch)
            if at.step_in_epoch == 0:
                check_answers_seen(self.data.corpus.held_answers(plan.windows), len(plan.windows))
            steps = list(plan.steps(settings.gradient_accumulation_steps * devices.processes))[at.step_in_epoch :]
            for step in prefetch(steps, self.data.batch, devices.rank, devices.processes):
                norm, rate = self.learner.learn(step, at, self.whole, self.log)
                self.average.update(at.questions / self.whole)
                ended = at.questions >= self.whole
                note = ""
                # A NaN is found here, or before a checkpoint is written, never after.
                if at.step % settings.logging_steps == 0 or ended:
                    note = self._report(rate, norm, rows)
                advance(step.questions, note=note)
                if self.data.held_out is not None and (ended or at.questions >= at.next_look * self.per_epoch):
                    self._evaluate(ended, looks)
                    self.save()
                at.finished = at.finished or ended
                stopped = devices.any(stop())
                if at.finished or stopped:
                    return
                if devices.any(time.monotonic() - self.saved > settings.checkpoint_minutes * 60):
                    self.save()
            at.epoch, at.step_in_epoch = at.epoch + 1, 0

    def save(self) -> None:
        """Write a checkpoint, after a last look for NaN."""
        self.log.check(self.at)
        learner = self.learner
        if learner.devices.first:
            began = time.monotonic()
            checkpoint = snapshot(
                self.at,
                self.data.digest,
                learner.model,
                learner.objective,
                learner.optimiser,
                self.average,
                learner.devices,
            )
            save_checkpoint(self.out / "checkpoints", self.at.step, checkpoint)
            self.log.leave_out(time.monotonic() - began)
        self.saved = time.monotonic()

    def write_model(self) -> None:
        """Write the model's folder: the best weights seen, or the last ones where there were none to judge by."""
        learner, settings, at = self.learner, self.settings, self.at
        if not learner.devices.first:
            return
        with self.average.in_place():
            if at.best_step >= 0:
                _load_best(learner, self.out)
            result = {**asdict(at), "held_out": _best_figures(self.out, at.best_step)}
            command = "distil" if settings.distillation else "train"
            made = {"command": command, "settings": settings.public(), "data": self.data.summary(), "result": result}
            # What another stage begins with keeps its full precision.
            half = settings.distillation is None or settings.distillation.stage != "intermediate"
            write_model_folder(self.out / "model", learner.model, settings.model, made, half=half)
        plot(self.out)

    def _report(self, rate: float, norm: Tensor, rows: Metrics | None) -> str:
        row = self.log.row(self.at, rate, float(norm))
        if rows is not None:
            rows.add(row)
        return f"loss {row['loss']:.3f}, {row['tokens_per_s']:,.0f} tokens/s"

    def _evaluate(self, ended: bool, looks: Metrics | None) -> None:
        """Judge the (averaged) weights by the held-out articles; keep the best, stop when they get no better."""
        assert self.data.held_out is not None  # noqa: S101 - the caller has seen to it
        at, settings = self.at, self.settings
        began = time.monotonic()
        at.next_look += settings.evaluate_every
        with self.average.in_place():
            figures = self.data.held_out.evaluate(self.learner.model)
            if figures["score"] > at.best_score:
                at.best_score, at.best_step, at.looks_without_gain = figures["score"], at.step, 0
                if self.learner.devices.first:
                    save_tensors(self.out / "best.safetensors", dict(self.learner.model.state_dict()))
            else:
                at.looks_without_gain += 1
        if looks is not None:
            epoch = at.questions / self.per_epoch
            looks.add({"step": at.step, "epoch": epoch, **figures})
            plot(self.out)
            listed = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
            _say(f"step {at.step}, epoch {epoch:.2f}: {listed}")
        self.log.leave_out(time.monotonic() - began)
        at.finished = ended or 0 < settings.early_stopping_patience <= at.looks_without_gain


def _load_best(learner: Learner, out: Path) -> None:
    from safetensors.torch import load_file

    learner.model.load_state_dict(load_file(out / "best.safetensors"))


def _best_figures(out: Path, step: int) -> dict[str, float]:
    rows = [row for row in read_rows(out / "evaluations.csv") if int(row["step"]) == step]
    return {name: float(value) for name, value in rows[-1].items() if name not in ("step", "epoch")} if rows else {}


@contextmanager
def _no_progress(what: str, total: int, unit: str, done: int = 0) -> Iterator[Advance]:
    yield lambda count, note="": None


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
