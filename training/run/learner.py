"""
One step of training: the gradients of its batches are summed and clipped, then the optimiser moves the weights.

Raises TrainingError where the first step's gradient is zero.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from training.data.prefetch import Step
from training.data.run_data import RunData
from training.data.windows import WindowBatch
from training.run.devices import Devices, Precision
from training.run.objectives import Batch, Objective, SpanObjective
from training.run.optimiser import build_optimiser, set_rate, trainable
from training.run.position import Position
from training.run.settings import TrainSettings
from training.run.step_log import StepLog, TrainingError
from training.span_model import model_to_train

MakeObjective = Callable[[TrainSettings, PreTrainedModel, RunData, torch.device], Objective]


@dataclass
class Learner:
    """A model with what it learns from and what moves its weights.

    :param called: the model as it is called in training: itself, compiled, or wrapped for several processes.
    """

    settings: TrainSettings
    devices: Devices
    model: PreTrainedModel
    objective: Objective
    optimiser: torch.optim.Optimizer
    called: nn.Module

    @classmethod
    def build(
        cls, settings: TrainSettings, devices: Devices, data: RunData, make_objective: MakeObjective | None = None
    ) -> "Learner":
        """Load the settings' model and build its objective (the labels alone by default) and optimiser.

        :raises ValueError: when the model has no trainable weight, or `load_span_model` refuses it.
        """
        maps = settings.distillation is not None and settings.distillation.stage == "intermediate"
        model = model_to_train(settings, devices.device, maps)
        trainable(model)
        objective: Objective = SpanObjective(settings.shared_softmax_weight)
        if make_objective is not None:
            objective = make_objective(settings, model, data, devices.device)
        if objective.extra is not None:
            objective.extra.to(devices.device)
        return cls(settings, devices, model, objective, build_optimiser(model, settings, objective.extra), model)

    def prepare(self) -> None:
        """Compile the model, or wrap it for several processes; after its weights were restored."""
        self.called = self.devices.wrap(self.model, self.settings.torch_compile)

    def learn(self, step: Step, at: Position, whole: int, log: StepLog) -> tuple[Tensor, float]:
        """
        Take one step and move the position on.

        :param whole: questions of the whole run, which the learning rate is scheduled over.
        :returns: the gradient's norm before clipping, and the learning rate the step was taken with.
        """
        settings, devices, optimiser = self.settings, self.devices, self.optimiser
        optimiser.zero_grad(set_to_none=True)
        for number, (windows, share) in enumerate(step.batches):
            # Dropout follows from the step alone, so that a resumed run draws the same.
            torch.manual_seed(hash((settings.seed, at.step, number, devices.rank)) % 2**63)
            with devices.autocast():
                parts = self.objective(self.called, Batch.of(windows, devices.device))
            last = number == len(step.batches) - 1
            devices.backward(parts["loss"].sum() * (share / step.questions), self.called, last)
            if share:
                log.add(parts, windows)
        if devices.scaler is not None:
            devices.scaler.unscale_(optimiser)
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(weights, settings.max_grad_norm)
        if at.step == 0 and float(norm) == 0:
            raise TrainingError(
                f"the first step's gradient is 0 for all {len(weights)} trainable weights: nothing would be learned. "
                "Is the head frozen, or do the losses not depend on the model?"
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

    def try_precision(self, precision: Precision, windows: WindowBatch) -> None:
        """Compute a batch forward and backward in a precision, without a step."""
        device = self.devices.device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = self.objective(self.model, Batch.of(windows, device))["loss"].mean()
        loss.backward()
        self.model.zero_grad(set_to_none=True)
