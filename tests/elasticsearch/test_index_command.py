"""`excerpt index` over a real Elasticsearch: killed, or its server gone in the middle, and complete in the end."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components.stores.elasticsearch import ElasticsearchDocumentStore
from elasticsearch_server.node import Cluster

pytestmark = [pytest.mark.elasticsearch, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
FILES = 40
WORDS = ["tower", "bridge", "canal", "wall", "tomb", "river", "stone", "iron", "city", "king"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Forty small files: two batches of the run."""
    folder = tmp_path_factory.mktemp("documents")
    for number in range(FILES):
        words = random.Random(number).choices(WORDS, k=120)
        text = (
            f"File {number}. " + " ".join(words) + ".\n\n" + f"The keeper of house {number} is called Anna {number}.\n"
        )
        (folder / f"{number:02}.txt").write_text(text)
    return folder


def command(*arguments: str, url: str, index: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "ELASTICSEARCH_URL": url, "EXCERPT_INDEX": index, "ELASTICSEARCH_PASSWORD": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments, "--pipelines", "elasticsearch"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(*arguments: str, url: str, index: str) -> tuple[int, str]:
    process = command(*arguments, url=url, index=index)
    out, err = process.communicate(timeout=400)
    return process.returncode, out + err


def what_is_there(url: str, index: str) -> dict[tuple[str, str], int]:
    """(file, hash of the passage) -> how often; asked by a store that shares nothing with the runs."""
    store = ElasticsearchDocumentStore(hosts=url, index=index)
    try:
        found: dict[tuple[str, str], int] = {}
        for passage in store.filter_documents():
            key = (passage.meta["file_name"], hashlib.sha256((passage.content or "").encode()).hexdigest())
            found[key] = found.get(key, 0) + 1
        assert {source.state for source in store.sources.all()} <= {"indexed"}
        return found
    finally:
        store.close()


@pytest.fixture(scope="module")
def clean(folder, elasticsearch_url):
    """What one undisturbed run writes."""
    index = f"test-clean-{os.getpid()}"
    code, told = run("index", str(folder), url=elasticsearch_url, index=index)
    assert code == 0, told
    there = what_is_there(elasticsearch_url, index)
    store = ElasticsearchDocumentStore(hosts=elasticsearch_url, index=index)
    place = store.active.find()
    assert place is not None
    for name in (place.index, f"{place.index}-sources"):
        store.request("DELETE", f"/{name}", timeout=30)
    store.close()
    assert len({name for name, _ in there}) == FILES
    return there


def sources_written(url: str, index: str) -> int:
    store = ElasticsearchDocumentStore(hosts=url, index=index, connect_timeout=60.0)
    try:
        return len(list(store.sources.all()))
    finally:
        store.close()


def wait_for_sources(process: subprocess.Popen[str], url: str, index: str) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None and not sources_written(url, index):
        time.sleep(0.05)


def test_killed_three_times_then_complete_and_nothing_twice(folder, elasticsearch_url, index_name, clean):
    seed = random.randrange(1 << 16)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(3):
        process = command("index", str(folder), url=elasticsearch_url, index=index_name)
        wait_for_sources(process, elasticsearch_url, index_name)
        time.sleep(moments.uniform(0.0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    code, told = run("index", str(folder), url=elasticsearch_url, index=index_name)
    assert code == 0, told
    assert what_is_there(elasticsearch_url, index_name) == clean
    code, told = run("index", str(folder), url=elasticsearch_url, index=index_name)
    assert f"{FILES} unchanged" in told


def test_server_gone_in_the_middle_and_back(folder, own_node: Cluster, clean):
    node = own_node.nodes[0]
    process = command("index", str(folder), url=own_node.url, index="passages")
    wait_for_sources(process, own_node.url, "passages")
    node.kill()
    threading.Timer(4.0, node.start).start()
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, out + err
    node.wait()
    assert what_is_there(own_node.url, "passages") == clean


def test_server_gone_for_good_is_one_sentence(folder):
    code, told = run("index", str(folder), url="http://elastic:CANARY-SECRET@127.0.0.1:9", index="passages")
    assert code == 1
    assert "no connection to Elasticsearch at http://127.0.0.1:9" in told
    assert "Traceback" not in told
    assert "CANARY-SECRET" not in told
