"""Progress of something that says how many are done, not how many more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.terminal.progress import progress


@contextmanager
def counting(what: str, unit: str = "files") -> Iterator[Callable[[int, int], None]]:
    """What it yields is called with how many are done so far, and how many there are."""
    seen = 0
    with progress(what, None, unit) as advance:

        def on_progress(done: int, total: int) -> None:
            nonlocal seen
            advance(done - seen, total)
            seen = done

        yield on_progress
