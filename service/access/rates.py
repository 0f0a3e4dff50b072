"""How often may a caller ask? One bucket a key, filled at the key's rate."""

import time

from service.access.caller import Caller
from service.errors import ServiceError

_MOST_CALLERS = 10_000


class Rates:
    """Token buckets by caller; a bucket holds two seconds' worth, at least one question."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: Caller, questions: int) -> None:
        """
        Count questions.

        :raises ServiceError: 429, with the seconds until this many are allowed.
        """
        if caller.rate is None:
            return
        room = max(2 * caller.rate, 1.0)
        now = time.monotonic()
        level, since = self._buckets.get(caller.name, (room, now))
        level = min(room, level + (now - since) * caller.rate)
        # More questions at once than the bucket holds are let in when it is full, and leave it in debt.
        if level < min(questions, room):
            wait = (min(questions, room) - level) / caller.rate
            raise ServiceError(
                429, "rate_limit", f"This key may ask {caller.rate:g} questions a second.", retry_after=wait
            )
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.clear()
        self._buckets[caller.name] = (level - questions, now)
