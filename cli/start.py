"""A quick start: what a question needs is imported and opened side by side, without garbage collection in between."""

import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline


def warm(load: Callable[[], "LoadedPipeline"], embedded: bool = True) -> "LoadedPipeline":
    """
    Load a pipeline and warm all of its components up at the same time.

    Imports make hundreds of thousands of objects that stay: looking for garbage among them costs a fifth of the start.

    :param embedded: import LanceDB meanwhile.
    :raises Exception: the first error of a component, as its `warm_up` raised it.
    """
    gc.disable()
    try:
        if embedded:
            threading.Thread(target=_import_lancedb, daemon=True).start()
        loaded = load()
        parts = [part for _, part in loaded.pipeline.walk() if hasattr(part, "warm_up")]
        with ThreadPoolExecutor(max(1, len(parts))) as pool:
            for done in [pool.submit(part.warm_up) for part in parts]:
                done.result()
        return loaded
    finally:
        gc.freeze()
        gc.enable()


def _import_lancedb() -> None:
    """An import ahead of its use: should it fail, the use itself says so."""
    from components.stores.lancedb.lazy_import import lancedb

    with suppress(Exception):
        lancedb()
