"""
Is the service ready? It is when a question of our own went through the real queue a moment ago.

A health check that only says "the process runs" lies when the engine hangs: so a canary question takes the way that
questions take, and when nothing at all comes back any more, those who wait are told, and every thread's stack is
written down for whoever has to find out why.
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

    A loop that sleeps and looks, so that a frozen or overloaded machine is found out at the latest when it goes on.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.last_answer = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._hang_told = False

    async def start(self) -> None:
        """Ask once and wait for the answer: the server is ready when the port opens. Then go on asking."""
        await self._ask(self.service.settings.max_timeout)
        self._look()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        for task in (self._task, self._asking):
            if task is not None:
                task.cancel()

    async def _watch(self) -> None:
        settings = self.service.settings
        step = min(0.25, settings.canary_every / 4)
        next_question = time.monotonic() + settings.canary_every
        while True:
            await asyncio.sleep(step)
            now = time.monotonic()
            if (self._asking is None or self._asking.done()) and now >= next_question:
                next_question = now + settings.canary_every
                self._asking = asyncio.create_task(self._ask(settings.max_timeout))
            self._look()

    def _look(self) -> None:
        service, settings = self.service, self.service.settings
        silent = time.monotonic() - self.last_answer
        service.ready = silent <= settings.ready_within
        waits = self._asking is not None and not self._asking.done()
        if waits and min(silent, time.monotonic() - service.gate.last_done) > settings.hang_after:
            if not self._hang_told:
                self._hang_told = True
                self._dump()
            if (ended := service.gate.abandon()) > 0:
                log.error("nothing was answered for %.0f seconds: %d requests were given up", silent, ended)

    async def _ask(self, seconds: float) -> None:
        begin = time.monotonic()
        try:
            await self.service.engine.answer(QUESTION, filters=None, top_k=1, deadline=begin + seconds)
        except Exception as error:
            log.warning("the canary question failed with %s", type(error).__name__)
            return
        self.last_answer = time.monotonic()
        self._hang_told = False
        self.service.metrics.canary.set(self.last_answer - begin)

    def _dump(self) -> None:
        path = self.service.settings.data / f"stacks-{datetime.now():%Y%m%d-%H%M%S}.txt"
        try:
            with open(path, "w", encoding="utf-8") as file:
                faulthandler.dump_traceback(file, all_threads=True)
            log.error("the engine hangs; the stacks of all threads are in %s", path)
        except OSError as error:
            log.error("the engine hangs, and %s cannot be written: %s", path, error.strerror)
