"""
Computes shares of a batch on threads that do not wait for each other.

torch's CPU operators share their work among OpenMP's threads, which meet at the end of every operator and spin until
the last one is there. Where another process has one of the cores, the last one comes late every time: beside one busy
process two threads an operator were .3 times as fast as one. Here each thread computes a share of the batch by itself,
one thread an operator, and takes the next share when it is done.
"""

import ctypes
import math
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

import torch

Share = TypeVar("Share")
Result = TypeVar("Result")


class _Granted(threading.local):
    """How many threads the caller may use, while its own operators run on one."""

    threads: int | None = None


_granted = _Granted()


def run_shares(compute: Callable[[Share], Result], shares: Sequence[Share]) -> list[Result]:
    """
    ``[compute(share) for share in shares]`` on as many threads as torch would use for one operator.

    The calling thread takes part, so a single share costs no change of threads. Shares are taken in their order: the
    largest first ends soonest.

    :raises Exception: what ``compute`` raised first by order of the shares, after the shares under way are done.
    """
    with operators_alone() as threads:
        job = _Job(compute, shares)
        helpers = min(threads, len(shares)) - 1
        if helpers > 0:
            _pool.help(job, helpers)
        return job.finish()


@contextmanager
def operators_alone() -> Iterator[int]:
    """
    Each torch operator of this thread computes on this thread alone; other threads of the process are not touched.

    :returns: how many threads the caller may use: what torch was set to, and no more than the cores there are. 1 where
        OpenMP cannot be told (torch built without it): operators are then shared among threads as ever.
    """
    if _granted.threads is not None:
        yield _granted.threads
        return
    set_threads = _openmp()
    if set_threads is None:
        yield 1
        return
    before = torch.get_num_threads()
    _granted.threads = max(1, min(before, usable_cores()))
    set_threads(1)
    try:
        yield _granted.threads
    finally:
        _granted.threads = None
        set_threads(before)


def usable_cores() -> int:
    """Cores that this process may keep busy: its affinity, and the quota of its control group, rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")))))


class _Job(Generic[Share, Result]):
    """Shares that several threads take one by one."""

    def __init__(self, compute: Callable[[Share], Result], shares: Sequence[Share]) -> None:
        self._compute, self._shares = compute, shares
        self._results: dict[int, Result] = {}
        self._errors: dict[int, BaseException] = {}
        self._next = 0
        self._working = 0
        self._changed = threading.Condition()

    def work(self) -> None:
        """Take shares until none is left, or one has failed."""
        while True:
            with self._changed:
                number = self._next
                if number >= len(self._shares) or self._errors:
                    return
                self._next += 1
                self._working += 1
            try:
                result = self._compute(self._shares[number])
            except BaseException as error:  # whatever it is, the caller is told
                with self._changed:
                    self._errors[number] = error
            else:
                with self._changed:
                    self._results[number] = result
            finally:
                with self._changed:
                    self._working -= 1
                    self._changed.notify_all()

    def finish(self) -> list[Result]:
        """Work along, wait for the helpers, and hand out what came of it."""
        self.work()
        with self._changed:
            self._changed.wait_for(lambda: not self._working)
        try:
            if self._errors:
                raise self._errors[min(self._errors)]
            return [self._results[number] for number in range(len(self._shares))]
        finally:
            self._errors.clear()  # an error holds the frames it came from, and these hold this job


class _Pool:
    """Daemon threads that wait, without spinning, for jobs to help with; started as they are needed."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._threads = 0
        self._lock = threading.Lock()

    def help(self, job: _Job, helpers: int) -> None:
        with self._lock:
            for number in range(self._threads, helpers):
                threading.Thread(target=self._work, name=f"excerpt-compute-{number}", daemon=True).start()
                self._threads += 1
        for _ in range(helpers):
            self._jobs.put(job)

    def _work(self) -> None:
        with operators_alone():
            while True:
                self._jobs.get().work()


_pool = _Pool()


def _renew_pool() -> None:
    global _pool  # threads do not survive a fork
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_pool)


@cache
def _openmp() -> Callable[[int], None] | None:
    """
    ``omp_set_num_threads`` of the OpenMP that torch uses: unlike ``torch.set_num_threads`` it holds for the calling
    thread alone (OpenMP 5.2, section 2.4: nthreads-var is an internal control variable of the data environment).
    """
    if "OpenMP" not in torch.__config__.parallel_info().partition("ATen parallel backend:")[2]:
        return None
    for library in _openmp_libraries():
        try:
            loaded = ctypes.CDLL(library)
            set_threads, count = loaded.omp_set_num_threads, loaded.omp_get_max_threads
        except (OSError, AttributeError):
            continue
        before = torch.get_num_threads()
        set_threads(before + 1)  # is it torch's own, and not another one that is loaded too?
        is_torchs = torch.get_num_threads() == before + 1 == count()
        set_threads(before)
        if is_torchs:
            return lambda threads: set_threads(threads)
    return None


def _openmp_libraries() -> list[str]:
    """Paths of OpenMP libraries: those in this process first, then those that came with torch."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text(errors="replace").splitlines() if maps.is_file() else []
    paths = [line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6]
    bundled = sorted(str(file) for file in (Path(torch.__file__).parent / "lib").glob("*omp*"))
    names = ("libgomp", "libomp", "libiomp5")
    return [path for path in dict.fromkeys([*paths, *bundled]) if Path(path).name.startswith(names)]


def _quota(groups: Path, root: Path) -> float:
    """Cores by the quotas of the control groups (v2: cpu.max, v1: cpu.cfs_quota_us) above this process; inf: none."""
    quota = math.inf
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return quota
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        base = root / "cpu" if controllers and not base.is_dir() else base
        # Inside a container the path is the host's: what is mounted as the root is then the container's own group.
        parts = Path(path.lstrip("/"))
        for folder in {base, *(base / parent for parent in (parts, *parts.parents))}:
            quota = min(quota, _group_quota(folder))
    return quota


def _group_quota(folder: Path) -> float:
    try:
        if (folder / "cpu.max").is_file():
            limit, period = (folder / "cpu.max").read_text().split()
        else:
            limit, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        return math.inf if limit in ("max", "-1") else int(limit) / int(period)
    except (OSError, ValueError):
        return math.inf
