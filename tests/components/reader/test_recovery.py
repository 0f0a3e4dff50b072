"""Fault 34: the device's memory is short, or its errors stay. On a fake engine that fails as torch does."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from haystack import Document

from components.encoder.ragged import Ragged
from components.reader import ExtractiveReader
from components.reader.engines.base import SpanEngine
from components.reader.recovery import (
    DeviceFull,
    DeviceLost,
    RecoveringEngine,
    is_out_of_memory,
    is_sticky,
    run_halving,
)

FULL = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
)
STICKY = (
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nFor debugging consider ..."),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`"),
)
FOUND = [Document(content=f"The tower number {n} was built in {1800 + n} by Eiffel.", score=-n) for n in range(9)]


class Failing:
    """An engine that raises ``error`` when ``when`` says so of a batch, and else computes."""

    def __init__(self, engine: SpanEngine, when: Callable[[Ragged], bool], error: Exception) -> None:
        self.engine, self.when, self.error = engine, when, error
        self.name, self.max_length = engine.name, engine.max_length
        self.calls: list[int] = []

    def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
        self.calls.append(len(batch))
        if self.when(batch):
            raise self.error
        return self.engine.logits(batch)


@pytest.fixture
def reader(reader_of: Callable[[str], Path]) -> Iterator[ExtractiveReader]:
    settings = {"device": "cpu", "engine": "torch", "precision": "fp32", "max_seq_length": 96, "stride": 16}
    made = ExtractiveReader(str(reader_of("bert")), **settings, timeout=20.0)
    yield made
    made.close()


def failing(reader: ExtractiveReader, when: Callable[[Ragged], bool], error: Exception) -> Failing:
    engine = Failing(reader.span_reader.engine, when, error)
    reader.span_reader.recovering.engine = engine
    return engine


def shown(answers: list) -> list[tuple]:
    return [(answer.data, round(answer.score, 4)) for answer in answers]


@pytest.mark.parametrize("error", FULL, ids=lambda error: str(error)[:30])
def test_short_memory_and_broken_devices_are_told_apart(error: Exception) -> None:
    assert is_out_of_memory(error) and not is_sticky(error)


@pytest.mark.parametrize("error", [*STICKY, ValueError("CUDA error"), RuntimeError("shapes differ")], ids=str)
def test_what_is_sticky(error: Exception) -> None:
    assert not is_out_of_memory(error) and is_sticky(error) == (error in STICKY)


@pytest.mark.parametrize("fits", [1, 2, 3, 8, 100])
def test_halves_keep_the_order(fits: int) -> None:
    tried: list[int] = []

    def compute(rows: np.ndarray) -> list[int]:
        tried.append(len(rows))
        if len(rows) > fits:
            raise FULL[0]
        return rows.tolist()

    rows = np.arange(23)[::-1]
    assert [row for part in run_halving(compute, rows) for row in part] == rows.tolist()
    assert len(tried) < 2 * 23


@pytest.mark.parametrize("fits", [1, 4])
@pytest.mark.parametrize("error", [FULL[0], FULL[1]], ids=["torch's type", "text"])
def test_a_batch_that_does_not_fit_is_read_in_halves(reader: ExtractiveReader, fits: int, error: Exception) -> None:
    whole = shown(reader.run("Who?", FOUND)["answers"])
    engine = failing(reader, lambda batch: len(batch) > fits, error)
    assert shown(reader.run("Who?", FOUND)["answers"]) == whole
    assert engine.calls[0] == 9, "at first all at once"
    assert sum(n for n in engine.calls if n <= fits) == 9


async def test_only_the_request_whose_window_never_fits_gets_the_error(reader: ExtractiveReader) -> None:
    failing(reader, lambda batch: batch.longest > 60, FULL[0])
    long = [Document(content="Who built the tower? " * 12)]
    good, bad, other = await asyncio.gather(
        reader.run_async("Who?", FOUND), reader.run_async("Who?", long), reader.run_async("When?", FOUND),
        return_exceptions=True,
    )  # fmt: skip
    assert good["answers"] and other["answers"]
    assert isinstance(bad, DeviceFull) and "max_seq_length" in str(bad)
    assert (await reader.run_async("Who?", FOUND))["answers"], "and the next one is answered"


@pytest.mark.parametrize("error", STICKY, ids=lambda error: str(error)[12:30])
def test_after_a_sticky_error_the_engine_is_built_anew(reader: ExtractiveReader, error: Exception) -> None:
    whole = shown(reader.run("Who?", FOUND)["answers"])
    for _ in range(2):  # an error long after the last one is met in the same way
        engine = failing(reader, lambda batch: True, error)
        assert shown(reader.run("Who?", FOUND)["answers"]) == whole
        assert engine.calls == [9] and reader.span_reader.engine is not engine


@pytest.mark.parametrize("rebuilds", [True, False], ids=["fails again", "cannot be loaded"])
async def test_when_that_does_not_help_everybody_is_told_to_restart(reader: ExtractiveReader, rebuilds: bool) -> None:
    engine = failing(reader, lambda batch: True, STICKY[0])
    built: list[int] = []

    def rebuild() -> SpanEngine:
        built.append(1)
        if not rebuilds:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return engine

    reader.span_reader.recovering._rebuild = rebuild
    ended = await asyncio.wait_for(
        asyncio.gather(*(reader.run_async("Who?", FOUND) for _ in range(20)), return_exceptions=True), 15
    )
    assert [type(error) for error in ended] == [DeviceLost] * 20
    assert all("restart this process" in str(error) and "illegal memory access" in str(error) for error in ended)
    calls = len(engine.calls)
    with pytest.raises(DeviceLost, match="restart this process"):
        reader.run("Who?", FOUND)
    assert len(engine.calls) == calls and built == [1], "a lost device is not asked again"


def test_other_errors_stay_what_they_are(reader: ExtractiveReader) -> None:
    engine = failing(reader, lambda batch: True, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        reader.run("Who?", FOUND)
    assert engine.calls == [9] and reader.span_reader.engine is engine


def test_the_old_engine_is_gone_before_another_is_loaded() -> None:
    """Both together may not fit into the device's memory."""
    old = SimpleNamespace(name="old", max_length=8)
    held: list[object] = []

    def rebuild() -> object:
        held.append(kept.engine)
        return SimpleNamespace(name="new", max_length=8)

    kept = RecoveringEngine(old, rebuild)  # type: ignore[arg-type]

    def work() -> str:
        if kept.engine is old:
            raise RuntimeError("CUDA error: unspecified launch failure")
        return kept.engine.name

    assert kept.run(work) == "new"
    assert held[0] is not old
    with pytest.raises(DeviceLost, match="old is gone"):
        held[0].logits(None)  # type: ignore[attr-defined]


def test_a_request_that_is_at_fault_itself_loses_only_itself() -> None:
    """The engine works again; what the request does next is no failure of the device."""
    kept = RecoveringEngine(
        SimpleNamespace(name="old", max_length=8), lambda: SimpleNamespace(name="new", max_length=8)
    )  # type: ignore[arg-type]
    errors = [RuntimeError("CUDA error: device-side assert triggered"), ValueError("this question is at fault")]

    def work() -> str:
        raise errors.pop(0)

    with pytest.raises(ValueError, match="at fault"):
        kept.run(work)
    assert kept.lost is None and kept.run(lambda: "goes on") == "goes on"
