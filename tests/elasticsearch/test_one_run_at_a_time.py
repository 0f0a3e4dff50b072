"""Two index runs on one Elasticsearch index: the second is refused by name, and a killed one blocks nobody for ever."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from components.stores.contract import StoreBusyError
from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.elasticsearch.client.errors import ElasticsearchStoreError
from components.stores.elasticsearch.index import lease as elasticsearch_lock
from elasticsearch_server.proxy import Exchange, Proxy
from indexing.run import index
from tests.elasticsearch.pipeline import build, files_in, store_of

pytestmark = pytest.mark.elasticsearch
ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_store(elasticsearch_url, index_name):
    stores = []

    def make(**settings) -> ElasticsearchDocumentStore:
        stores.append(ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index_name, replicas=0, **settings))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(f"House {number} stands on the northern rock. slow=1")
    return tmp_path


@contextmanager
def run_elsewhere(folder: Path, url: str, name: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A run of another process, in the middle of its work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.elasticsearch.pipeline", str(folder), url, name],
        cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    store = ElasticsearchDocumentStore(hosts=url, index=name)
    deadline = time.monotonic() + 120
    while not any(source.state == "indexed" for source in store.sources.all()):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield process
    store.close()
    process.kill()
    process.communicate()


@pytest.fixture
def other_run(folder, elasticsearch_url, index_name):
    """It takes a second for each file."""
    with run_elsewhere(folder, elasticsearch_url, index_name) as process:
        yield process


@pytest.fixture
def gate(tmp_path_factory) -> Path:
    """A file to make when the run behind it may end."""
    return tmp_path_factory.mktemp("gate") / "open"


@pytest.fixture
def gated_run(folder, elasticsearch_url, index_name, gate):
    """It ends when it is let: starting the command it meets takes half a minute on a busy machine."""
    (folder / "9.txt").write_text("The last house stands on the southern rock. gate=closed")
    with run_elsewhere(folder, elasticsearch_url, index_name, TEST_GATE=str(gate)) as process:
        yield process


def test_the_second_run_is_told_who_runs_since_when_and_what_to_do(
    gated_run, gate, folder, elasticsearch_url, index_name
):
    environment = {**os.environ, "ELASTICSEARCH_URL": elasticsearch_url, "EXCERPT_INDEX": index_name}
    second = subprocess.run(
        [sys.executable, "-m", "cli.main", "index", str(folder), "--pipelines", "elasticsearch"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert second.returncode == 1
    assert re.search(
        rf"Process {gated_run.pid} on \S+ has been indexing into '{index_name}' "
        r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d "
        r"UTC\. Wait for it to end \(--wait SECONDS\), end it there, or give another index \(EXCERPT_INDEX\)\.",
        second.stderr,
    ), second.stderr
    assert "Traceback" not in second.stderr
    gate.touch()
    assert gated_run.wait(200) == 0, "the first run was not disturbed"


def test_after_kill_9_on_the_same_machine_the_next_run_begins_at_once(other_run, folder, elasticsearch_url, index_name):
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    pipeline = build(elasticsearch_url, index_name)
    start = time.monotonic()
    with store_of(pipeline).one_writer():
        assert time.monotonic() - start < 10, "the lease would have lasted 130 s"
    report = index(pipeline, [folder])
    assert len(report.indexed) + report.unchanged == 6
    assert files_in(store_of(pipeline)) == {f"{number}.txt": 1 for number in range(6)}
    store_of(pipeline).close()


def test_one_that_died_on_another_machine_loses_its_lease_in_time(make_store, monkeypatch):
    """Nobody can look there: its renewals fail to come. As one that was cut off it is told so when it comes back."""
    monkeypatch.setattr(elasticsearch_lock, "BEAT", 0.3)
    monkeypatch.setattr(elasticsearch_lock, "_MARGIN", 1.0)
    monkeypatch.setattr(elasticsearch_lock, "_machine", lambda: "elsewhere")
    with make_store(write_timeout=3.0).one_writer() as silent:
        monkeypatch.setattr(elasticsearch_lock, "_machine", lambda: "here")
        silent._end.set()  # it renews no more
        start = time.monotonic()
        with make_store(write_timeout=3.0).one_writer():
            assert 3.9 < time.monotonic() - start < 20
            silent._renewed = float("-inf")
            with pytest.raises(StoreBusyError, match=rf"cut off.*Process {os.getpid()} on .* has been indexing"):
                silent.check()


def test_a_living_one_keeps_its_lease_for_longer_than_it_lasts(make_store, monkeypatch):
    monkeypatch.setattr(elasticsearch_lock, "BEAT", 0.3)
    monkeypatch.setattr(elasticsearch_lock, "_MARGIN", 1.0)
    with make_store(write_timeout=2.0).one_writer() as held:
        start = time.monotonic()
        with (
            pytest.raises(StoreBusyError, match="has been indexing"),
            make_store(write_timeout=2.0).one_writer(wait=6.0),
        ):
            pass
        assert time.monotonic() - start > 6.0
        held.check()
    with make_store(write_timeout=2.0).one_writer():
        pass  # given back at once


def test_a_renewal_that_is_refused_is_tried_again_and_told_by_check(elasticsearch_url, index_name, monkeypatch):
    """A right that is taken away for a while ends no thread, and prints nothing in the middle of a run."""
    monkeypatch.setattr(elasticsearch_lock, "BEAT", 0.2)
    uncaught = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    refused = []

    def refuse(exchange: Exchange) -> None:
        if exchange.method == "PUT" and "-lock/_doc" in exchange.path:
            refused.append(exchange)
            exchange.status = 403
            exchange.body = b'{"error": {"type": "security_exception", "reason": "unauthorized"}, "status": 403}'

    with Proxy(elasticsearch_url) as proxy:
        store = ElasticsearchDocumentStore(hosts=proxy.url, index=index_name, replicas=0)
        with store.one_writer() as held:
            proxy.rule = refuse
            until(lambda: len(refused) >= 2 or uncaught)
            held.check()
            held._renewed = float("-inf")  # for long enough
            with pytest.raises(ElasticsearchStoreError, match="grant them read"):
                held.check()
            proxy.rule = lambda exchange: None
            until(lambda: held._renewed > 0 or uncaught)
            held.check()
        store.close()
    assert not uncaught


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def hold(url: str, name: str, number: int, results) -> None:
    store = ElasticsearchDocumentStore(hosts=url, index=name, replicas=0)
    with store.one_writer(wait=120.0):
        began = time.monotonic()
        time.sleep(0.2)
        results.put((number, began, time.monotonic()))
    store.close()


def test_of_many_that_wait_one_at_a_time_gets_it(elasticsearch_url, index_name):
    """Processes of one machine share its monotonic clock."""
    context = multiprocessing.get_context("fork")  # nothing has to be imported again
    results = context.Queue()
    processes = [context.Process(target=hold, args=(elasticsearch_url, index_name, n, results)) for n in range(4)]
    for process in processes:
        process.start()
    times = sorted((results.get(timeout=200) for _ in processes), key=lambda one: one[1])
    for process in processes:
        process.join(60)
    assert {number for number, _, _ in times} == set(range(4))
    assert all(before[2] <= after[1] for before, after in pairwise(times))
