"""The event loop on which all work with LanceDB is done, whatever thread or loop asks for it."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_loop_process = 0


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end and return its result; safe within a running loop too (which then waits)."""
    future = asyncio.run_coroutine_threadsafe(work, _background_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on the background loop and await it on the caller's, which stays free meanwhile."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _background_loop()))


def _background_loop() -> asyncio.AbstractEventLoop:
    """One loop for the process, so that one place owns the handles and needs no locks; a fork gets a new one."""
    global _loop, _loop_process
    with _lock:
        if _loop is None or _loop_process != os.getpid():
            _loop = asyncio.new_event_loop()
            _loop_process = os.getpid()
            threading.Thread(target=_loop.run_forever, name="excerpt-lancedb", daemon=True).start()
        return _loop
