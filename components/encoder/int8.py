"""The encoder's linear layers in int8: oneDNN's VNNI kernels over packed tokens, with ranges learnt from real text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from components.encoder.encoder import PackedEncoder
from components.encoder.linear import Linear
from components.encoder.ragged import Ragged

# How much of the channels' unevenness moves from activations to weights (alpha of SmoothQuant, Xiao et al. 2023).
_SMOOTHING = 0.5


@dataclass(frozen=True)
class ActivationRange:
    """What went into a layer: lowest and highest value, and each channel's highest magnitude, as means over batches."""

    low: float
    high: float
    channels: torch.Tensor


class Int8Linear:
    """
    ``W x + b`` with weights int8 a row and activations uint8 a tensor, ranges fixed: no sequence changes another's.

    :param weight: (out, in) fp32.
    :param seen: what goes into this layer.
    :param out: dtype of the result; torch.uint8 needs ``out_scale`` and ``out_zero``: those of the layer that reads it.
    :param smooth: even out the channels of the input (not where it comes as uint8).
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        seen: ActivationRange,
        activation: str | None = None,
        out: torch.dtype = torch.float32,
        out_scale: float = 1.0,
        out_zero: int = 0,
        smooth: bool = True,
    ) -> None:
        factors = torch.ones(weight.shape[1])
        low, high = seen.low, seen.high
        if smooth:
            ours, theirs = seen.channels.clamp(min=1e-5), weight.abs().amax(0).clamp(min=1e-5)
            factors = ours**_SMOOTHING / theirs ** (1 - _SMOOTHING)
            high = float((seen.channels / factors).max())
            low = -high
        self.scale, self.zero = quantisation(low, high)
        weight = weight * factors
        scales = weight.abs().amax(1).clamp(min=1e-8) / 127
        whole = (weight / scales[:, None]).round().clamp(-127, 127).to(torch.int8)
        self.weight = torch.ops.onednn.qlinear_prepack(whole, None)
        self.scales, self.zeros = scales, torch.zeros(len(scales), dtype=torch.int64)
        self.bias = bias
        self.multiply = 1 / (factors * self.scale)
        self.add = torch.tensor(self.zero + 0.5)  # the half makes cutting off digits rounding
        self.out, self.out_scale, self.out_zero = out, out_scale, out_zero
        self.unary = {
            None: ("none", ""),
            "relu": ("relu", ""),
            "gelu": ("gelu", "none"),
            "gelu_tanh": ("gelu", "tanh"),
        }[activation]

    def __call__(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        if x.dtype != torch.uint8:
            x = torch.addcmul(self.add, x.float(), self.multiply).clamp_(0, 255).to(torch.uint8)
        common = (x, self.scale, self.zero, self.weight, self.scales, self.zeros)
        if residual is not None:
            return torch.ops.onednn.qlinear_pointwise.binary(
                *common, residual, self.bias, 1.0, 0, self.out, 1.0, 0, "add", 1.0, "none", [], ""
            )
        name, algorithm = self.unary
        return torch.ops.onednn.qlinear_pointwise(
            *common, self.bias, self.out_scale, self.out_zero, self.out, name, [], algorithm
        )


def quantisation(low: float, high: float) -> tuple[float, int]:
    """Scale and zero point that map [low, high], widened to hold 0, onto 0 to 255."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max(high - low, 1e-8) / 255
    return scale, round(-low / scale)


class _Watch:
    """Stands before a layer and notes what goes in."""

    def __init__(self, layer: Linear) -> None:
        self.layer = layer
        self.lows: list[torch.Tensor] = []
        self.highs: list[torch.Tensor] = []
        self.channels: list[torch.Tensor] = []

    def __call__(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        self.lows.append(x.min())
        self.highs.append(x.max())
        self.channels.append(x.abs().amax(0))
        return self.layer(x, residual)

    def seen(self) -> ActivationRange:
        mean = [torch.stack(values).mean().item() for values in (self.lows, self.highs)]
        return ActivationRange(mean[0], mean[1], torch.stack(self.channels).mean(0))


def activation_ranges(encoder: PackedEncoder, texts: Sequence[Ragged]) -> list[dict[str, ActivationRange]]:
    """Run fp32 over real text and note, layer by layer, what goes into ``qkv``, ``out``, ``up`` and ``down``."""
    plain = encoder.layers
    encoder.layers = [{name: _Watch(part) for name, part in layer.items()} for layer in plain]
    try:
        for batch in texts:
            encoder(batch)
        return [{name: part.seen() for name, part in layer.items()} for layer in encoder.layers]  # type: ignore[attr-defined]
    finally:
        encoder.layers = plain


def int8_layers(
    tensor: Callable[[str], torch.Tensor], seen: Sequence[dict[str, ActivationRange]], activation: str
) -> list[dict[str, Linear]]:
    """
    The layers of an encoder in int8.

    :param tensor: gives a weight by its name in ``Checkpoint``, fp32, on the CPU.
    :param seen: of ``activation_ranges``.
    """
    layers: list[dict[str, Linear]] = []
    for number, inputs in enumerate(seen):
        weights = {
            part: (tensor(f"{number}.{part}.weight"), tensor(f"{number}.{part}.bias"))
            for part in ("qkv", "out", "up", "down")
        }
        scale, zero = quantisation(inputs["down"].low, inputs["down"].high)
        layers.append(
            {
                "qkv": Int8Linear(*weights["qkv"], inputs["qkv"], out=torch.bfloat16),
                "out": Int8Linear(*weights["out"], inputs["out"]),
                "up": Int8Linear(
                    *weights["up"], inputs["up"], activation, out=torch.uint8, out_scale=scale, out_zero=zero
                ),
                "down": Int8Linear(*weights["down"], inputs["down"], smooth=False),
            }
        )
    return layers


def int8_available() -> bool:
    """Whether this build of torch has oneDNN's int8 layers, and the processor instructions that make them pay."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.onednn, "qlinear_pointwise"):
        return False
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")
