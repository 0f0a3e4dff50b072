"""Where, and in which precision, is computed? Devices and dtypes by name, and what names this machine's hardware."""

import hashlib
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_KINDS = ("cpu", "cuda")


def pick_device(device: str) -> torch.device:
    """
    The device of a name: "auto" is CUDA if there is one, else the CPU.

    :raises ValueError: for a name that torch does not know, or a device that is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device '{device}' is unknown: use 'auto', 'cpu', 'cuda' or 'cuda:1'.") from error
    if place.type not in _KINDS:
        raise ValueError(f"device '{device}' is not supported: use 'auto', 'cpu' or 'cuda'.")
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device '{device}' is not there ({torch.cuda.device_count()} CUDA devices): use 'auto' or 'cpu'."
        )
    return place


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of a precision's name; ValueError for an unknown one, and for one the device should not compute in."""
    if precision not in _DTYPES:
        raise ValueError(f"precision '{precision}' is unknown: use 'auto', {', '.join(map(repr, _DTYPES))}.")
    if precision == "fp16" and device.type == "cpu":
        raise ValueError("precision 'fp16' is for CUDA: CPUs emulate it slowly. Use 'bf16' or 'fp32'.")
    return _DTYPES[precision]


def measure_seconds(call: Callable[[], object], tries: int = 1) -> float:
    """The shortest of so many calls by the clock, after one that pays for memory and kernels."""
    call()
    seconds = []
    for _ in range(tries):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def hardware_fingerprint() -> str:
    """Names the processor, its count, and the libraries that compute, 12 hex: when one changes, measure again."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        first = cpuinfo.read_text(errors="replace").split("\n\n")[0].splitlines()
        model = "|".join(line for line in first if line.startswith(("model", "flags"))) or model
    parts = [model, str(os.cpu_count()), *map(installed_version, ("torch", "openvino"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def installed_version(package: str) -> str:
    """A package's version, "none" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:  # openvino comes with an extra
        return "none"
