"""Every engine against transformers' own model: same weights, same windows."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.encoder.int8 import int8_available
from components.encoder.ragged import Ragged
from components.reader.engines import benchmark
from components.reader.engines.base import SpanEngine
from components.reader.engines.benchmark import best_spans, measure_engines
from components.reader.engines.selection import load_engine

needs_int8 = pytest.mark.skipif(not int8_available(), reason="int8 in torch needs AVX-512")
ENGINES = [
    ("torch", "fp32", 1e-4),
    ("torch", "bf16", 0.5),
    pytest.param("torch", "int8", 2.0, marks=needs_int8),
    ("openvino", "fp32", 1e-4),
    pytest.param("openvino", "int8", 2.0, marks=pytest.mark.slow),
    ("transformers", "fp32", 1e-4),
]


def logits(engine: SpanEngine, batch: Ragged) -> torch.Tensor:
    return torch.stack(engine.logits(batch)).cpu()


@pytest.mark.parametrize(("name", "precision", "most"), ENGINES)
def test_equals_transformers(
    name: str, precision: str, most: float, bundled: Path, windows: Ragged, reference: torch.Tensor, cache: Path
) -> None:
    engine = load_engine(bundled, name, precision, "cpu")
    assert isinstance(engine, SpanEngine)
    assert engine.name == f"{name}-{precision}-cpu"
    some = windows.take(np.arange(20))
    got = logits(engine, some)
    assert got.dtype == torch.float32
    assert (got - reference).abs().max() < most
    assert (got - reference).abs().mean() < most / 4
    alone = torch.cat([logits(engine, some.take(np.array([n]))) for n in range(5)], 1)
    # in company as alone: to rounding in fp32; int8 and bf16 round more, but ranges do not move
    assert (got[:, : alone.shape[1]] - alone).abs().max() < max(most / 10, 1e-4)


@pytest.mark.parametrize(("name", "precision", "most"), ENGINES)
def test_no_sequence_empty_ones_and_too_long_ones(
    name: str, precision: str, most: float, bundled: Path, windows: Ragged, cache: Path
) -> None:
    engine = load_engine(bundled, name, precision, "cpu")
    assert logits(engine, Ragged.of([])).shape == (2, 0)
    mixed = Ragged.of([[], [101], [], [101, 102]])
    assert torch.isfinite(logits(engine, mixed)).all()
    with pytest.raises(ValueError, match="at most 512"):
        engine.logits(Ragged.of([[101] * 513]))
    with pytest.raises(ValueError, match="30521"):
        engine.logits(Ragged.of([[101, 30522]]))


@needs_int8
def test_int8_keeps_the_answers(bundled: Path, windows: Ragged, cache: Path) -> None:
    exact, fast = (best_spans(load_engine(bundled, "torch", each, "cpu"), windows) for each in ("fp32", "int8"))
    assert (exact == fast).mean() >= 0.93


@pytest.mark.parametrize("family", ["roberta", "distilbert", "electra"])
def test_openvino_computes_every_packed_family(
    family: str, tiny_model: Callable[..., tuple[Path, Any]], cache: Path
) -> None:
    folder, _ = tiny_model(family)
    batch = Ragged.of([[9, 8, 7] * 7, [5], [6, 7] * 20])
    wanted = logits(load_engine(folder, "torch", "fp32", "cpu"), batch)
    np.testing.assert_allclose(logits(load_engine(folder, "openvino", "fp32"), batch), wanted, atol=1e-4)


def test_other_families_go_to_transformers(tiny_model: Callable[..., tuple[Path, Any]], cache: Path) -> None:
    folder, model = tiny_model("deberta-v2")
    for setting in ("auto", "torch"):
        engine = load_engine(folder, setting, device="cpu")
        assert engine.name == "transformers-fp32-cpu"
    rows = [[9, 8, 7], [5], [6, 7] * 20]
    with torch.inference_mode():
        alone = [model(input_ids=torch.tensor([row])) for row in rows]
    wanted = torch.cat([torch.cat([out.start_logits, out.end_logits]) for out in alone], 1)
    np.testing.assert_allclose(logits(engine, Ragged.of(rows)), wanted, atol=1e-5)
    with pytest.raises(ValueError, match="Use engine 'transformers'"):
        load_engine(folder, "openvino")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"engine": "onnx"}, "engine 'onnx' is unknown.*'openvino'"),
        ({"precision": "fp8"}, "precision 'fp8' is unknown.*'bf16'"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"engine": "torch", "precision": "fp16", "device": "cpu"}, "'fp16' is for CUDA"),
        ({"engine": "openvino", "precision": "bf16"}, "'fp32' or 'int8'"),
        ({"engine": "openvino", "device": "cuda"}, "on the CPU"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], said: str, bundled: Path) -> None:
    with pytest.raises(ValueError, match=said):
        load_engine(bundled, **settings)


def test_auto_measures_once_and_remembers(
    bundled: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXCERPT_CACHE", str(tmp_path))
    monkeypatch.setattr(benchmark, "_SECONDS", 0.01)
    first = load_engine(bundled, device="cpu")
    (choice,) = (json.loads(file.read_text()) for file in tmp_path.glob("choice-*/choice.json"))
    table = choice["measured"]
    assert {"torch-fp32-cpu", "torch-bf16-cpu"} <= set(table)
    assert first.name == f"{choice['engine']}-{choice['precision']}-cpu"
    assert table[first.name]["agreement"] >= 0.99

    def never(*asked: object) -> None:
        raise AssertionError("measured twice")

    monkeypatch.setattr(benchmark, "measure_engines", never)
    assert load_engine(bundled, device="cpu").name == first.name


def test_auto_takes_no_engine_that_disagrees(bundled: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    class Liar:
        def __init__(self, engine: SpanEngine) -> None:
            self.engine, self.name, self.max_length = engine, "liar", engine.max_length

        def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.zeros(batch.total), torch.zeros(batch.total)

    def load(engine: str, precision: str) -> SpanEngine:
        made = load_engine(bundled, engine, precision, "cpu")
        return made if precision == "fp32" else Liar(made)

    monkeypatch.setattr(benchmark, "_SECONDS", 0.01)
    assert measure_engines(bundled, load)[1] == "fp32"


def test_auto_reads_small_models_and_those_without_a_tokenizer_in_fp32(
    bundled: Path, tiny_model: Callable[..., tuple[Path, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCERPT_CACHE", str(tmp_path / "cache"))
    assert load_engine(tiny_model("bert")[0], device="cpu").name == "torch-fp32-cpu"
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(bundled / name, bare)
    assert load_engine(bare, device="cpu").name == "torch-fp32-cpu"


def test_best_spans_against_all_pairs() -> None:
    rng = np.random.default_rng(0)
    batch = Ragged.of([[1] * n for n in (1, 5, 60, 33)])

    class Random:
        name, max_length = "random", 512

        def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
            return start, end

    start, end = (torch.from_numpy(rng.normal(size=batch.total).astype(np.float32)) for _ in range(2))
    for row, (a, b) in enumerate(zip(batch.starts, batch.starts[1:], strict=False)):
        pairs = {(s, e): float(start[a + s] + end[a + e]) for s in range(b - a) for e in range(s, min(b - a, s + 30))}
        assert best_spans(Random(), batch)[row] == max(pairs, key=pairs.__getitem__)[0]
