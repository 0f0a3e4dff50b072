"""How long does a part of a program take while it runs as a whole? Functions are timed in their place."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def timed(
    owner: Any, name: str, part: str, spent: dict[str, float], seen: Callable[[Any], None] | None = None
) -> Iterator[None]:
    """
    Add up the seconds of all calls of `owner.name` under `part` while the block runs.

    :param seen: gets what each call returned; its time does not count.
    """
    plain = getattr(owner, name)

    def timed_call(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            result = plain(*arguments, **named)
        finally:
            spent[part] = spent.get(part, 0.0) + time.perf_counter() - began
        if seen is not None:
            seen(result)
        return result

    setattr(owner, name, timed_call)
    try:
        yield
    finally:
        setattr(owner, name, plain)
