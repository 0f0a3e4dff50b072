"""Progress with rate and time left: a bar on a terminal, a line now and then elsewhere. Always on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cli.terminal.output import is_quiet

Advance = Callable[..., None]  # (units done, total as far as it is known now)
SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(what: str, total: int | None, unit: str, done: int = 0) -> Iterator[Advance]:
    """
    Show how far something is while the block runs.

    What it yields is called with how many more units are done, the total where that is known only now, and a note that
    is shown beside.

    :param total: None when nobody knows yet.
    :param done: units that were done before, by a run that goes on.
    """
    if is_quiet():
        yield lambda count, known_total=None, note="": None
        return
    if sys.stderr.isatty():
        with _bar(what, total, unit, done) as advance:
            yield advance
        return
    began = told = time.monotonic()
    first = told_done = done
    shown = ""

    def advance_lines(count: int, known_total: int | None = None, note: str = "") -> None:
        nonlocal done, told, told_done, total, shown
        done, total, shown = done + count, known_total or total, note or shown
        now = time.monotonic()
        if now - told >= SECONDS_BETWEEN_LINES:
            told, told_done = now, done
            print(_line(what, done, total, unit, now - began, first, shown), file=sys.stderr, flush=True)

    yield advance_lines
    if done > told_done:
        print(_line(what, done, total, unit, time.monotonic() - began, first, shown), file=sys.stderr, flush=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """On a terminal, say what is being waited for, and take the line away when it has come."""
    if is_quiet() or not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(f"{what} ...")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _line(what: str, done: int, total: int | None, unit: str, seconds: float, first: int = 0, note: str = "") -> str:
    rate = (done - first) / seconds if seconds > 0 else 0.0
    of = f" of {total:,}" if total is not None else ""
    left = f", {_clock((total - done) / rate)} left" if total is not None and first < done < total and rate else ""
    return f"{what}: {done:,}{of} {unit} in {_clock(seconds)}, {rate:,.1f} a second{left}{f'; {note}' if note else ''}"


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


@contextmanager
def _bar(what: str, total: int | None, unit: str, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.1f}/s" if speed else "", style="cyan")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(what, total=total, completed=done, note="")

        def advance(count: int, known_total: int | None = None, note: str = "") -> None:
            shown: dict[str, Any] = {"note": note} if note else {}
            bar.update(task, advance=count, total=known_total or total, **shown)

        yield advance
