"""Which engine reads? Turns settings into an engine, and "auto" into the fastest that agrees, measured right here."""

import json
import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from components.build_cache import cache_folder, made_once
from components.encoder.families import UnsupportedModel, read_config
from components.encoder.ragged import Ragged
from components.models import model_digest
from components.reader.engines.base import SpanEngine

if TYPE_CHECKING:
    from haystack.utils import ComponentDevice

EngineName = Literal["auto", "torch", "openvino", "transformers"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8"]

# An engine is taken only if its best span is fp32's in this share of the bundled windows. bf16's is in all of them.
# int8's, in 97 of 100, costs 1.5 points of exact match where 20 passages compete for one answer (docs/decisions.md): it
# is there for who asks for it.
_AGREEMENT = 0.99
_LONGEST_SPAN = 30
_FORMAT = 3  # of the choice and its rule: raise it when either changes
_SECONDS = 0.4  # of measuring a candidate
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
    from components.reader.engines.torch_engine import pick_device

    return pick_device(place).type == "cpu"


def _fastest(folder: Path) -> SpanEngine:
    """The engine that was measured to be the fastest on this machine, measuring it if that was not done before."""
    exact: Callable[[], SpanEngine] = lambda: load_engine(folder, "torch", "fp32", "cpu")  # noqa: E731
    if not _worth_measuring(folder):
        return exact()

    def make(entry: Path) -> None:
        engine, precision, table = measure(folder)
        (entry / "choice.json").write_text(json.dumps({"engine": engine, "precision": precision, "measured": table}))

    def load(entry: Path) -> tuple[str, str]:
        choice = json.loads((entry / "choice.json").read_text())
        return choice["engine"], choice["precision"]

    try:
        engine, precision = made_once(
            cache_folder() / f"choice-{_FORMAT}-{model_digest(folder)}-{machine()}", make, load
        )
        return load_engine(folder, engine, precision, "cpu")
    except (ValueError, OSError, RuntimeError) as error:
        logger.warning("Engines could not be compared (%s): reading in fp32.", error)
        return exact()


def measure(folder: Path) -> tuple[str, str, dict[str, dict[str, float]]]:
    """
    Compare the engines that this CPU can run, on bundled text.

    OpenVINO takes part once it has been converted (``engine: openvino`` does that, and takes a minute for int8).

    :returns: engine and precision of the fastest that agrees, and for each: passages per second, share of the windows
        whose best span is that of fp32.
    """
    from components.reader.engines.calibration_texts import calibration_windows
    from components.reader.engines.openvino_engine import is_converted

    exact = load_engine(folder, "torch", "fp32", "cpu")
    windows = calibration_windows(folder, exact.max_length)
    wanted = best_spans(exact, windows)
    table: dict[str, dict[str, float]] = {}
    candidates = [("torch", "fp32"), ("torch", "bf16"), ("torch", "int8")]
    candidates += [("openvino", each) for each in ("fp32", "int8") if is_converted(folder, each)]
    best, speed = candidates[0], 0.0
    for engine, precision in candidates:
        try:
            candidate = load_engine(folder, engine, precision, "cpu")
            agreement = float(np.mean(best_spans(candidate, windows) == wanted))
        except (ValueError, RuntimeError) as error:
            logger.info("%s in %s does not run here: %s", engine, precision, error)
            continue
        pace = _pace(candidate, windows.take(np.arange(20)))
        table[candidate.name] = {"passages_per_second": round(pace, 1), "agreement": round(agreement, 3)}
        if agreement >= _AGREEMENT and pace > speed:
            best, speed = (engine, precision), pace
    logger.info("Engines measured: %s", table)
    return *best, table


def best_spans(engine: SpanEngine, windows: Ragged) -> np.ndarray:
    """First token of each window's best span after the question, by the plain sum of logits: int64 (n,)."""
    start, end = (each.cpu().numpy() for each in engine.logits(windows))
    found = np.zeros(len(windows), dtype=np.int64)
    for number, (a, b) in enumerate(zip(windows.starts[:-1], windows.starts[1:], strict=True)):
        # Highest end within reach of each start, by a sliding maximum over the reversed logits.
        reach = np.concatenate([end[a:b], np.full(_LONGEST_SPAN, -np.inf, dtype=np.float32)])
        ends = np.lib.stride_tricks.sliding_window_view(reach, _LONGEST_SPAN)[: b - a].max(1)
        found[number] = int(np.argmax(start[a:b] + ends))
    return found


def machine() -> str:
    """Names processor, its count, and the libraries that compute: when one changes, engines are measured again."""
    import hashlib
    import os
    from importlib.metadata import version

    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        told = [
            line
            for line in cpuinfo.read_text(errors="replace").split("\n\n")[0].splitlines()
            if line[:5] in ("model", "flags")
        ]
        model = "|".join(told) or model
    parts = [model, str(os.cpu_count()), *(version(name) for name in ("torch", "openvino"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _pace(engine: SpanEngine, windows: Ragged) -> float:
    """
    Windows per second of all threads' processor time, best of as many runs as fit into the time.

    Not by the clock: the choice is kept, and on a machine that is busy with something else for a moment the clock tells
    nothing about the engines.
    """
    import torch

    engine.logits(windows)
    best, end = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < end or best == float("inf"):
        begin = time.process_time()
        engine.logits(windows)
        best = min(best, (time.process_time() - begin) / torch.get_num_threads())
    return len(windows) / max(best, 1e-9)


def _worth_measuring(folder: Path) -> bool:
    try:
        config = read_config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except UnsupportedModel:
        return False
    return config.layers * config.hidden**2 * 12 >= _WORTH_MEASURING
