"""Which engine reads fastest on this CPU and still finds the spans that fp32 finds? Measured on bundled text."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from components.encoder.ragged import Ragged
from components.reader.engines.base import SpanEngine
from components.reader.engines.int8_samples import calibration_windows
from components.reader.engines.openvino_engine import is_converted

# An engine is taken only if its best span is fp32's in this share of the bundled windows. bf16's is in all of them.
# int8's, in 97 of 100, costs 1.5 points of exact match where 20 passages compete for one answer (docs/decisions.md): it
# is there for who asks for it.
_AGREEMENT = 0.99
_LONGEST_SPAN = 30
_SECONDS = 0.4  # of measuring a candidate

logger = logging.getLogger(__name__)


def measure_engines(
    folder: Path, load: Callable[[str, str], SpanEngine]
) -> tuple[str, str, dict[str, dict[str, float]]]:
    """
    Compare the engines that this CPU can run, on bundled text.

    OpenVINO takes part once it has been converted (``engine: openvino`` does that, and takes a minute for int8).

    :param folder: model folder.
    :param load: loads it into the engine of a name, in the precision of a name.
    :returns: engine and precision of the fastest that agrees, and for each: passages per second, share of the windows
        whose best span is that of fp32.
    """
    exact = load("torch", "fp32")
    windows = calibration_windows(folder, exact.max_length)
    wanted = best_spans(exact, windows)
    table: dict[str, dict[str, float]] = {}
    candidates = [("torch", "fp32"), ("torch", "bf16"), ("torch", "int8")]
    candidates += [("openvino", each) for each in ("fp32", "int8") if is_converted(folder, each)]
    best, speed = candidates[0], 0.0
    for engine, precision in candidates:
        try:
            candidate = load(engine, precision)
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


def _pace(engine: SpanEngine, windows: Ragged) -> float:
    """
    Windows per second of processor time, all threads counted, best of as many runs as fit into the time.

    Not by the clock: the choice is kept, and on a machine that is busy with something else for a moment the clock tells
    nothing about the engines.
    """
    engine.logits(windows)
    best, end = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < end or best == float("inf"):
        begin = time.process_time()
        engine.logits(windows)
        best = min(best, time.process_time() - begin)
    return len(windows) / max(best, 1e-9)
