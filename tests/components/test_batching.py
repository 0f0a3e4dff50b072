"""Faults 29 to 34 of the fault model, on a fake engine."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from components.batching import (
    Batch,
    Closed,
    DynamicBatcher,
    QueueFull,
    RequestTimeout,
    RestartingBatcher,
    batch_observers,
    caller_deadline,
)


class Engine:
    """Doubles numbers; fails on a marker; may be held; remembers what it saw."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Event()
        self.free.set()
        self.entered = threading.Event()

    def __call__(self, asked: list[int]) -> list[int]:
        self.batches.append(asked)
        self.entered.set()
        assert self.free.wait(10), "a test left the engine held"
        if any(number < 0 for number in asked):
            raise RuntimeError("negative")
        return [2 * number for number in asked]

    def hold(self) -> None:
        self.free.clear()
        self.entered.clear()

    @property
    def seen(self) -> list[int]:
        return [number for batch in self.batches for number in batch]


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.free.set()


async def test_200_callers_with_failing_batches_all_get_their_own_answer(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, batch_cost=32)
    numbers = [-n if n % 50 == 7 else n for n in range(200)]
    answers = await asyncio.gather(*(gatherer.ask(n) for n in numbers), return_exceptions=True)
    for number, answer in zip(numbers, answers, strict=True):
        assert isinstance(answer, RuntimeError) if number < 0 else answer == 2 * number
    assert max(map(len, engine.batches)) > 1
    assert all(len(batch) <= 32 for batch in engine.batches)
    assert await gatherer.ask(5) == 10, "the next batch runs"
    gatherer.close()


async def test_neighbours_of_a_crash_are_computed_alone(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, linger=0.05)
    answers = await asyncio.gather(*(gatherer.ask(n) for n in (1, -2, 3)), return_exceptions=True)
    assert answers[0] == 2
    assert answers[2] == 6
    assert str(answers[1]) == "negative"
    assert engine.batches == [[1, -2, 3], [1], [-2], [3]]
    gatherer.close()


async def test_cancelled_callers_are_dropped_from_the_queue(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, queue_cost=1000)
    engine.hold()
    first = asyncio.create_task(gatherer.ask(1))
    await asyncio.to_thread(engine.entered.wait, 5)
    gone = [asyncio.create_task(gatherer.ask(n)) for n in range(100, 300)]
    await asyncio.sleep(0.02)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    last = asyncio.create_task(gatherer.ask(2))
    await asyncio.sleep(0.02)
    engine.free.set()
    assert (await first, await last) == (2, 4)
    assert engine.seen == [1, 2]
    gatherer.close()


def test_a_full_queue_says_so_at_once_and_recovers(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, cost=lambda n: n, queue_cost=100, batch_cost=100)
    engine.hold()
    running = gatherer.submit(1)
    assert engine.entered.wait(5)
    waiting = [gatherer.submit(50), gatherer.submit(50)]
    before = time.monotonic()
    for _ in range(10):
        with pytest.raises(QueueFull, match="100 of 100 are waiting"):
            gatherer.submit(1)
    assert time.monotonic() - before < 0.05
    waiting[0].cancel()
    waiting.append(gatherer.submit(40))
    engine.free.set()
    assert running.result(5) == 2
    assert [future.result(5) for future in waiting[1:]] == [100, 80]
    gatherer.close()


def test_one_request_heavier_than_the_bounds_is_computed_alone(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, cost=lambda n: n, queue_cost=10, batch_cost=10)
    assert gatherer.submit(1000).result(5) == 2000
    gatherer.close()


def test_what_expires_in_the_queue_is_never_computed(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine)
    engine.hold()
    running = gatherer.submit(1)
    assert engine.entered.wait(5)
    late = gatherer.submit(2, timeout=0.05)
    with pytest.raises(RequestTimeout):
        late.result(1)
    engine.free.set()
    assert running.result(5) == 2
    assert gatherer.submit(3).result(5) == 6
    assert engine.seen == [1, 3]
    gatherer.close()


async def test_a_hanging_engine_is_told_by_timeouts_and_by_its_busy_time(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, timeout=0.1)
    engine.hold()
    asked = [asyncio.create_task(gatherer.ask(n)) for n in range(20)]
    before = time.monotonic()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, RequestTimeout) for answer in answers)
    assert time.monotonic() - before < 2
    engine.free.set()
    assert await gatherer.ask(4, timeout=5) == 8
    gatherer.close()


def test_closing_in_the_middle_answers_everybody(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine, linger=0.0)
    engine.hold()
    running = gatherer.submit(1)
    assert engine.entered.wait(5)
    waiting = [gatherer.submit(n) for n in range(2, 50)]
    gatherer.close(grace=0.05)
    for future in (running, *waiting):
        with pytest.raises(Closed):
            future.result(1)
    with pytest.raises(Closed):
        gatherer.submit(1)


def test_closing_waits_for_the_running_batch(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine)
    engine.hold()
    running = gatherer.submit(1)
    assert engine.entered.wait(5)
    threading.Timer(0.05, engine.free.set).start()
    gatherer.close(grace=5)
    assert running.result(0) == 2


def test_several_event_loops_and_plain_threads_share_one(engine: Engine) -> None:
    gatherer = DynamicBatcher(engine)
    answers: list[int] = []

    def in_a_loop(base: int) -> None:
        async def many() -> list[int]:
            return await asyncio.gather(*(gatherer.ask(base + n) for n in range(20)))

        answers.extend(asyncio.run(many()))

    threads = [threading.Thread(target=in_a_loop, args=(100 * k,)) for k in range(4)]
    threads += [
        threading.Thread(target=lambda n=n: answers.append(gatherer.submit(n).result(5))) for n in range(900, 910)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(answers) == sorted(2 * (100 * k + n) for k in range(4) for n in range(20)) + [
        2 * n for n in range(900, 910)
    ]
    gatherer.close()


@pytest.mark.parametrize("wrong", [lambda asked: [], lambda asked: 1 / 0, lambda asked: exec("raise SystemExit")])
def test_whatever_goes_wrong_the_caller_hears_of_it(wrong: object) -> None:
    gatherer = DynamicBatcher(wrong)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises((RuntimeError, ZeroDivisionError, SystemExit)):
            gatherer.submit(1).result(5)
    gatherer.close()


def test_an_exception_as_an_answer_goes_to_its_caller_only() -> None:
    gatherer = DynamicBatcher(lambda asked: [KeyError("mine") if n == 1 else n for n in asked], linger=0.02)
    futures = [gatherer.submit(n) for n in range(3)]
    assert futures[0].result(5) == 0
    with pytest.raises(KeyError):
        futures[1].result(5)
    assert futures[2].result(5) == 2
    gatherer.close()


def test_bounds_must_be_positive() -> None:
    with pytest.raises(ValueError, match="queue_cost"):
        DynamicBatcher(list, queue_cost=0)


async def test_a_caller_that_stops_waiting_takes_its_request_along() -> None:
    """The deadline is set once, at the door, and holds inside: what is late is not computed."""
    computed: list[str] = []

    def slow(asked: list[str]) -> list[str]:
        computed.extend(asked)
        time.sleep(0.3)
        return asked

    batcher: DynamicBatcher[str, str] = DynamicBatcher(slow, batch_cost=1, linger=0.0)
    first = asyncio.create_task(batcher.ask("first"))
    await asyncio.sleep(0.05)
    token = caller_deadline.set(time.monotonic() + 0.05)
    try:
        with pytest.raises(RequestTimeout):
            await batcher.ask("late")
        with pytest.raises(RequestTimeout):
            await batcher.ask("later still")
    finally:
        caller_deadline.reset(token)
    assert await first == "first"
    assert await batcher.ask("next") == "next"
    assert computed == ["first", "next"]
    batcher.close()


async def test_whoever_observes_sees_every_batch() -> None:
    seen: list[Batch] = []
    batch_observers.append(seen.append)
    batcher: DynamicBatcher[str, str] = DynamicBatcher(lambda asked: asked, cost=len, linger=0.05, name="observed")
    try:
        await asyncio.gather(batcher.ask("ab"), batcher.ask("cde"))
    finally:
        batch_observers.remove(seen.append)
        batcher.close()
    assert [(batch.name, batch.requests, batch.cost) for batch in seen] == [("observed", 2, 5)]


async def test_a_closed_batcher_starts_again_with_the_next_request(engine: Engine) -> None:
    made: list[DynamicBatcher[int, int]] = []
    restarting = RestartingBatcher(lambda: made.append(DynamicBatcher(engine)) or made[-1])  # type: ignore[func-returns-value]
    restarting.close()
    assert await asyncio.gather(restarting.ask(1), restarting.ask(2)) == [2, 4]
    restarting.close()
    with pytest.raises(Closed):
        made[0].submit(1)
    assert await restarting.ask(3) == 6
    restarting.close()
    assert len(made) == 2
