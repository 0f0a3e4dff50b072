"""Span logits by OpenVINO on the CPU, in fp32 or in int8 quantised by NNCF."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.build_cache import build_or_load, cache_folder, is_whole
from components.encoder.checkpoint import read_checkpoint
from components.encoder.families import UnsupportedModel, read_config
from components.encoder.ragged import Ragged, rounded_up
from components.models import max_tokens, model_digest
from components.reader.engines.int8_samples import calibration_windows
from components.reader.engines.openvino_graph import span_model

if TYPE_CHECKING:
    import openvino as ov
    import torch

_FORMAT = 1  # of the graph and of how it is quantised: raise it when either changes
_PRECISIONS = ("fp32", "int8")
_STEP = 16  # lengths are padded to multiples of this: OpenVINO makes kernels for each new shape
_PADDED = -1e9


class OpenVinoEngine:
    """
    The encoder as an OpenVINO graph, one thread to a stream, one stream to a core.

    Converted, and for int8 quantised by NNCF (post-training, 100 bundled windows; about a minute), on first use; the
    result is kept in the cache folder. Families that the packed encoder does not know are not converted.

    :param folder: model folder.
    :param precision: "fp32" or "int8".
    :param tokens_a_pass: tokens of a batch, padding included.
    :raises ValueError: another precision, or another family.
    """

    def __init__(self, folder: Path, precision: str = "fp32", tokens_a_pass: int = 1024) -> None:
        if precision not in _PRECISIONS:
            raise ValueError(f"engine 'openvino' computes in {' or '.join(map(repr, _PRECISIONS))}, not '{precision}'.")
        try:
            import openvino as ov
        except ImportError as error:
            raise ValueError("engine 'openvino' is not installed: pip install 'excerpt[openvino]'.") from error
        try:
            self.config = read_config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        except UnsupportedModel as error:
            raise ValueError(
                f"engine 'openvino' cannot convert this model: {error} Use engine 'transformers'."
            ) from error

        def make(entry: Path) -> None:
            model = span_model(read_checkpoint(folder))
            if precision == "int8":
                model = _quantised(model, calibration_windows(folder, max_tokens(folder).tokens), self._feed)
            ov.save_model(model, entry / "model.xml", compress_to_fp16=False)

        core = ov.Core()
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        self._compiled = build_or_load(
            _entry(folder, precision), make, lambda entry: core.compile_model(entry / "model.xml", "CPU", options)
        )
        self._queue = ov.AsyncInferQueue(self._compiled)
        self._queue.set_callback(_keep)
        self.name = f"openvino-{precision}-cpu"
        self.max_length = max_tokens(folder).tokens
        self.tokens_a_pass = tokens_a_pass

    def logits(self, batch: Ragged) -> "tuple[torch.Tensor, torch.Tensor]":
        """Start and end logits of every token, float32 (total,) each; see SpanEngine."""
        import torch

        self.config.check(batch)
        logits = np.zeros((2, batch.total), dtype=np.float32)
        for rows in batch.within_budget(self.tokens_a_pass, padded=True):
            part = batch.take(rows)
            if part.total:
                feed, inside = self._feed(part)
                self._queue.start_async(feed, userdata=(logits, batch.token_indices(rows), inside))
        self._queue.wait_all()
        return torch.from_numpy(logits[0]), torch.from_numpy(logits[1])

    def _feed(self, part: Ragged) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Padded inputs, and where in them tokens are: bool (sequences, length)."""
        length = rounded_up(part.longest, _STEP)
        inside = np.arange(length) < part.lengths[:, None]
        feed = {name: np.zeros(inside.shape, dtype=np.int32) for name in ("ids", "types", "positions")}
        feed["ids"][inside], feed["types"][inside] = part.ids, part.types
        feed["positions"][inside] = self.config.position_rows(part)
        mask = np.where(inside, np.float32(0), np.float32(_PADDED))[:, None, None, :]
        return {**feed, "mask": mask.astype(np.float32)}, inside


def is_converted(folder: Path, precision: str) -> bool:
    """Whether OpenVINO is installed and the cache holds this model in this precision."""
    return find_spec("openvino") is not None and is_whole(_entry(folder, precision))


def _entry(folder: Path, precision: str) -> Path:
    from importlib.metadata import version

    return cache_folder() / f"openvino-{version('openvino')}-{model_digest(folder)}-{precision}-{_FORMAT}"


def _keep(request: object, userdata: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    logits, places, inside = userdata
    logits[:, places] = request.get_output_tensor(0).data[inside].T  # type: ignore[attr-defined]


def _quantised(model: "ov.Model", windows: Ragged, feed: Callable[[Ragged], Any]) -> "ov.Model":
    import nncf

    samples = [windows.take(np.array([number])) for number in range(len(windows))]
    dataset = nncf.Dataset(samples, lambda sample: feed(sample)[0])
    return nncf.quantize(
        model, dataset, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(samples), fast_bias_correction=True
    )
