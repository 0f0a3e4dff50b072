"""Which engine reads? One place turns the setting ``engine`` into an engine."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from components.encoder.families import UnsupportedModel
from components.reader.engines.base import SpanEngine

if TYPE_CHECKING:
    from haystack.utils import ComponentDevice

EngineName = Literal["auto", "torch", "transformers"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


def load_engine(
    folder: Path,
    engine: str = "auto",
    precision: str = "auto",
    device: "str | ComponentDevice | None" = None,
    model_kwargs: dict[str, Any] | None = None,
) -> SpanEngine:
    """
    Load a reader's weights into an engine.

    :param folder: model folder (see ``components.models.resolve_model``).
    :param engine: "torch" (packed, falls back to transformers for families it does not know), "transformers" (padded
        inside), or "auto".
    :param precision: "auto", "fp32", "bf16", "fp16".
    :param device: None or "auto", "cpu", "cuda", "cuda:1", or Haystack's ComponentDevice.
    :param model_kwargs: for ``from_pretrained``; given any, the transformers engine is taken, which understands them.
    :raises ValueError: an unknown setting, naming the allowed ones.
    """
    if engine not in get_args(EngineName):
        raise ValueError(f"engine '{engine}' is unknown: use one of {', '.join(map(repr, get_args(EngineName)))}.")
    if precision not in get_args(Precision):
        raise ValueError(f"precision '{precision}' is unknown: use one of {', '.join(map(repr, get_args(Precision)))}.")
    place = "auto" if device is None else device if isinstance(device, str) else device.to_torch_str()
    if engine != "transformers" and not model_kwargs:
        from components.reader.engines.torch_engine import TorchEngine

        try:
            return TorchEngine(folder, place, precision)  # type: ignore[arg-type]
        except UnsupportedModel:
            pass
    from components.reader.engines.transformers_engine import TransformersEngine

    return TransformersEngine(folder, place, precision, model_kwargs=model_kwargs)  # type: ignore[arg-type]
