"""AdamW with a rate of its own for each layer, its schedule, and the average of the weights."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from training.run.settings import TrainSettings

_LAYER = re.compile(r"\.(?:layers?|blocks?)\.(\d+)\.")


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that are trained, by name.

    :raises ValueError: when there is none; such a run would go through without changing anything.
    """
    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not weights:
        raise ValueError(f"{type(model).__name__} has no trainable weight: all have requires_grad=False. Unfreeze some")
    return weights


def build_optimiser(model: nn.Module, settings: TrainSettings, extra: nn.Module | None = None) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over the model's weights and those of `extra` (a loss's projections).

    Layer i of n gets `learning_rate * layer_decay ** (n - i)`, the embeddings as layer 0, the head the full rate times
    `head_rate` (Howard and Ruder 2018). Biases and norms are not decayed.
    """
    weights = trainable(model)
    layers = 1 + max((int(m.group(1)) for m in map(_LAYER.search, weights) if m), default=-1)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in weights.items():
        rate = settings.learning_rate * settings.layer_decay ** (layers - _depth(name, layers))
        if "qa_outputs" in name:
            rate = settings.learning_rate * settings.head_rate
        groups.setdefault((rate, settings.weight_decay if weight.ndim > 1 else 0.0), []).append(weight)
    if extra is not None and (projections := list(extra.parameters())):
        groups.setdefault((settings.learning_rate, 0.0), []).extend(projections)
    return torch.optim.AdamW(
        [
            {"params": members, "lr": rate, "peak": rate, "weight_decay": decay}
            for (rate, decay), members in groups.items()
        ],
        fused=True,
    )


def _depth(name: str, layers: int) -> int:
    if match := _LAYER.search(name):
        return int(match.group(1)) + 1
    return 0 if "embedding" in name else layers


def set_rate(optimiser: torch.optim.Optimizer, done: float, settings: TrainSettings) -> float:
    """Set the rate for a run of which the share `done` lies behind; returns the factor on the peak rate."""
    factor = rate_factor(done, settings.warmup_ratio, settings.lr_scheduler_type)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    return factor


def rate_factor(done: float, warmup: float, schedule: str) -> float:
    """Up in a straight line during the warm-up, then down to 0, in a straight line or half a cosine.

    >>> [rate_factor(done, 0.1, "linear") for done in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if done < warmup:
        return done / warmup
    left = min(max((1 - done) / (1 - warmup), 0.0), 1.0) if warmup < 1 else 1.0
    return 0.5 * (1 - math.cos(math.pi * left)) if schedule == "cosine" else round(left, 12)


class WeightAverage:
    """A second set of weights that follows the trained ones.

    "ema": a <- d a + (1 - d) w after every step, d = min(decay, (1 + t) / (10 + t)) so that the start is forgotten.
    "swa": the mean of the weights after every step from `start` of the run on (Izmailov et al. 2018).
    """

    def __init__(self, weights: dict[str, nn.Parameter], settings: TrainSettings) -> None:
        self.kind, self.decay, self.start = settings.average, settings.average_decay, settings.average_from
        self.steps = 0
        self.names = list(weights)
        self.weights: list[Tensor] = [weight.detach() for weight in weights.values()]
        self.average: list[Tensor] = [weight.clone() for weight in self.weights] if self.kind != "none" else []

    @torch.no_grad()
    def update(self, done: float) -> None:
        """Take in the weights after a step; `done` is the share of the run that lies behind."""
        if self.kind == "none":
            return
        if self.kind == "swa":
            self.steps += done >= self.start
            towards = 1 / max(self.steps, 1)
        else:
            self.steps += 1
            towards = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, self.weights, towards)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average in the model's place while the block runs."""
        if self.kind == "none":
            yield
            return
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, mean in zip(self.weights, self.average, strict=True):
            kept = weight.clone()
            weight.copy_(mean)
            mean.copy_(kept)

    def state(self) -> dict[str, Tensor]:
        """The averaged weights by name."""
        return dict(zip(self.names, self.average, strict=True)) if self.kind != "none" else {}

    def load(self, state: dict[str, Tensor], steps: int) -> None:
        """Go on from a kept state."""
        self.steps = steps
        for name, mean in self.state().items():
            mean.copy_(state[name])


def optimiser_state(optimiser: torch.optim.Optimizer, names: dict[int, str]) -> dict[str, Tensor]:
    """AdamW's moments as named tensors (safetensors, no pickle). `names`: name of each weight by its id."""
    state: dict[str, Tensor] = {}
    for weight, values in optimiser.state.items():
        for key, value in values.items():
            state[f"{names[id(weight)]}|{key}"] = torch.as_tensor(value).detach().clone()
    return state


def load_optimiser_state(optimiser: torch.optim.Optimizer, names: dict[int, str], state: dict[str, Tensor]) -> None:
    """Put back what `optimiser_state` gave."""
    by_name: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        name, _, part = key.rpartition("|")
        by_name.setdefault(name, {})[part] = value
    for group in optimiser.param_groups:
        for weight in group["params"]:
            if values := by_name.get(names[id(weight)]):
                # `step` of a fused AdamW lives where the weight lives.
                optimiser.state[weight] = {part: value.to(weight.device) for part, value in values.items()}
