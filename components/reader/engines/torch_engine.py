"""Span logits by the packed encoder in torch: the engine that runs everywhere, CPU and CUDA by one code path."""

from pathlib import Path
from typing import Literal

import torch

from components.devices import pick_device, pick_dtype
from components.encoder.encoder import PackedEncoder
from components.encoder.heads import span_logits
from components.encoder.ragged import Ragged
from components.models import max_tokens

Precision = Literal["auto", "fp32", "bf16", "fp16"]

# Tokens of one forward pass. CPU: few passes, 30 MB for a reader 384 wide; CUDA: enough to fill the device (1 GB at
# 768 wide).
_MAX_TOKENS = {"cpu": 4096, "cuda": 65_536}


class TorchEngine:
    """
    The packed encoder with a span head.

    :param folder: model folder (see ``components.models.resolve_model``).
    :param device: "cpu", "cuda" or "cuda:1"; "auto" takes CUDA where there is one.
    :param precision: "fp32", "bf16" or "fp16" (CUDA only); "auto" is bf16 on CUDA and fp32 on CPU.
    :param tokens_a_pass: tokens of one forward pass, None for what suits the device.
    :raises UnsupportedModel: no packed encoder for this family: see ``transformers_engine``.
    :raises ValueError: a precision that the device does not have.
    """

    def __init__(
        self, folder: Path, device: str = "auto", precision: Precision = "auto", tokens_a_pass: int | None = None
    ) -> None:
        place = pick_device(device)
        if precision == "auto":
            precision = "fp32" if place.type == "cpu" else "bf16"
        dtype = pick_dtype(precision, place)
        self.encoder = PackedEncoder.load(folder, place, dtype)
        self.name = f"torch-{precision}-{place.type}"
        self.max_length = max_tokens(folder).tokens
        self.tokens_a_pass = _MAX_TOKENS[place.type] if tokens_a_pass is None else tokens_a_pass

    def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
        """Start and end logits of every token, float32 (total,) each; see SpanEngine."""
        return span_logits(self.encoder, batch, self.tokens_a_pass)
