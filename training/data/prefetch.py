"""Steps laid out by a thread while the model computes the one before; errors arrive where the step would have."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.data.windows import WindowBatch, WindowPlan

DEPTH = 4


@dataclass(frozen=True)
class Step:
    """Batches of this process, each with its weight (0 for one that only keeps processes in step), and the number of
    questions of the whole step over all processes."""

    batches: tuple[tuple[WindowBatch, float], ...]
    questions: int


def prefetch(
    steps: Sequence[Sequence[WindowPlan]],
    lay_out: Callable[[WindowPlan], WindowBatch],
    rank: int = 0,
    processes: int = 1,
) -> Iterator[Step]:
    """Lay the steps out ahead of their use. Of a step's batches, this process gets every `processes`-th."""
    ready: queue.Queue[Any] = queue.Queue(maxsize=DEPTH)
    stop = threading.Event()

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for step in steps:
                if not put(_step(step, lay_out, rank, processes)):
                    return
            put(None)
        except BaseException as error:
            put(error)

    worker = threading.Thread(target=work, name="prefetch", daemon=True)
    worker.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        worker.join()


def _step(step: Sequence[WindowPlan], lay_out: Callable[[WindowPlan], WindowBatch], rank: int, processes: int) -> Step:
    questions = sum(int((plan.group[1:] != plan.group[:-1]).sum()) + 1 for plan in step)
    rounds = -(-len(step) // processes)
    batches = []
    for number in range(rounds):
        place = number * processes + rank
        batches.append((lay_out(step[place]), 1.0) if place < len(step) else (lay_out(step[0]), 0.0))
    return Step(tuple(batches), questions)
