"""What the record of sources does beyond the shared suite: versions, other processes, copies."""

import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from components.stores.lancedb.sources import SCHEMA_VERSION, SQLiteSourceRecord
from tests.components.stores.store_suite import source

ROOT = Path(__file__).parents[4]
PUT_MANY = """
import sys
from components.stores.contract import Source
from components.stores.lancedb.sources import SQLiteSourceRecord
record = SQLiteSourceRecord(sys.argv[1])
for n in range(50):
    name = f"{sys.argv[2]}{n}"
    record.put([Source(name, f"/{name}", "h", "f", "v", "indexed", text=name)])
    print(record.next_generation())
"""


@pytest.fixture
def record(tmp_path):
    record = SQLiteSourceRecord(tmp_path / "store" / "sources.sqlite3")
    yield record
    record.close()


def test_nothing_is_made_by_asking(record):
    assert list(record.all()) == []
    assert record.get("a") is None
    assert not record.path.parent.exists()


def test_a_newer_format_is_refused(record):
    record.put([source("a")])
    record.close()
    with sqlite3.connect(record.path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    for use in (lambda: list(record.all()), lambda: record.put([source("b")])):
        with pytest.raises(RuntimeError, match="newer version of Excerpt"):
            use()


def test_a_transaction_is_done_whole_or_not_at_all(record):
    record.put([source("a")])
    with pytest.raises(sqlite3.Error):
        record.put([source("b"), source("c", state="nonsense")])
    assert [one.source_id for one in record.all()] == ["a" * 32]
    record.put([source("b")])
    assert len(list(record.all())) == 2


def test_two_processes_write_at_once(record):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PUT_MANY, str(record.path), name], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for name in "xy"
    ]
    numbers = [int(line) for writer in writers for line in writer.communicate(timeout=60)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(numbers) == list(range(1, 101))
    assert len(list(record.all())) == 100


def test_texts_are_compressed(record):
    record.put([source("a", text="the same words again and again " * 10_000)])
    record.close()
    assert record.path.stat().st_size < 50_000


def test_a_pickled_record_opens_anew(record):
    record.put([source("a")])
    copy = pickle.loads(pickle.dumps(record))
    assert copy.get("a" * 32) == source("a")
    copy.close()
