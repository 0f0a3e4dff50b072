"""Checks that turn a training that would silently do nothing into an error that says why."""

import math

import torch
from torch import Tensor

# Stands for "not a candidate". Finite, because -inf minus -inf is NaN in the gradient of a row without candidates.
MASKED = -1e30


def same_shape(**tensors: Tensor) -> None:
    """:raises ValueError: unless all have one shape; broadcasting would average the wrong things without a word."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"expected tensors of one shape, got {told}; broadcasting them would hide the mistake")


def finite_teacher(**tensors: Tensor) -> None:
    """:raises ValueError: when a teacher's output is NaN or infinite (looked at on CPU only: on a GPU the look costs a
    stop of the whole queue, and there the training loop finds the NaN in the loss)."""
    for name, tensor in tensors.items():
        if tensor.device.type == "cpu" and not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"the teacher's {name} hold {int((~torch.isfinite(tensor)).sum())} value(s) that are NaN or infinite: "
                "the student would learn nothing from them. Run the teacher in fp32 or bf16 (fp16 overflows)"
            )


def has_target(targets: Tensor, allowed: Tensor, what: str) -> None:
    """:raises ValueError: when a row has no target among its candidates (looked at on CPU only, see above)."""
    if targets.device.type != "cpu":
        return
    empty = ~(targets & allowed).any(-1)
    if bool(empty.any()):
        rows = empty.nonzero().flatten().tolist()
        raise ValueError(
            f"{len(rows)} {what}(s) have no target among the allowed tokens, the first at row {rows[0]}: every window "
            "needs an answer's token, or its first token when it holds no answer"
        )


def positive(name: str, value: float) -> float:
    """:raises ValueError: unless the value is positive and finite."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a positive finite number, got {value}")
    return value


def share(name: str, value: float) -> float:
    """:raises ValueError: unless the value lies in 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")
    return value
