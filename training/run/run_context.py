"""What holds around a run: sums that come out the same each time, and requests to leave with a checkpoint."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Kernels that give the same sums each time, where there are any, while the block runs; a warning where not."""
    before = torch.are_deterministic_algorithms_enabled()
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS refuses without it
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def stop_requests(minutes: float) -> Iterator[Callable[[], bool]]:
    """A function that tells whether to leave with a checkpoint: time is up, or Ctrl-C or SIGTERM came."""
    asked = threading.Event()
    until = time.monotonic() + minutes * 60 if minutes else float("inf")
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, lambda *_: asked.set())
    try:
        yield lambda: asked.is_set() or time.monotonic() > until
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
