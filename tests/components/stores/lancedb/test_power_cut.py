"""The embedded store after a power cut: it opens, and nothing that was reported as written is gone."""

import logging
import random
from pathlib import Path

import pytest
from haystack import Document

from components.stores.lancedb import LanceDBDocumentStore
from components.stores.lancedb import table as lancedb_table
from components.stores.lancedb.disk.durability import MARKER, Durability, newest_version
from tests.components.stores.lancedb.power_cut import LAYOUTS, NoRights, cuts


class Died(Exception):
    """The process ends here."""


def batch(number: int) -> list[Document]:
    return [Document(id=f"{number:03}-{n}", content=f"batch {number}", embedding=[1.0, n]) for n in range(10)]


def damage(path: Path, chance: random.Random) -> None:
    """One of the six states that Lucene's tests leave a file in that was not forced to disk when the power went."""
    kind = chance.randrange(6)
    data = path.read_bytes()
    if kind == 0:
        path.unlink()
    elif kind == 1:
        path.write_bytes(bytes(len(data)))
    elif kind == 2:
        path.write_bytes(data[: len(data) // 2])
    elif kind == 3 and data:
        at = chance.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :])
    elif kind == 4:
        path.write_bytes(b"")


@pytest.mark.parametrize("seed", range(15))
def test_what_was_not_forced_to_disk_may_be_anything_afterwards(tmp_path, monkeypatch, caplog, seed):
    chance = random.Random(seed)
    monkeypatch.setattr(lancedb_table, "COMMITS_BEFORE_OPTIMISING", chance.choice([3, 1000]))
    real, left = Durability.sync, [chance.randrange(1, 14)]

    def sync(self):
        left[0] -= 1
        if left[0] == 0:
            raise Died
        real(self)

    monkeypatch.setattr(Durability, "sync", sync)
    store = LanceDBDocumentStore(tmp_path / "store")
    acknowledged: set[str] = set()
    try:
        for number in range(20):
            store.write_documents(batch(number))
            acknowledged |= {one.id for one in batch(number)}
            if number % 3 == 2:
                store.delete_documents([f"{number:03}-0"])
                acknowledged.discard(f"{number:03}-0")
            if left[0] < 0:  # it died where a write does not mind: tidying up
                break
    except Died:
        pass
    table = tmp_path / "store" / "passages.lance"
    synced = store._passages.table._durability._synced
    for path in sorted(table.rglob("*")):
        if path.is_file() and str(path.relative_to(table)) not in synced:
            damage(path, chance)
    monkeypatch.setattr(Durability, "sync", real)
    store.close()

    with caplog.at_level(logging.WARNING):
        again = LanceDBDocumentStore(tmp_path / "store")
        ids = {one.id for one in again.filter_documents()}
    # A deletion that was not acknowledged may be done or not; everything else is exactly what was.
    assert ids - acknowledged <= {f"{number:03}-0" for number in range(20)}
    assert acknowledged - ids <= {f"{number:03}-0" for number in range(20) if number % 3 == 2}
    if ids:
        assert len(again.hybrid_search(["batch"], [[1.0, 0.0]], top_k=500)[0]) == len(ids)
    again.write_documents(batch(99))
    again.optimise()
    again.close()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert LanceDBDocumentStore(tmp_path / "store").count_documents() == len(ids) + 10
    assert not caplog.text


def test_that_versions_were_given_up_is_said_once(tmp_path, monkeypatch, caplog):
    store = LanceDBDocumentStore(tmp_path / "store")
    store.write_documents(batch(1))

    def dies(self):
        raise Died

    with monkeypatch.context() as dying, pytest.raises(Died):
        dying.setattr(Durability, "sync", dies)
        store.write_documents(batch(2))
    store.close()
    for expected in ("1 version(s)", ""):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            again = LanceDBDocumentStore(tmp_path / "store")
            assert again.count_documents() == 10
        assert expected in caplog.text
        assert bool(caplog.text) is bool(expected)
        again.close()


def test_a_clock_set_back_leaves_nothing_out(tmp_path, monkeypatch):
    synced: set[str] = set()
    monkeypatch.setattr("time.time", lambda: 1.0)  # 1970
    monkeypatch.setattr(
        "components.stores.lancedb.disk.durability._sync",
        lambda path: synced.add(path.name) if path.is_file() else None,
    )
    store = LanceDBDocumentStore(tmp_path / "store")
    for number in range(3):
        store.write_documents(batch(number))
    store.close()
    table = tmp_path / "store" / "passages.lance"
    assert {path.name for path in table.rglob("*") if path.is_file() and path.suffix != ".json"} <= synced


def test_what_a_killed_run_left_is_forced_to_disk_by_the_next(tmp_path, monkeypatch):
    loose = LanceDBDocumentStore(tmp_path / "store", durable=False)
    loose.write_documents(batch(1))
    loose.close()
    before = {path.name for path in (tmp_path / "store" / "passages.lance" / "data").iterdir()}
    synced: set[str] = set()
    monkeypatch.setattr("components.stores.lancedb.disk.durability._sync", lambda path: synced.add(path.name))
    store = LanceDBDocumentStore(tmp_path / "store")
    store.write_documents(batch(2))
    store.close()
    assert before <= synced


def test_data_is_forced_to_disk_before_the_manifest_that_names_it(tmp_path, monkeypatch):
    order: list[Path] = []
    monkeypatch.setattr("components.stores.lancedb.disk.durability._sync", order.append)
    store = LanceDBDocumentStore(tmp_path / "store")
    store.write_documents(batch(0))  # makes the table too, which is forced to disk by itself
    for number in range(1, 3):
        order.clear()
        store.write_documents(batch(number))
        manifests = [at for at, path in enumerate(order) if path.suffix == ".manifest"]
        others = [at for at, path in enumerate(order) if path.is_file() and path.suffix != ".manifest"]
        assert others
        assert max(others) < min(manifests)
        folder = order.index(tmp_path / "store" / "passages.lance" / "data")
        assert max(others) < folder < min(manifests)
    store.close()


def test_a_writer_that_is_alive_keeps_its_newest_version(tmp_path, monkeypatch):
    writer, reader = (LanceDBDocumentStore(tmp_path / "store") for _ in range(2))
    writer.write_documents(batch(1))
    real, seen = Durability.sync, []

    def sync(self):
        if not seen:
            seen.append(reader.count_documents())  # opens now: committed, and not yet on disk
        real(self)

    monkeypatch.setattr(Durability, "sync", sync)
    writer.write_documents(batch(2))
    assert seen == [20]
    for store in (writer, reader):
        assert store.count_documents() == 20
        store.close()


def test_what_is_written_without_forcing_it_is_not_given_up(tmp_path, caplog):
    with_marker = LanceDBDocumentStore(tmp_path / "store")
    with_marker.write_documents(batch(1))
    with_marker.close()
    assert (tmp_path / "store" / MARKER).exists()
    loose = LanceDBDocumentStore(tmp_path / "store", durable=False)
    loose.write_documents(batch(2))
    loose.close()
    with caplog.at_level(logging.WARNING):
        assert LanceDBDocumentStore(tmp_path / "store").count_documents() == 20
    assert not caplog.text


def test_an_index_made_anew_forgets_what_was_known_of_the_old_one(tmp_path):
    store = LanceDBDocumentStore(tmp_path / "store")
    for number in range(5):
        store.write_documents(batch(number))
    store.delete_all_documents(recreate_index=True)
    store.write_documents(batch(7))
    store.close()
    again = LanceDBDocumentStore(tmp_path / "store")
    assert again.count_documents() == 10
    table = tmp_path / "store" / "passages.lance"
    assert Durability(table).marked() == newest_version(table)
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_power_goes(layout):
    try:
        assert cuts(4, layout, seed=11) > 0
    except NoRights as error:
        pytest.skip(f"needs the right to mount an ext4 file system of its own: {error}")
