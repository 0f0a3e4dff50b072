"""One fully connected layer, computed by whatever is fastest for its precision on this processor."""

from typing import Protocol

import torch
from torch.nn import functional


class Linear(Protocol):
    """``x`` (tokens, in) -> (tokens, out), activation and residual included."""

    def __call__(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor: ...


class PlainLinear:
    """torch's own: cuBLAS on CUDA, and the fallback elsewhere."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, activation: str | None = None) -> None:
        self.weight, self.bias, self.activation = weight, bias, activation

    def __call__(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        y = activate(functional.linear(x, self.weight, self.bias), self.activation)
        return y if residual is None else y + residual


class OneDnnLinear:
    """
    oneDNN's with weights reordered once, activation or residual fused into the multiplication.

    torch.nn.functional.linear in fp32 asks MKL, which on AMD takes AVX2 code: 190 GFLOPS on two Zen 5 cores where
    oneDNN's AVX-512 code does 440.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, activation: str | None = None) -> None:
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        self.bias = bias
        self.unary = {
            None: ("none", ""),
            "relu": ("relu", ""),
            "gelu": ("gelu", "none"),
            "gelu_tanh": ("gelu", "tanh"),
        }[activation]

    def __call__(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        if residual is not None:
            return torch.ops.mkldnn._linear_pointwise.binary(x, residual, self.weight, self.bias, "add")
        name, algorithm = self.unary
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, name, [], algorithm)


def activate(x: torch.Tensor, activation: str | None) -> torch.Tensor:
    """GELU (erf or tanh form), ReLU, or nothing."""
    if activation is None:
        return x
    if activation == "relu":
        return functional.relu(x)
    return functional.gelu(x, approximate="tanh" if activation == "gelu_tanh" else "none")


def make_linear(weight: torch.Tensor, bias: torch.Tensor, activation: str | None = None) -> Linear:
    """
    The layer for the device and precision of ``weight``.

    :param weight: (out, in), as torch.nn.Linear keeps it.
    :param bias: (out,), same device and dtype.
    :param activation: None, "gelu", "gelu_tanh" or "relu".
    """
    if weight.device.type == "cpu" and onednn_available(weight.dtype):
        return OneDnnLinear(weight, bias, activation)
    return PlainLinear(weight, bias, activation)


def onednn_available(dtype: torch.dtype = torch.float32) -> bool:
    """
    Whether this build of torch has the fused oneDNN layers (x86 and recent ARM builds have), and, for bf16, this
    processor the instructions that oneDNN asks for: without AVX-512 it refuses to lay the weights out.
    """
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    return dtype != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
