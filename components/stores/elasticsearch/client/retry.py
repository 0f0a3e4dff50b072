"""Calls something until it succeeds or its time is over, with growing random pauses between attempts."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from components.stores.elasticsearch.client.errors import StoreUnavailable, is_retryable

_T = TypeVar("_T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds


def retry(
    attempt: Callable[[float], _T],
    seconds: float,
    explain: Callable[[Exception], Exception],
    attempts: int | None = None,
) -> _T:
    """
    Call `attempt(seconds left)` until it returns.

    :param seconds: For all attempts together.
    :param explain: Turns what an attempt raised last into what is raised here.
    :param attempts: Most attempts; None for as many as there is time for.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    tried = 0
    while True:
        tried += 1
        try:
            return attempt(deadline - time.monotonic())
        except Exception as error:
            if not (is_retryable(error) or isinstance(error, StoreUnavailable)):
                raise explain(error) from None
            wait = random.uniform(0, pause)  # noqa: S311 - so that many who failed together do not return together
            if tried == attempts or time.monotonic() + wait >= deadline:
                raise explain(error) from None
            time.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)
