"""Which engine reads? One place turns the setting ``engine`` into an engine."""

from pathlib import Path
from typing import Literal, get_args

from components.encoder.families import UnsupportedModel
from components.reader.engines.base import SpanEngine

EngineName = Literal["auto", "torch", "transformers"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


def load_engine(folder: Path, engine: str = "auto", device: str = "auto", precision: str = "auto") -> SpanEngine:
    """
    Load a reader's weights into an engine.

    :param folder: model folder (see ``components.models.resolve_model``).
    :param engine: "torch" (packed, falls back to transformers for families it does not know), "transformers" (padded
        inside), or "auto".
    :param device: "auto", "cpu", "cuda", "cuda:1".
    :param precision: "auto", "fp32", "bf16", "fp16".
    :raises ValueError: an unknown setting, naming the allowed ones.
    """
    if engine not in get_args(EngineName):
        raise ValueError(f"engine '{engine}' is unknown: use one of {', '.join(map(repr, get_args(EngineName)))}.")
    if precision not in get_args(Precision):
        raise ValueError(f"precision '{precision}' is unknown: use one of {', '.join(map(repr, get_args(Precision)))}.")
    if engine != "transformers":
        from components.reader.engines.torch_engine import TorchEngine

        try:
            return TorchEngine(folder, device, precision)  # type: ignore[arg-type]
        except UnsupportedModel:
            pass
    from components.reader.engines.transformers_engine import TransformersEngine

    return TransformersEngine(folder, device, precision)  # type: ignore[arg-type]
