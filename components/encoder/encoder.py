"""The transformer encoder over unpadded tokens: one forward pass for BERT, RoBERTa, DistilBERT, ELECTRA and kin."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from components.encoder.attention import layout, packed_attention
from components.encoder.checkpoint import Checkpoint, read_checkpoint
from components.encoder.linear import Linear, make_linear
from components.encoder.ragged import Ragged, rounded_up

# oneDNN keeps a kernel for each number of rows the linear layers meet, a millisecond and half a megabyte each.
_ROUND = 32


class PackedEncoder:
    """
    Encoder with post-layer-norm blocks (Vaswani et al. 2017; Devlin et al. 2019), for inference.

    No padding anywhere: the linear layers see (tokens, features), attention sees each sequence alone.

    :param checkpoint: weights by our own names.
    :param device: where to compute.
    :param dtype: float32, or bfloat16 (float16 on CUDA): of weights and activations.
    :param with_layers: False leaves ``layers`` to the caller, who has others for them (int8).
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: "torch.device | str" = "cpu",
        dtype: torch.dtype = torch.float32,
        with_layers: bool = True,
    ) -> None:
        self.config = checkpoint.config
        self.device, self.dtype = torch.device(device), dtype
        self._tensors = {
            name: tensor.to(self.device, dtype)
            for name, tensor in checkpoint.tensors.items()
            if not name[0].isdigit() or ".norm" in name
        }
        self.span_head = (self._tensors["span.weight"], self._tensors["span.bias"]) if self.has_spans else None
        self.layers: list[dict[str, Linear]] = []
        for number in range(self.config.layers if with_layers else 0):
            parts: dict[str, Linear] = {}
            for part in ("qkv", "out", "up", "down"):
                weight, bias = (checkpoint.tensors[f"{number}.{part}.{kind}"] for kind in ("weight", "bias"))
                activation = self.config.activation if part == "up" else None
                parts[part] = make_linear(weight.to(self.device, dtype), bias.to(self.device, dtype), activation)
            self.layers.append(parts)

    @classmethod
    def load(
        cls, folder: Path, device: "torch.device | str" = "cpu", dtype: torch.dtype = torch.float32
    ) -> "PackedEncoder":
        """Read a model folder. Raises UnsupportedModel for families that only transformers computes."""
        return cls(read_checkpoint(folder), device, dtype)

    @property
    def has_spans(self) -> bool:
        """Whether the checkpoint came with a question-answering head."""
        return "span.weight" in self._tensors

    @torch.inference_mode()
    def __call__(self, batch: Ragged) -> torch.Tensor:
        """
        Encode a batch in one go (memory grows with its tokens: callers cut it).

        :returns: hidden states (total, hidden) of ``dtype``.
        :raises ValueError: a sequence that is too long, or an id outside the vocabulary.
        """
        self.config.check(batch)
        if not batch.total:  # oneDNN refuses products without rows
            return torch.empty(0, self.config.hidden, dtype=self.dtype, device=self.device)
        x = self._embed(batch, rounded_up(batch.total, _ROUND) if self.device.type == "cpu" else batch.total)
        where = layout(batch, self.device)
        for number, layer in enumerate(self.layers):
            attended = packed_attention(layer["qkv"](x), self.config.heads, where)
            x = self._norm(layer["out"](attended, x), f"{number}.norm1")
            x = self._norm(layer["down"](layer["up"](x), x), f"{number}.norm2")
        return x[: batch.total]

    def _embed(self, batch: Ragged, rows: int) -> torch.Tensor:
        def padded(numbers: np.ndarray) -> torch.Tensor:
            return self._on_device(np.pad(numbers, (0, rows - len(numbers))))

        table = self._tensors
        x = functional.embedding(padded(batch.ids), table["words"])
        x = x + functional.embedding(padded(self.config.position_rows(batch)), table["positions"])
        if "types" in table:
            # RoBERTa's kin have one type only: theirs is 0 whatever the tokenizer says.
            last = len(table["types"]) - 1
            x = x + functional.embedding(padded(np.minimum(batch.types, last)), table["types"])
        x = self._norm(x, "embed_norm")
        if "project.weight" in table:
            x = functional.linear(x, table["project.weight"], table["project.bias"])
        return x

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        return functional.layer_norm(x, weight.shape, weight, bias, self.config.eps)

    def _on_device(self, numbers: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(numbers).to(self.device, non_blocking=True)
