"""Which engine reads? Turns settings into an engine, and "auto" into the fastest that agrees, measured right here."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from components.build_cache import build_or_load, cache_folder
from components.encoder.families import UnsupportedModel, read_config
from components.models import model_digest
from components.reader.engines.base import SpanEngine

if TYPE_CHECKING:
    from haystack.utils import ComponentDevice

EngineName = Literal["auto", "torch", "openvino", "transformers"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8"]

_FORMAT = 4  # of the choice and its rule: raise it when either changes
_WORTH_MEASURING = 2_000_000  # weights in the layers; smaller models are fast in any precision

logger = logging.getLogger(__name__)


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
    :param engine: "torch" (packed; families it does not know go to transformers), "openvino" (CPU), "transformers"
        (padded inside), or "auto": on CUDA torch; on a CPU, with precision "auto", the fastest that agrees with fp32.
    :param precision: "fp32", "bf16", "fp16" (CUDA), "int8" (CPU: torch or openvino), or "auto".
    :param device: None or "auto", "cpu", "cuda", "cuda:1", or Haystack's ComponentDevice.
    :param model_kwargs: for ``from_pretrained``; given any, the transformers engine is taken, which understands them.
    :raises ValueError: an unknown setting, or settings that do not go together, naming what is allowed.
    """
    for setting, value, allowed in (
        ("engine", engine, get_args(EngineName)),
        ("precision", precision, get_args(Precision)),
    ):
        if value not in allowed:
            raise ValueError(f"{setting} '{value}' is unknown: use one of {', '.join(map(repr, allowed))}.")
    place = "auto" if device is None else device if isinstance(device, str) else device.to_torch_str()
    if model_kwargs:
        engine = "transformers"
    if engine == "openvino":
        if place not in ("auto", "cpu"):
            raise ValueError(f"engine 'openvino' computes on the CPU, not on '{place}': use engine 'torch'.")
        return _openvino(folder, "fp32" if precision == "auto" else precision)
    if engine == "auto" and precision == "auto" and _is_cpu(place):
        return _fastest(folder)
    if engine != "transformers":
        try:
            return _torch(folder, precision, place)
        except UnsupportedModel:
            pass
    from components.reader.engines.transformers_engine import TransformersEngine

    return TransformersEngine(folder, place, precision, model_kwargs=model_kwargs)  # type: ignore[arg-type]


def _torch(folder: Path, precision: str, place: str) -> SpanEngine:
    if precision == "int8":
        if not _is_cpu(place):
            raise ValueError(f"precision 'int8' computes on the CPU, not on '{place}': use 'bf16' there.")
        from components.reader.engines.int8_engine import Int8Engine

        return Int8Engine(folder)
    from components.reader.engines.torch_engine import TorchEngine

    return TorchEngine(folder, place, precision)  # type: ignore[arg-type]


def _openvino(folder: Path, precision: str) -> SpanEngine:
    from components.reader.engines.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(folder, precision)


def _is_cpu(place: str) -> bool:
    from components.devices import pick_device

    return pick_device(place).type == "cpu"


def _fastest(folder: Path) -> SpanEngine:
    """The engine that was measured to be the fastest on this machine, measuring it if that was not done before."""
    exact: Callable[[], SpanEngine] = lambda: load_engine(folder, "torch", "fp32", "cpu")  # noqa: E731
    if not _worth_measuring(folder):
        return exact()
    from components.devices import hardware_fingerprint
    from components.reader.engines.benchmark import measure_engines

    def make(entry: Path) -> None:
        engine, precision, table = measure_engines(
            folder, lambda engine, precision: load_engine(folder, engine, precision, "cpu")
        )
        (entry / "choice.json").write_text(json.dumps({"engine": engine, "precision": precision, "measured": table}))

    def load(entry: Path) -> tuple[str, str]:
        choice = json.loads((entry / "choice.json").read_text())
        return choice["engine"], choice["precision"]

    try:
        engine, precision = build_or_load(
            cache_folder() / f"choice-{_FORMAT}-{model_digest(folder)}-{hardware_fingerprint()}", make, load
        )
        return load_engine(folder, engine, precision, "cpu")
    except (ValueError, OSError, RuntimeError) as error:
        logger.warning("Engines could not be compared (%s): reading in fp32.", error)
        return exact()


def _worth_measuring(folder: Path) -> bool:
    try:
        config = read_config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except UnsupportedModel:
        return False
    return config.layers * config.hidden**2 * 12 >= _WORTH_MEASURING
