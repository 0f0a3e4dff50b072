"""Distillation: the training run of `finetune`, with a teacher's outputs to learn from beside the labels."""

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from training.data.run_data import RunData
from training.distillation.teacher import Teacher, same_tokenizer, token_map
from training.losses.attention import attention_loss
from training.losses.checks import positive, share
from training.losses.hidden import HiddenLoss
from training.losses.layer_map import pairs
from training.losses.prediction import prediction_loss
from training.run.finetune import Progress, finetune
from training.run.objectives import Batch, Objective, SpanObjective, forward
from training.run.settings import Distillation, TrainSettings

STAGES = ("intermediate", "prediction")
# Later than any run: the intermediate stage has no answers to be judged by, only its end is kept.
NEVER = 1e9


class PredictionObjective:
    """weight * prediction loss + (1 - weight) * label loss, a question at a time."""

    extra: nn.Module | None = None

    def __init__(self, teacher: Teacher, taught: Distillation, shared: float) -> None:
        self.teacher, self.labels = teacher, SpanObjective(shared)
        self.temperature = positive("temperature", taught.temperature)
        self.weight = share("weight", taught.weight)

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """See Objective."""
        output = forward(model, batch)
        start, end = output.start_logits, output.end_logits
        if not batch.source.taught:
            labels = self.labels.from_logits(start, end, batch)["loss"]
            return {"loss": labels, "teacher": torch.zeros_like(labels), "labels": labels}
        told = self.teacher.logits(batch)
        gap = batch.groups.mean(prediction_loss(start, end, *told, batch.allowed, self.temperature))
        if self.weight == 1:
            return {"loss": gap, "teacher": gap}
        labels = self.labels.from_logits(start, end, batch)["loss"]
        return {"loss": self.weight * gap + (1 - self.weight) * labels, "teacher": gap, "labels": labels}


class IntermediateObjective:
    """hidden_weight * hidden loss + attention_weight * attention loss; labels play no part."""

    def __init__(self, teacher: Teacher, taught: Distillation, student: PreTrainedModel) -> None:
        self.teacher, self.taught = teacher, taught
        small, large = student.config, teacher.model.config
        self.layer_map = pairs(small.num_hidden_layers, large.num_hidden_layers, taught.layer_map or None)
        if not (taught.hidden_weight or taught.attention_weight):
            raise ValueError(
                "hidden_weight and attention_weight are both 0: the intermediate stage would learn nothing"
            )
        self.hidden = HiddenLoss(small.hidden_size, large.hidden_size, self.layer_map)
        self.extra: nn.Module | None = self.hidden

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """See Objective."""
        maps = self.taught.attention_weight > 0
        said = forward(model, batch, output_hidden_states=True, output_attentions=maps)
        with torch.no_grad():
            told = forward(self.teacher.model, batch, output_hidden_states=True, output_attentions=maps)
        parts = {"hidden": batch.groups.mean(self.hidden(said.hidden_states, told.hidden_states, batch.real))}
        loss = self.taught.hidden_weight * parts["hidden"]
        if maps:
            form = self.taught.attention
            looked = attention_loss(said.attentions, told.attentions, batch.real, self.layer_map, form)
            parts["attention"] = batch.groups.mean(looked)
            loss = loss + self.taught.attention_weight * parts["attention"]
        return {"loss": loss, **parts}


def distil(settings: TrainSettings, fresh: bool = False, progress: Progress | None = None) -> Path | None:
    """Train `settings.model`, the student, from `settings.distillation`'s teacher, stage by stage.

    With one stage the run lies in `settings.out`; with more, each in a folder of its own beside it
    (`<out>-1-intermediate`, `<out>-2-prediction`), and the last one's model is the result. A student that was distilled
    before, without labels, makes this the second step of DistilBERT's recipe (Sanh et al. 2019, section 3).

    :returns: the student's folder, or None when the run was stopped before its end (run again to go on).
    :raises ValueError: when teacher and student have different tokenizers, and as `finetune` does.
    """
    taught = settings.distillation
    if taught is None:
        raise ValueError("distillation needs a teacher: set distillation.teacher (--teacher)")
    if not taught.stages or (unknown := [stage for stage in taught.stages if stage not in STAGES]):
        raise ValueError(f"stages must be some of {', '.join(STAGES)}; got {', '.join(unknown) or 'none'}")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and taught.stages != ("prediction",):
        raise ValueError(
            f"stages are {', '.join(taught.stages)}, but only the prediction stage runs in several processes: run the "
            "intermediate stage in one, then the prediction stage from its model"
        )
    if taught.stages == ("prediction",):
        token_map(taught.teacher, settings.model)
    else:
        same_tokenizer(taught.teacher, settings.model)
    folder: Path | None = None
    for number, stage in enumerate(taught.stages, start=1):
        run = replace(settings, distillation=replace(taught, stage=stage))  # type: ignore[arg-type]
        if len(taught.stages) > 1:
            # Beside each other, one level down: they share the cache of the runs around them.
            run = replace(run, out=f"{settings.out}-{number}-{stage}")
        if folder is not None:
            run = replace(run, model=str(folder))
        if stage == "intermediate":
            epochs, rate = taught.intermediate_epochs, taught.intermediate_rate
            run = replace(run, evaluate_every=NEVER, early_stopping_patience=0, epochs=epochs or run.epochs)
            run = replace(run, learning_rate=rate or run.learning_rate)
        folder = finetune(run, make_objective, fresh, progress)
        if folder is None:
            return None
    return folder


def make_objective(settings: TrainSettings, model: PreTrainedModel, data: RunData, device: torch.device) -> Objective:
    """The stage's objective, for `finetune`."""
    taught = settings.distillation
    assert taught is not None  # noqa: S101 - distil has seen to it
    if taught.stage == "intermediate":
        return IntermediateObjective(Teacher(taught.teacher, device, None, maps=True), taught, model)
    cache = Path(settings.out).parent / "cache" if taught.cache else None
    tokens = token_map(taught.teacher, settings.model)
    teacher = Teacher(taught.teacher, device, cache, precision=settings.precision, tokens=tokens)
    return PredictionObjective(teacher, taught, settings.shared_softmax_weight)
