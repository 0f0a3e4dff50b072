"""Where and how precisely a run computes: CPU or GPU, fp32 or half, one process or several (accelerate)."""

import contextlib
import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from components.devices import measure_seconds, pick_device

Precision = Literal["fp32", "bf16", "fp16"]
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Devices:
    """One process's device, and its part in the whole where several processes train together.

    Several GPUs: `torchrun --nproc_per_node N -m cli.main train ...`; accelerate then wraps the model so that
    gradients are averaged over the processes. With one process nothing of it is imported.
    """

    def __init__(self, device: str) -> None:
        self.processes = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self._accelerator: Any = None
        self.precision: Precision = "fp32"
        self.scaler: torch.amp.GradScaler | None = None
        if self.processes > 1:
            if importlib.util.find_spec("accelerate") is None:
                raise ValueError(
                    f"{self.processes} processes were started, but accelerate is missing: pip install accelerate"
                )
            from accelerate import Accelerator

            self._accelerator = Accelerator(cpu=device == "cpu")
            self.device: torch.device = self._accelerator.device
            return
        self.device = pick_device(device)

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def use(self, precision: Precision) -> None:
        """Compute in this precision from now on; weights and optimiser stay in fp32."""
        self.precision = precision
        if precision == "fp16":
            if self.device.type != "cuda":
                raise ValueError(
                    "fp16 needs a GPU, it has no fast kernels and too small a range on a CPU: choose bf16 or fp32"
                )
            self.scaler = torch.amp.GradScaler(self.device.type)

    def autocast(self) -> AbstractContextManager[Any]:
        """Lower precision for what gains by it."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=_TYPES[self.precision])

    def wrap(self, model: nn.Module, compiled: bool = False) -> nn.Module:
        """The model to call in training: itself, or what averages its gradients over the processes.

        :param compiled: fuse its operations for batches of any shape; the weights stay those of `model`.
        """
        called: Any = torch.compile(model, dynamic=True) if compiled else model
        wrapped: nn.Module = called if self._accelerator is None else self._accelerator.prepare(called)
        return wrapped

    def backward(self, loss: Tensor, model: nn.Module, last: bool) -> None:
        """Add the loss's gradient; processes exchange theirs with the `last` batch of a step only."""
        scaled = loss * self.processes if self.scaler is None else self.scaler.scale(loss * self.processes)
        alone = self._accelerator is None or last
        exchange: AbstractContextManager[Any] = contextlib.nullcontext() if alone else model.no_sync()  # type: ignore[operator]
        with exchange:
            scaled.backward()

    def any(self, flag: bool) -> bool:
        """Whether any process says so: what one does alone would leave the others waiting."""
        if self._accelerator is None:
            return flag
        return bool(self._accelerator.reduce(torch.tensor(float(flag), device=self.device), "sum") > 0)

    def wait(self) -> None:
        """Until all processes are here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()

    def close(self) -> None:
        """Leave the group of processes."""
        if self._accelerator is not None:
            self._accelerator.end_training()
            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()


def keep_freed_memory() -> None:
    """
    Let glibc keep freed blocks for the next step: otherwise it hands large ones back to the kernel, which then clears
    each page again, a fifth of a step's time on a CPU. Does nothing where there is no glibc.
    """
    trim_threshold, mmap_max, largest = -1, -4, 2**31 - 1  # from malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, largest)


def choose_precision(wanted: str, device: torch.device, step: Callable[[Precision], None]) -> Precision:
    """What "auto" means here. On a GPU bf16 where it is native, else fp16; on a CPU what is faster in a short trial,
    because some processors compute bf16 in hardware and on others it is slower than fp32.

    :param step: computes a typical batch forward and backward in the precision it is given.
    """
    if wanted != "auto":
        return wanted  # type: ignore[return-value]
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    # Half precision costs some accuracy: it has to pay.
    pays = measure_seconds(lambda: step("bf16")) < 0.85 * measure_seconds(lambda: step("fp32"))
    return "bf16" if pays else "fp32"
