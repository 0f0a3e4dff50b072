"""
Is the service ready? It is when a question of our own went through the real queue a moment ago.

A health check that only says "the process runs" lies when the engine hangs: so a canary question takes the way that
questions take, through the queues of embedder, store and reader, and when nothing at all comes back any more, those who
wait are told, and every thread's stack is written down for whoever has to find out why. It passes by the line at the
gate: a full waiting room is no reason to take a server out of service that answers as fast as it can.
"""

import asyncio
import faulthandler
import logging
import time
from datetime import datetime

from service.service import Service

QUESTION = "Is anybody there?"
log = logging.getLogger("excerpt.canary")


class Canary:
    """
    Asks every `canary_every` seconds; `service.ready` follows from it.

    A loop that sleeps and looks, so that an engine that hangs is found out however it hangs.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._asking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._awake_since = (
            time.monotonic()
        )  # the process itself: one that was stopped has no right to call others slow
        self._is_told = False

    async def start(self) -> None:
        """
        Ask and wait for the answer: the server is ready when the port opens. Then go on asking.

        The first answer is cold; the second one tells the pace to begin with: a first crowd is not let in blindly.
        """
        cost = round(self.service.token_cost)
        await self._ask(self.service.settings.max_timeout, cost)
        begin = time.monotonic()
        await self._ask(self.service.settings.max_timeout, cost)
        self.service.gate.rate = self.service.token_cost / (time.monotonic() - begin)
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        for task in (self._task, self._asking):
            if task is not None:
                task.cancel()

    async def _watch(self) -> None:
        settings = self.service.settings
        step = min(0.25, settings.canary_every / 4)
        next_question = last_look = time.monotonic()
        while True:
            await asyncio.sleep(step)
            now = time.monotonic()
            if now - last_look > step + 2.0:
                self._awake_since = now
            last_look = now
            if (self._asking is None or self._asking.done()) and now >= next_question:
                next_question = now + settings.canary_every
                self._asking = asyncio.create_task(self._ask(settings.max_timeout, cost=1, passages=1))
            self._look(now)

    def _look(self, now: float) -> None:
        service = self.service
        silent = now - max(service.last_canary, service.gate.last_done, self._awake_since)
        if self._asking is None or self._asking.done() or silent <= service.settings.hang_after:
            return
        if not self._is_told:
            self._is_told = True
            self._dump()
        if (ended := service.gate.abandon()) > 0:
            log.error("nothing was answered for %.0f seconds: %d requests were given up", silent, ended)

    async def _ask(self, seconds: float, cost: int, passages: int | None = None) -> None:
        """One passage is enough to see that all of it works, and takes nothing from those who ask."""
        begin = time.monotonic()
        try:
            async with self.service.gate.pass_by(cost):
                await self.service.engine.answer(
                    QUESTION, filters=None, top_k=1, deadline=begin + seconds, passages=passages
                )
        except Exception as error:
            log.warning("the canary question failed with %s", type(error).__name__)
            return
        self.service.last_canary = time.monotonic()
        self._is_told = False
        self.service.metrics.canary.set(self.service.last_canary - begin)

    def _dump(self) -> None:
        path = self.service.settings.data / f"stacks-{datetime.now():%Y%m%d-%H%M%S}.txt"
        try:
            with open(path, "w", encoding="utf-8") as file:
                faulthandler.dump_traceback(file, all_threads=True)
            log.error("the engine hangs; the stacks of all threads are in %s", path)
        except OSError as error:
            log.error("the engine hangs, and %s cannot be written: %s", path, error.strerror)
