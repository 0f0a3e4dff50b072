"""
Keeps the memory of long loads bounded. LanceDB's Rust code holds on to something with every commit, and glibc keeps an
arena for each of its threads: 84 kB a file in all, without end. Opened anew now and then, with few arenas, it is 10.
"""

import ctypes
import gc
import platform
from functools import cache
from typing import Any

_ARENAS = 2  # two threads may ask for memory at once, the others wait
_M_ARENA_MAX = -8  # of malloc.h


def limit_arenas() -> None:
    """Let glibc make no more arenas than these; those there are stay. Without glibc, nothing is done."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Hand what is free to the system."""
    gc.collect()
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    if platform.libc_ver()[0] != "glibc":
        return None
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
    except OSError:
        return None
