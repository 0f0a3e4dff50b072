"""A quick start: what a question needs is imported and opened side by side, without garbage collection in between."""

import gc
import importlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline


def warm(load: Callable[[], "LoadedPipeline"]) -> "LoadedPipeline":
    """
    Load a pipeline and warm all of its components up at the same time.

    Imports make hundreds of thousands of objects that stay: looking for garbage among them costs a fifth of the start.

    :raises Exception: the first error of a component, as its `warm_up` raised it.
    """
    gc.disable()
    try:
        early = threading.Thread(target=_import_quietly, args=("lancedb",), daemon=True)
        early.start()
        loaded = load()
        parts = [part for _, part in loaded.pipeline.walk() if hasattr(part, "warm_up")]
        with ThreadPoolExecutor(max(1, len(parts))) as pool:
            for done in [pool.submit(part.warm_up) for part in parts]:
                done.result()
        return loaded
    finally:
        gc.freeze()
        gc.enable()


def _import_quietly(name: str) -> None:
    """An import ahead of its use: should it fail, the use itself says so."""
    with suppress(Exception):
        importlib.import_module(name)
