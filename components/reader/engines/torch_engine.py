"""Span logits by the packed encoder in torch: the engine that runs everywhere, CPU and CUDA by one code path."""

from pathlib import Path
from typing import Literal

import torch

from components.encoder.encoder import PackedEncoder
from components.encoder.heads import span_logits
from components.encoder.ragged import Ragged

Precision = Literal["auto", "fp32", "bf16", "fp16"]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# Tokens of one forward pass. CPU: few passes, 30 MB for a reader 384 wide; CUDA: enough to fill the device (1 GB at
# 768 wide).
_MAX_TOKENS = {"cpu": 4096, "cuda": 65_536}


class TorchEngine:
    """
    The packed encoder with a span head.

    :param folder: model folder (see ``components.models.resolve_model``).
    :param device: "cpu", "cuda" or "cuda:1"; "auto" takes CUDA where there is one.
    :param precision: "fp32", "bf16" or "fp16" (CUDA only); "auto" is bf16 on CUDA and fp32 on CPU.
    :param max_tokens: tokens of one forward pass, None for what suits the device.
    :raises UnsupportedModel: no packed encoder for this family: see ``transformers_engine``.
    :raises ValueError: a precision that the device does not have.
    """

    def __init__(
        self, folder: Path, device: str = "auto", precision: Precision = "auto", max_tokens: int | None = None
    ) -> None:
        place = pick_device(device)
        if precision == "auto":
            precision = "fp32" if place.type == "cpu" else "bf16"
        dtype = pick_dtype(precision, place)
        self.encoder = PackedEncoder.load(folder, place, dtype)
        self.name = f"torch-{precision}-{place.type}"
        self.max_length = self.encoder.config.max_length
        self.max_tokens = _MAX_TOKENS[place.type] if max_tokens is None else max_tokens

    def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
        """Start and end logits of every token, float32 (total,) each; see SpanEngine."""
        return span_logits(self.encoder, batch, self.max_tokens)


def pick_device(device: str) -> torch.device:
    """ "auto" -> CUDA if there is one, else CPU. Raises ValueError where the named device does not exist."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device '{device}' is unknown: use 'auto', 'cpu', 'cuda' or 'cuda:1'.") from error
    if place.type not in _MAX_TOKENS:
        raise ValueError(f"device '{device}' is not supported: use 'auto', 'cpu' or 'cuda'.")
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device '{device}' is not there ({torch.cuda.device_count()} CUDA devices): use 'auto' or 'cpu'."
        )
    return place


def pick_dtype(precision: str, place: torch.device) -> torch.dtype:
    """The torch dtype of a precision's name; ValueError where the device should not compute in it."""
    if precision not in _DTYPES:
        raise ValueError(f"precision '{precision}' is unknown: use 'auto', {', '.join(map(repr, _DTYPES))}.")
    if precision == "fp16" and place.type == "cpu":
        raise ValueError("precision 'fp16' is for CUDA: CPUs emulate it slowly. Use 'bf16' or 'fp32'.")
    return _DTYPES[precision]
