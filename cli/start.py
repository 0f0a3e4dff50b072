"""A quick start: each component of a pipeline warms up while the next one is still being built."""

import gc
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

AT_ONCE = 8  # components warming up at the same time; they wait for disks and imports more than they compute

OnBuilt = Callable[[Any], None]


def warm(load: Callable[[OnBuilt], "LoadedPipeline"]) -> "LoadedPipeline":
    """
    Load a pipeline and warm all of its components up at the same time.

    Imports make hundreds of thousands of objects that stay: looking for garbage among them costs a fifth of the start.

    :param load: loads the pipeline; is given what it must call with each component that is built.
    :raises Exception: the first error of a component, as its `warm_up` raised it.
    """
    gc.disable()
    waiting: list[Future[None]] = []
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            loaded = load(lambda part: waiting.append(pool.submit(part.warm_up)) if hasattr(part, "warm_up") else None)
            for done in waiting:
                done.result()
        return loaded
    finally:
        gc.freeze()
        gc.enable()
