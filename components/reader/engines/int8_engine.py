"""Span logits by the packed encoder with int8 layers (torch, oneDNN): the fastest on CPUs with AVX-512 VNNI."""

from pathlib import Path

import torch

from components.build_cache import build_or_load, cache_folder
from components.encoder.checkpoint import read_checkpoint
from components.encoder.encoder import PackedEncoder
from components.encoder.heads import span_logits
from components.encoder.int8 import ActivationRange, activation_ranges, int8_available, int8_layers
from components.encoder.ragged import Ragged
from components.models import max_tokens, model_digest
from components.reader.engines.int8_samples import calibration_windows, split_batches

_FORMAT = 1  # of the ranges' file, and of how they are learnt: raise it when either changes
_SEQUENCES = 10  # in a batch of calibration: ranges are means over batches, which evens out single outliers


class Int8Engine:
    """
    Weights and activations in int8 between the layer norms, attention in bf16, the rest in fp32.

    The ranges of activations are learnt from bundled text on first use (some seconds) and kept in the cache folder.
    They are fixed from then on, so that a sequence's logits do not depend on its company.

    :param folder: model folder with tokenizer.json.
    :param tokens_a_pass: tokens of one forward pass.
    :raises UnsupportedModel: no packed encoder for this family.
    :raises ValueError: this processor or this build of torch has no fast int8, or the folder no tokenizer.json.
    """

    def __init__(self, folder: Path, tokens_a_pass: int = 2048) -> None:
        if not int8_available():
            raise ValueError("int8 in torch needs a CPU with AVX-512 and oneDNN: use precision 'bf16' or 'fp32'.")
        checkpoint = read_checkpoint(folder)

        def make(place: Path) -> None:
            from safetensors.torch import save_file

            windows = calibration_windows(folder, max_tokens(folder).tokens)
            found = activation_ranges(PackedEncoder(checkpoint), split_batches(windows, _SEQUENCES))
            tensors = {}
            for number, parts in enumerate(found):
                for part, seen in parts.items():
                    tensors[f"{number}.{part}.range"] = torch.tensor([seen.low, seen.high])
                    tensors[f"{number}.{part}.channels"] = seen.channels.contiguous()
            save_file(tensors, place / "ranges.safetensors")

        def load(place: Path) -> list[dict[str, ActivationRange]]:
            from safetensors.torch import load_file

            tensors = load_file(place / "ranges.safetensors")
            return [
                {
                    part: ActivationRange(
                        float(tensors[f"{number}.{part}.range"][0]),
                        float(tensors[f"{number}.{part}.range"][1]),
                        tensors[f"{number}.{part}.channels"],
                    )
                    for part in ("qkv", "out", "up", "down")
                }
                for number in range(checkpoint.config.layers)
            ]

        seen = build_or_load(cache_folder() / f"int8-{model_digest(folder)}-{_FORMAT}", make, load)
        self.encoder = PackedEncoder(checkpoint, with_layers=False)
        self.encoder.layers = int8_layers(checkpoint.tensors.__getitem__, seen, checkpoint.config.activation)
        self.name = "torch-int8-cpu"
        self.max_length = max_tokens(folder).tokens
        self.tokens_a_pass = tokens_a_pass

    def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
        """Start and end logits of every token, float32 (total,) each; see SpanEngine."""
        return span_logits(self.encoder, batch, self.tokens_a_pass)
