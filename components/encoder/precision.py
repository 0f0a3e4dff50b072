"""Which precision embeds passages faster on this CPU? Some compute in bf16 at twice fp32's pace, others at half."""

import json
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from components.build_cache import build_or_load, cache_folder
from components.devices import hardware_fingerprint, measure_seconds
from components.encoder.encoder import PackedEncoder
from components.encoder.linear import onednn_available
from components.encoder.parallel import operators_alone
from components.encoder.ragged import Ragged
from components.models import model_digest

CpuPrecision = Literal["fp32", "bf16"]

_FORMAT = 2  # of what is measured: raise it when that changes
_LENGTHS = (60, 120, 180, 256) * 2  # tokens, as passages have them
_TRIES = 2
# What bf16 must gain to be worth its rounding (cosine .99998 with fp32's vectors).
_WORTH = 1.2


def faster_on_cpu(folder: Path) -> CpuPrecision:
    """
    Measure both precisions for about a second, or remember what was measured on this machine. A processor without
    bf16 instructions is not asked.

    :param folder: the model's folder.
    :raises UnsupportedModel: see PackedEncoder.
    """
    if not onednn_available(torch.bfloat16):
        return "fp32"

    def make(entry: Path) -> None:
        kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}
        seconds = {name: _seconds(PackedEncoder.load(folder, "cpu", kind)) for name, kind in kinds.items()}
        (entry / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")

    def load(entry: Path) -> CpuPrecision:
        seconds = json.loads((entry / "seconds.json").read_text(encoding="utf-8"))
        exact, rough = (float(seconds[name]) for name in get_args(CpuPrecision))
        return "bf16" if rough * _WORTH < exact else "fp32"

    return build_or_load(
        cache_folder() / f"embedding-{_FORMAT}-{model_digest(folder)}-{hardware_fingerprint()}", make, load
    )


def _seconds(encoder: PackedEncoder) -> float:
    lengths = np.minimum(_LENGTHS, encoder.config.max_length).astype(np.int32)
    ids = np.arange(lengths.sum(), dtype=np.int32) % min(1000, encoder.config.vocabulary)
    batch = Ragged(ids, np.zeros_like(ids), lengths)
    with operators_alone(), torch.inference_mode():
        return measure_seconds(lambda: encoder(batch), _TRIES)
