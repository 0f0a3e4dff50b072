"""Halves out-of-memory batches; rebuilds the engine once after a sticky CUDA error, then raises DeviceLost."""

from collections.abc import Callable
from typing import TypeVar

import torch
from haystack import logging

from components.encoder.ragged import Indices
from components.reader.engines.base import SpanEngine

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# What torch, cuBLAS and the CPU's allocator say; only CUDA's own allocator raises a type of its own.
_FULL = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
# After one of these CUDA refuses whatever this process asks next ("sticky"), though torch may raise it later and
# elsewhere than where it happened.
_STICKY = ("CUDA error", "HIP error", "device-side assert", "illegal memory access", "CUBLAS_STATUS_", "CUDNN_STATUS_")


class DeviceFull(RuntimeError):
    """Not even one window fits into the device's memory."""


class DeviceLost(RuntimeError):
    """The device answers nothing any more, and the engine could not be built again: only a new process helps."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether less at once may work."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _FULL)


def is_sticky(error: BaseException) -> bool:
    """Whether the device's context is broken, so that the next batch would fail too."""
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.AcceleratorError) or any(text in str(error) for text in _STICKY)


def run_halving(compute: Callable[[Indices], Result], rows: Indices) -> list[Result]:
    """
    Compute ``rows`` at once; where memory is short in halves, and those in halves.

    :returns: the results of the parts, in the order of ``rows``.
    :raises DeviceFull: when a single row does not fit.
    """
    waiting, done = [rows], []
    while waiting:
        part = waiting.pop()
        try:
            done.append(compute(part))
            continue
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(part) <= 1:
                raise DeviceFull(
                    f"Not even one window fits into the memory that is free: {_first_line(error)} Free memory on the "
                    "device, set a smaller max_seq_length, or take a smaller model or another device."
                ) from error
        # Here the error is gone, and with it the frames that held on to the tensors of the batch that failed.
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        logger.warning("Out of memory with {windows} windows at once: they are read in halves.", windows=len(part))
        waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
    return done


class RecoveringEngine:
    """
    An engine, and how to come by another one when its device fails.

    :param engine: the one to begin with.
    :param rebuild: loads another; None where there is no way to.
    """

    def __init__(self, engine: SpanEngine, rebuild: Callable[[], SpanEngine] | None = None) -> None:
        self.engine = engine
        self.lost: str | None = None
        """Why no engine can be had any more, None while there is one."""
        self._rebuild = rebuild

    def run(self, work: Callable[[], Result]) -> Result:
        """
        Do ``work``, which uses ``engine``; after a sticky error once more with a new one.

        All that waits for the device belongs into ``work``: CUDA tells of a failed kernel at the next wait.

        :raises DeviceLost: when that failed too, and from then on always, at once.
        """
        if self.lost is not None:
            raise DeviceLost(self.lost)
        try:
            return work()
        except RuntimeError as error:
            if not is_sticky(error):
                raise
            first = _first_line(error)
        logger.error("The device failed ({error}): the reader is loaded again.", error=first)
        try:
            self._renew()
            return work()
        except Exception as error:
            # A request may be at fault as well, once the engine works again: then it alone gets its error.
            if not is_sticky(error) and not isinstance(error, _NoEngine):
                raise
            self.lost = (
                f"The reader's device failed ({first}) and loading the reader again did not help "
                f"({_first_line(error)}): restart this process. Until then every question ends with this error."
            )
            logger.error("{reason}", reason=self.lost)
            raise DeviceLost(self.lost) from error

    def _renew(self) -> None:
        if self._rebuild is None:
            raise _NoEngine("there is no way to load it again")
        name, max_length = self.engine.name, self.engine.max_length
        self.engine = _Gone(name, max_length)  # frees the weights before they are loaded again
        try:
            self.engine = self._rebuild()
        except Exception as error:
            raise _NoEngine(str(error)) from error


class _NoEngine(RuntimeError):
    """Loading the engine again failed."""


class _Gone:
    """Stands where an engine was."""

    def __init__(self, name: str, max_length: int) -> None:
        self.name, self.max_length = name, max_length

    def logits(self, batch: object) -> tuple[torch.Tensor, torch.Tensor]:
        raise DeviceLost(f"{self.name} is gone: restart this process.")


def _first_line(error: BaseException) -> str:
    """CUDA's errors go on for lines about environment variables."""
    return (str(error).splitlines() or [type(error).__name__])[0]
