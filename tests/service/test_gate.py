"""The gate learns what the pipeline gets through; a batch whose questions end together does not make it look slow."""

import asyncio
import time

import pytest

from service.access.caller import LOCAL
from service.errors import ServiceError
from service.load.gate import Gate


async def _ask(gate: Gate, batch: asyncio.Event, seconds: float = 30.0) -> None:
    async with gate.admit(LOCAL, 1000, time.monotonic() + seconds):
        await batch.wait()


async def _run_batch(gate: Gate, questions: int, seconds: float) -> None:
    batch = asyncio.Event()
    asked = [asyncio.create_task(_ask(gate, batch)) for _ in range(questions)]
    await asyncio.sleep(seconds)
    batch.set()
    await asyncio.gather(*asked)


async def test_a_batch_counts_as_a_whole() -> None:
    gate = Gate(in_flight=100_000, waiting=100_000)
    await _run_batch(gate, questions=16, seconds=0.6)
    await asyncio.sleep(0.15)
    assert gate.rate == pytest.approx(16_000 / 0.6, rel=0.2)
    await _run_batch(gate, questions=16, seconds=0.01)  # at once: the first measurement used to refuse them


async def test_a_rate_is_learnt_though_a_question_comes_in_the_same_moment() -> None:
    gate = Gate(in_flight=100_000, waiting=100_000)
    await _run_batch(gate, questions=4, seconds=0.6)
    await _run_batch(gate, questions=1, seconds=0.0)  # before the stretch was judged
    assert gate.rate == pytest.approx(4000 / 0.6, rel=0.2)


async def test_who_could_not_be_in_time_is_told_at_once() -> None:
    gate = Gate(in_flight=4000, waiting=1_000_000)
    await _run_batch(gate, questions=4, seconds=0.6)
    await asyncio.sleep(0.15)
    batch = asyncio.Event()
    asked = [asyncio.create_task(_ask(gate, batch)) for _ in range(12)]
    await asyncio.sleep(0)
    began = time.monotonic()
    with pytest.raises(ServiceError) as refused:
        await _ask(gate, batch, seconds=1.0)
    assert refused.value.status == 503 and refused.value.retry_after and time.monotonic() - began < 0.5
    batch.set()
    await asyncio.gather(*asked)


async def test_a_first_question_that_was_slow_speaks_for_no_other() -> None:
    gate = Gate(in_flight=100_000, waiting=100_000)
    first, rest = asyncio.Event(), asyncio.Event()
    asked = [asyncio.create_task(_ask(gate, batch)) for batch in (first, *[rest] * 15)]
    await asyncio.sleep(0.8)
    first.set()
    await asyncio.sleep(0.2)
    assert gate.rate == 0.0
    rest.set()
    await asyncio.gather(*asked)
    await asyncio.sleep(0.15)
    assert gate.rate == pytest.approx(16_000 / 1.0, rel=0.2)


async def test_the_pipeline_holds_seconds_of_work_by_the_pace_it_has() -> None:
    gate = Gate(in_flight=100_000, waiting=100_000, seconds=2.0)
    gate.rate = 2000.0
    batch = asyncio.Event()
    asked = [asyncio.create_task(_ask(gate, batch)) for _ in range(10)]
    await asyncio.sleep(0)
    assert (gate.running, gate.waiting) == (4, 6)
    gate.rate = 100.0  # however slow it is: one is read, the next is looked for
    batch.set()
    await asyncio.gather(*asked)
    assert gate.running == gate.waiting == 0


async def test_a_waiter_who_would_be_late_is_passed_over() -> None:
    gate = Gate(in_flight=1000, waiting=100_000)
    first, rest = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(_ask(gate, first))
    await asyncio.sleep(0)
    late = asyncio.create_task(_ask(gate, rest, seconds=1.0))
    patient = asyncio.create_task(_ask(gate, rest))
    await asyncio.sleep(0)
    gate.rate = 500.0  # it turns out that 1,000 tokens take two seconds
    first.set()
    await running
    with pytest.raises(ServiceError) as refused:
        await late
    assert refused.value.code == "busy" and gate.running == 1
    rest.set()
    await patient


async def test_a_question_of_the_servers_own_passes_by_the_line() -> None:
    gate = Gate(in_flight=1000, waiting=100_000)
    batch = asyncio.Event()
    asked = [asyncio.create_task(_ask(gate, batch)) for _ in range(3)]
    await asyncio.sleep(0)
    async with gate.pass_by(1):
        assert (gate.running, gate.waiting) == (2, 2)
    assert (gate.running, gate.waiting) == (1, 2)
    batch.set()
    await asyncio.gather(*asked)
