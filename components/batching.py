"""Dynamic batching: joins concurrent requests into batches for one worker; every request ends within its deadline."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextvars import ContextVar
from typing import Generic, NamedTuple, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# When the caller stops waiting, on the monotonic clock: set it around a pipeline's run, and every batcher on the way
# gives up by then. None: each batcher's own timeout alone.
caller_deadline: ContextVar[float | None] = ContextVar("caller_deadline", default=None)


class Batch(NamedTuple):
    """A batch that was computed. ``cost`` is in the batcher's unit, ``seconds`` is how long computing took."""

    name: str
    requests: int
    cost: int
    seconds: float


# Called after every batch, from the batcher's thread: for metrics. Must be quick and not raise.
batch_observers: list[Callable[[Batch], None]] = []


class QueueFull(RuntimeError):
    """More is waiting than the queue takes. Ask again later: the caller is told at once, not after a wait."""


class RequestTimeout(TimeoutError):
    """The request's time ran out while it waited or was computed."""


class Closed(RuntimeError):
    """The batcher was closed before this request was answered."""


class _Job(Generic[Asked, Answer]):
    def __init__(self, asked: Asked, cost: int, deadline: float) -> None:
        self.asked, self.cost, self.deadline = asked, cost, deadline
        self.future: Future[Answer] = Future()

    def finish(self, answer: Answer | None, error: BaseException | None = None) -> None:
        """Answer the caller, unless a cancellation or the deadline was quicker: the first word stands."""
        try:
            if error is None:
                self.future.set_result(answer)  # type: ignore[arg-type]
            else:
                self.future.set_exception(error)
        except InvalidStateError:
            pass


class DynamicBatcher(Generic[Asked, Answer]):
    """
    A bounded queue, a worker thread that computes batches, and a watch that keeps every deadline.

    Each request ends in exactly one of: its answer; the error that computing it alone raised; RequestTimeout; Closed;
    or the caller's own cancellation. Threads and event loops may be mixed freely. Threads start with the first request.

    :param compute: answers a list of requests, one answer each, in order. An exception instance as an answer is raised
        to that caller only. If it raises, each request of the batch is computed again alone: only the guilty fails.
    :param cost: what a request weighs, in the unit of the two bounds (tokens, say); at least 1 is counted.
    :param batch_cost: a batch is cut before it exceeds this (one request may be heavier).
    :param queue_cost: requests beyond this are refused with QueueFull, except into an empty queue.
    :param timeout: seconds from submission to answer, on the monotonic clock, if the caller says nothing else.
    :param linger: seconds that a first request waits for company.
    :param name: of the threads.
    """

    def __init__(
        self,
        compute: Callable[[list[Asked]], Sequence[Answer | BaseException]],
        *,
        cost: Callable[[Asked], int] = lambda asked: 1,
        batch_cost: int = 64,
        queue_cost: int = 1024,
        timeout: float = 120.0,
        linger: float = 0.001,
        name: str = "batcher",
    ) -> None:
        for setting, value in (("batch_cost", batch_cost), ("queue_cost", queue_cost), ("timeout", timeout)):
            if not value > 0:
                raise ValueError(f"{name}: {setting} must be above 0, got {value}.")
        self._compute, self._cost = compute, cost
        self._batch_cost, self._queue_cost = batch_cost, queue_cost
        self._timeout, self._linger, self._name = timeout, linger, name
        self._changed = threading.Condition()
        self._queue: deque[_Job[Asked, Answer]] = deque()
        self._queued_cost = 0
        self._running: list[_Job[Asked, Answer]] = []
        self._busy = False
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, asked: Asked, timeout: float | None = None) -> "Future[Answer]":
        """
        Put a request on the queue; from any thread.

        :returns: a future; cancelling it takes the request off the queue.
        :raises QueueFull: at once, when too much is waiting.
        :raises Closed: after ``close``.
        """
        seconds = self._timeout if timeout is None else timeout
        job: _Job[Asked, Answer] = _Job(asked, max(1, self._cost(asked)), time.monotonic() + seconds)
        with self._changed:
            if self._closed:
                raise Closed(f"{self._name} is closed: nothing more is computed.")
            self._drop_abandoned()
            if self._queue and self._queued_cost + job.cost > self._queue_cost:
                raise QueueFull(
                    f"{self._name}: {self._queued_cost} of {self._queue_cost} are waiting and this request weighs "
                    f"{job.cost}. Ask again later, ask for less, or raise the bound of the queue."
                )
            self._queue.append(job)
            self._queued_cost += job.cost
            self._start()
            self._changed.notify_all()
        return job.future

    async def ask(self, asked: Asked, timeout: float | None = None) -> Answer:
        """
        ``submit`` from an event loop, and wait without blocking it. Cancelling the wait drops the request.

        :raises RequestTimeout: also when `caller_deadline` has passed.
        """
        if (deadline := caller_deadline.get()) is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._too_late()
            timeout = min(left, self._timeout if timeout is None else timeout)
        return await asyncio.wrap_future(self.submit(asked, timeout))

    def close(self, grace: float = 5.0) -> None:
        """
        Take no more, answer what is queued with Closed, and what is being computed after ``grace`` seconds at latest.
        """
        with self._changed:
            self._closed = True
            for job in self._queue:
                job.finish(None, Closed(f"{self._name} was closed before this was computed."))
            self._queue.clear()
            self._queued_cost = 0
            self._changed.notify_all()
            if self._threads and threading.current_thread() not in self._threads:
                self._changed.wait_for(lambda: not self._busy, grace)
            for job in self._running:
                job.finish(None, Closed(f"{self._name} was closed while this was computed."))
            self._changed.notify_all()

    def _start(self) -> None:
        if not self._threads:
            # Daemons: a hanging computation must not keep the process from ending.
            for target, what in ((self._work, "worker"), (self._watch, "watch")):
                self._threads.append(threading.Thread(target=target, name=f"{self._name}-{what}", daemon=True))
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
            time.sleep(self._linger)
            with self._changed:
                batch = self._running = self._take()
                self._busy = True
            began = time.monotonic()
            try:
                self._answer(batch)
            finally:
                seconds = time.monotonic() - began
                with self._changed:
                    self._running, self._busy = [], False
                    self._changed.notify_all()
                for observe in batch_observers if batch else ():
                    observe(Batch(self._name, len(batch), sum(job.cost for job in batch), seconds))

    def _take(self) -> list[_Job[Asked, Answer]]:
        """The oldest requests that fit into one batch; those whose callers are gone or too late are left out."""
        batch: list[_Job[Asked, Answer]] = []
        cost = 0
        while self._queue and (not batch or cost + self._queue[0].cost <= self._batch_cost):
            job = self._queue.popleft()
            self._queued_cost -= job.cost
            if job.future.done():
                continue
            if job.deadline <= time.monotonic():
                job.finish(None, self._too_late())
                continue
            batch.append(job)
            cost += job.cost
        return batch

    def _answer(self, batch: list[_Job[Asked, Answer]]) -> None:
        if not batch:
            return
        try:
            answers = self._compute([job.asked for job in batch])
            if len(answers) != len(batch):
                raise RuntimeError(f"{self._name}: {len(batch)} requests got {len(answers)} answers.")
        except BaseException as error:  # whatever it was, callers are waiting
            if len(batch) == 1:
                batch[0].finish(None, error)
                return
            for job in batch:
                if not job.future.done() and not self._closed:
                    self._answer([job])
            return
        for job, answer in zip(batch, answers, strict=True):
            job.finish(*((None, answer) if isinstance(answer, BaseException) else (answer, None)))

    def _watch(self) -> None:
        """Answers whose time runs out, also while the worker hangs in a computation."""
        with self._changed:
            while not (self._closed and not self._busy):
                now = time.monotonic()
                waiting = [job for job in (*self._queue, *self._running) if not job.future.done()]
                for job in waiting:
                    if job.deadline <= now:
                        job.finish(None, self._too_late())
                self._drop_abandoned()
                left = [job.deadline - now for job in waiting if job.deadline > now]
                self._changed.wait(min(left) if left else None)

    def _drop_abandoned(self) -> None:
        if any(job.future.done() for job in self._queue):
            self._queue = deque(job for job in self._queue if not job.future.done())
            self._queued_cost = sum(job.cost for job in self._queue)

    def _too_late(self) -> RequestTimeout:
        return RequestTimeout(
            f"{self._name}: no answer within the time allowed. Ask for less at once, or allow more time."
        )


class RestartingBatcher(Generic[Asked, Answer]):
    """
    A DynamicBatcher that starts with the first request, and again with the first one after ``close``.

    :param make: makes the batcher; called by one thread at a time.
    """

    def __init__(self, make: Callable[[], DynamicBatcher[Asked, Answer]]) -> None:
        self._make = make
        self._batcher: DynamicBatcher[Asked, Answer] | None = None
        self._lock = threading.Lock()

    async def ask(self, asked: Asked) -> Answer:
        """See :meth:`DynamicBatcher.ask`."""
        with self._lock:
            batcher = self._batcher = self._batcher or self._make()
        return await batcher.ask(asked)

    def close(self) -> None:
        """Answer whoever still waits with Closed and end the worker."""
        with self._lock:
            batcher, self._batcher = self._batcher, None
        if batcher is not None:
            batcher.close()
