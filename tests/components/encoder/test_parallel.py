"""Shares of a batch on threads of their own: nothing is lost, nothing is different, nobody else's threads change."""

import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from components.encoder import parallel
from components.encoder.parallel import operators_alone, run_shares, usable_cores
from components.encoder.ragged import Ragged
from components.reader.engines.benchmark import best_spans
from components.reader.engines.int8_samples import calibration_windows
from components.reader.engines.selection import load_engine

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Four threads, however many cores there are; torch's own number is put back."""
    before = torch.get_num_threads()
    monkeypatch.setattr(parallel, "usable_cores", lambda: 4)
    torch.set_num_threads(4)
    yield 4
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_shares_and_of_several_threads(threads: int) -> None:
    meet = threading.Barrier(threads, timeout=10)

    def compute(share: int) -> tuple[int, int]:
        if share < threads:
            meet.wait()  # only passes if so many threads are under way at once
        return 10 * share, threading.get_ident()

    results = run_shares(compute, range(40))
    assert [value for value, _ in results] == list(range(0, 400, 10))
    assert len({thread for _, thread in results}) == threads
    assert run_shares(compute, []) == []


def test_a_single_share_stays_with_its_caller(threads: int) -> None:
    assert run_shares(lambda _: threading.get_ident(), [0]) == [threading.get_ident()]


def test_operators_run_alone_in_each_thread_and_others_keep_theirs(threads: int) -> None:
    meet = threading.Barrier(threads, timeout=10)

    def compute(_: int) -> int:
        meet.wait()
        return torch.get_num_threads()

    assert run_shares(compute, range(threads)) == [1] * threads
    assert torch.get_num_threads() == threads
    seen: list[int] = []
    with operators_alone() as granted, operators_alone() as again:
        assert torch.get_num_threads() == 1 and granted == again == threads
        other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        other.start()
        other.join()
    assert seen == [threads], "another thread of the program computes as it was told"


def test_what_a_program_told_torch_is_respected() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with operators_alone() as granted:
            assert granted == 1
    finally:
        torch.set_num_threads(before)


def test_the_first_error_by_order_reaches_the_caller_and_the_rest_is_left(threads: int) -> None:
    done: list[int] = []

    def compute(share: int) -> None:
        if share in (2, 3):
            raise MemoryError(f"share {share}")
        done.append(share)

    with pytest.raises(MemoryError, match=r"share [23]"):
        run_shares(compute, range(1000))
    assert len(done) < 1000
    assert run_shares(lambda share: share, range(9)) == list(range(9)), "and the threads go on"


def test_callers_in_many_threads_get_their_own_results(threads: int) -> None:
    results: dict[int, list[int]] = {}

    def ask(base: int) -> None:
        results[base] = run_shares(lambda share: base + share, range(50))

    callers = [threading.Thread(target=ask, args=(1000 * number,)) for number in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    assert results == {1000 * n: list(range(1000 * n, 1000 * n + 50)) for n in range(8)}


def test_a_forked_process_has_threads_of_its_own(threads: int) -> None:
    run_shares(lambda share: share, range(9))
    child = os.fork()
    if not child:
        meet = threading.Barrier(2, timeout=10)
        os._exit(0 if run_shares(lambda share: meet.wait() >= 0, range(2)) == [True, True] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_number_of_threads_finds_the_same_spans(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ROOT / "models" / "minilm-squad"
    engine = load_engine(folder, "torch", precision, "cpu")
    windows = calibration_windows(folder, 512).take(np.arange(12))
    before = torch.get_num_threads()
    monkeypatch.setattr(parallel, "usable_cores", lambda: 8)
    logits, spans = [], []
    try:
        for count in (1, 2, 3, 8):
            torch.set_num_threads(count)
            logits.append(torch.stack(engine.logits(windows)))
            spans.append(best_spans(engine, windows).tolist())
    finally:
        torch.set_num_threads(before)
    assert all(each == spans[0] for each in spans)
    for each in logits:
        torch.testing.assert_close(each, logits[0], atol=1e-4 if precision == "fp32" else 0.2, rtol=0)


@pytest.mark.parametrize(("workers", "budget"), [(1, 5), (2, 100), (3, 7), (4, 1000)])
def test_shares_hold_every_sequence_once_and_about_equally_many_tokens(workers: int, budget: int) -> None:
    lengths = [9, 1, 0, 5, 5, 5, 2, 0, 8, 4]
    batch = Ragged.of([[1] * length for length in lengths])
    shares = batch.in_shares(workers, budget)
    assert sorted(row for share in shares for row in share.tolist()) == list(range(len(lengths)))
    tokens = [sum(lengths[row] for row in share) for share in shares]
    assert all(len(share) for share in shares)
    assert max(tokens) - min(tokens) <= max(lengths)
    assert max(tokens) <= max(budget, math.ceil(sum(lengths) / workers)) + max(lengths)
    assert Ragged.of([]).in_shares(workers, budget) == []


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a/cpu.max": "50000 100000\n", "a/b/cpu.max": "max 100000\n"}, 0.5),
        ("0::/of/the/host\n", {"cpu.max": "200000 100000\n"}, 2.0),
        ("4:cpu,acct:/a\n", {"cpu,acct/a/cpu.cfs_quota_us": "25000", "cpu,acct/a/cpu.cfs_period_us": "100000"}, 0.25),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ("3:memory:/a\n", {"memory/a/cpu.max": "1 100000"}, math.inf),
    ],
)  # fmt: skip
def test_quotas_of_both_kinds_of_control_groups(
    groups: str, files: dict[str, str], cores: float, tmp_path: Path
) -> None:
    (tmp_path / "self").write_text(groups)
    for name, content in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    assert parallel._quota(tmp_path / "self", tmp_path / "cgroup") == cores


def test_at_least_one_core_can_be_used() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
