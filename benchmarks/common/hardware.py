"""What a figure was measured on, and how figures are told: the same in every benchmark."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any


def hardware(packages: Sequence[str]) -> dict[str, Any]:
    """Processor, cores, GPU, how busy the machine is, and versions."""
    from components.devices import installed_version  # brings torch, as asking for the GPU does

    processor, flags = platform.processor(), ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            told = dict(line.partition(":")[::2] for line in lines if ":" in line)
        known = {name.strip(): value.strip() for name, value in told.items()}
        processor, flags = known.get("model name", processor), known.get("flags", "")
    kept = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
    return {
        "processor": processor,
        "instructions": [name for name in kept if name in flags.split()],
        "cores": os.cpu_count(),
        "gpu": _gpu(),
        "load_average_at_end": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in packages},
        "arguments": [argument for argument in sys.argv[1:] if "/" not in argument],
    }


def summary(values: Sequence[float]) -> dict[str, float]:
    """Min, median and max."""
    return {
        "min": round(min(values), 4),
        "median": round(statistics.median(values), 4),
        "max": round(max(values), 4),
    }


def three(values: dict[str, float], digits: int) -> str:
    """A summary as `min / median / max`."""
    return " / ".join(f"{values[name]:,.{digits}f}" for name in ("min", "median", "max"))


def matmul_peak(device: str, dtype: Any, seconds: float = 2.0) -> float:
    """The most floating-point operations a second that a large matrix product reaches here, in GFLOP/s."""
    import torch

    size = 2048 if device == "cpu" else 8192
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        a @ b
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
