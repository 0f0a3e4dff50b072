"""What a step makes smaller: batch and model in, one loss a question out, with its parts for the report."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from training.data.windows import WindowBatch
from training.losses.groups import Groups
from training.losses.shared_softmax import shared_softmax_loss
from training.losses.span import span_loss


@dataclass(frozen=True)
class Batch:
    """A WindowBatch as tensors on the model's device; fields as there; `source` is what it was made of."""

    ids: Tensor
    types: Tensor
    real: Tensor
    allowed: Tensor
    starts: Tensor
    ends: Tensor
    groups: Groups
    source: WindowBatch

    @classmethod
    def of(cls, batch: WindowBatch, device: torch.device) -> "Batch":
        """Move to the device, without waiting for it."""

        def moved(array: Any) -> Tensor:
            tensor = torch.from_numpy(array)
            return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)

        groups = Groups(moved(batch.group), moved(batch.slot), batch.questions, int(batch.slot.max()) + 1)
        ids, types, real = moved(batch.ids), moved(batch.types), moved(batch.real)
        return cls(ids, types, real, moved(batch.allowed), moved(batch.starts), moved(batch.ends), groups, batch)


class Objective(Protocol):
    """One way to train. `extra` holds weights of its own (projections), or None."""

    extra: nn.Module | None

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Values (questions,): "loss", which is minimised, and parts of it to be reported."""
        ...


def forward(model: nn.Module, batch: Batch, **asked: bool) -> Any:
    """Run a span model on a batch; token types go to the models that know them."""
    known = getattr(getattr(model, "module", model), "config", None)
    types = {"token_type_ids": batch.types} if getattr(known, "type_vocab_size", 0) > 1 else {}
    return model(input_ids=batch.ids, attention_mask=batch.real.long(), **types, **asked)


class SpanObjective:
    """Learn from labels: each window's own softmax, one over all passages of a question, or some of both.

    :param shared: weight of the shared softmax, 0 to 1.
    """

    extra: nn.Module | None = None

    def __init__(self, shared: float) -> None:
        self.shared = shared

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """See Objective."""
        output = forward(model, batch)
        return self.from_logits(output.start_logits, output.end_logits, batch)

    def from_logits(self, start: Tensor, end: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The same for logits (n, L) that are there already."""
        targets = (batch.starts, batch.ends, batch.allowed)
        parts: dict[str, Tensor] = {}
        if self.shared < 1:
            parts["window"] = batch.groups.mean(span_loss(start, end, *targets))
        if self.shared > 0:
            parts["shared"] = shared_softmax_loss(start, end, *targets, batch.groups)
        weights = {"window": 1 - self.shared, "shared": self.shared}
        loss = torch.stack([weights[name] * value for name, value in parts.items()]).sum(0)
        return {"loss": loss, **(parts if len(parts) > 1 else {})}
