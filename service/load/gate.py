"""
Who is let in to the pipeline, who waits, and who is refused at once?

What is bounded is tokens: a question weighs the passages that are read for it, alone or as one of many in a request.
Some are handed to the pipeline, enough to fill its batches for a moment; others wait here, in order, where dropping
them costs nothing when their client is gone or their time is up; and who could not be answered in time is told so right
away. How long anything takes follows from the pace, tokens a second, which is learnt from what gets through.
"""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.access.caller import Caller
from service.errors import ServiceError

_MEMORY = 2.0  # seconds after which two thirds of an old pace are forgotten
_STRETCH = 0.5  # seconds at least that a pace is taken over
_BURST = 0.1  # seconds within which the questions of a batch end
_IN_TIME = 0.8  # of the time a request has left, this part may be spent waiting: the pace is an estimate


class _Waiter:
    def __init__(self, cost: int, deadline: float) -> None:
        self.cost, self.deadline = cost, deadline
        self.queued = True
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Gate:
    """
    For one event loop.

    :param in_flight: most tokens handed to the pipeline at once.
    :param waiting: tokens that may wait.
    :param share: part of the waiting room that one key may fill.
    :param seconds: of work that are handed to the pipeline at once, where its pace is known: what is in there cannot be
        taken back, and a question that comes now waits for all of it.
    """

    def __init__(self, in_flight: int, waiting: int, share: float = 1.0, seconds: float = math.inf) -> None:
        self.limit, self.room, self.share, self.seconds = in_flight, waiting, share, seconds
        self.running_cost = self.waiting_cost = 0
        self.running = 0
        self.rate = 0.0  # tokens a second that the pipeline gets through when it is busy; 0 until known
        self.last_done = time.monotonic()
        self._queue: deque[_Waiter] = deque()
        self._held: Counter[str] = Counter()  # tokens by caller
        self._done_cost = 0
        self._busy_since: float | None = None
        self._judging: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    @asynccontextmanager
    async def admit(self, caller: Caller, cost: int, deadline: float) -> AsyncIterator[float]:
        """
        Wait for a turn, and hold it while the block runs; gives the seconds that were waited.

        :param cost: tokens.
        :param deadline: on the monotonic clock.
        :raises ServiceError: 429 when the key holds its share, 503 when there is no room or no hope to be in time, 504
            when time is up while waiting.
        """
        self._require_room(caller, cost, deadline)
        begin = time.monotonic()
        self._held[caller.name] += cost
        try:
            if self._queue or not self._has_place(cost):
                await self._wait(cost, deadline)
            else:
                self._enter(cost)
            task = asyncio.current_task()
            try:
                if task is not None:
                    self._tasks.add(task)
                yield time.monotonic() - begin
                self._count(cost)
            finally:
                self._tasks.discard(task)
                self._leave(cost)
        finally:
            self._held[caller.name] -= cost
            if self._held[caller.name] <= 0:
                del self._held[caller.name]

    @asynccontextmanager
    async def pass_by(self, cost: int) -> AsyncIterator[None]:
        """Enter at once, past those who wait, for what must not be starved by them: a question of the server's own."""
        self._enter(cost)
        try:
            yield
            self._count(cost)
        finally:
            self._leave(cost)

    def expected_wait(self, cost: int = 0) -> float:
        """Seconds until what comes now would be done, as far as is known."""
        return (self.running_cost + self.waiting_cost + cost) / self.rate if self.rate else 0.0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def idle_for(self) -> float:
        """Seconds since anything was done while something is in the pipeline; 0 when nothing is."""
        return time.monotonic() - max(self.last_done, self._busy_since or 0.0) if self.running else 0.0

    def abandon(self) -> int:
        """Cancel whoever waits for the pipeline or is in it: it hangs. Returns how many."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for waiter in self._queue:
            if not waiter.turn.done():
                waiter.turn.set_exception(ServiceError(503, "engine_hangs", "Nothing is answered at present.", 10))
        return len(tasks)

    def _require_room(self, caller: Caller, cost: int, deadline: float) -> None:
        share = caller.share if caller.share is not None else self.share
        bound = share * (self.limit + self.room)
        if share < 1 and self._held[caller.name] and self._held[caller.name] + cost > bound:
            raise ServiceError(
                429, "share_used_up", "This key already fills its share of the queue.", self._retry(cost)
            )
        if self.waiting_cost and self.waiting_cost + cost > self.room:
            raise ServiceError(503, "busy", "Too much is waiting. Ask again later.", self._retry(cost))
        left = deadline - time.monotonic()
        if self.running and self.expected_wait(cost) > _IN_TIME * left:
            raise self._hopeless(cost)

    def _hopeless(self, cost: int) -> ServiceError:
        return ServiceError(503, "busy", "This could not be answered in time. Ask again later.", self._retry(cost))

    def _retry(self, cost: int) -> float:
        return math.ceil(max(1.0, self.expected_wait(cost) / 2))

    async def _wait(self, cost: int, deadline: float) -> None:
        waiter = _Waiter(cost, deadline)
        self._queue.append(waiter)
        self.waiting_cost += cost
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                await waiter.turn
        except BaseException as error:
            if waiter.queued:
                self._queue.remove(waiter)
                waiter.queued = False
                self.waiting_cost -= cost
            elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self._leave(cost)  # its turn came in the same moment
            if isinstance(error, TimeoutError):
                raise ServiceError(504, "timeout", "No answer in the time allowed.") from None
            raise

    def _enter(self, cost: int) -> None:
        if not self.running:
            self._learn()
            self._busy_since = time.monotonic()
        self.running += 1
        self.running_cost += cost

    def _has_place(self, cost: int) -> bool:
        """Whether the pipeline takes this, too: one request at least, and a second one of its kind."""
        if not self.running:
            return True
        paced = max(self.rate * self.seconds, 2.0 * cost) if self.rate else math.inf
        return self.running_cost + cost <= min(self.limit, paced)

    def _leave(self, cost: int) -> None:
        self.running -= 1
        self.running_cost -= cost
        while self._queue and self._has_place(self._queue[0].cost):
            waiter = self._queue.popleft()
            waiter.queued = False
            self.waiting_cost -= waiter.cost
            if waiter.turn.done():
                continue
            if self.rate and time.monotonic() + (self.running_cost + waiter.cost) / self.rate > waiter.deadline:
                # Computed, it would be late, and would make those behind it late.
                waiter.turn.set_exception(self._hopeless(waiter.cost))
                continue
            self._enter(waiter.cost)
            waiter.turn.set_result(None)

    def _count(self, cost: int) -> None:
        """
        Note what got through. A stretch is judged a little after it ended: a batch's questions end together, and the
        first of them alone would make the pipeline look as slow as the batch is large.
        """
        self.last_done = time.monotonic()
        self._done_cost += cost
        if self._judging is None and self.last_done - (self._busy_since or self.last_done) >= _STRETCH:
            self._judging = asyncio.get_running_loop().call_later(_BURST, self._learn)

    def _learn(self) -> None:
        """Learn how many tokens a second get through, from stretches in which there was always something to do."""
        if self._judging is not None:
            self._judging.cancel()
            self._judging = None
            if self._done_cost < self.running_cost:
                return  # a first question that was read alone, and cold, says nothing of those behind it
            seconds = self.last_done - (self._busy_since or 0.0)
            rate = self._done_cost / seconds
            if rate > self.rate:
                self.rate = rate  # it can do this much; who doubts it refuses what could be answered
            elif self._queue or self.running_cost > rate:  # an idle pipeline says nothing of what it could do
                self.rate += (1.0 - math.exp(-seconds / _MEMORY)) * (rate - self.rate)
            self._busy_since = self.last_done
        self._done_cost = 0
