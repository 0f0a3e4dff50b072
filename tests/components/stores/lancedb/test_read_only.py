"""A store that may be read and not written: somebody else's, or on a disk mounted so."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from haystack import Document

from components.stores.lancedb import LanceDBDocumentStore
from tests.components.stores.store_suite import source

NOBODY = 65534


@pytest.fixture
def filled():
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    store = LanceDBDocumentStore(folder / "store")
    store.write_documents([Document(id="1", content="some words", embedding=[1.0, 0.0])])
    store.sources.put([source("a", text="some words")])
    assert read(store)  # whatever is imported for reading is imported now, and not as somebody who may not
    store.close()
    for path in [folder / "store", *(folder / "store").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder / "store"
    shutil.rmtree(folder)


def read(store: LanceDBDocumentStore) -> tuple:
    paths = [one.path for one in store.sources.all()]
    [found] = store.hybrid_search(["words"], [[1.0, 0.0]])
    text = store.sources.get("a" * 32).text
    return store.status().size_bytes > 0, paths, text, store.count_documents(), [one.id for one in found]


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root may write everywhere; without root it is enough that nothing is writable."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("state", ["closed", "marker gone", "writer died"])
def test_it_tells_its_status_and_answers(filled, state):
    if state != "closed":
        (filled / "durable-version").unlink()
    if state == "writer died":  # in the middle of a version
        (filled / "passages.lance" / "data" / "half.lance").write_bytes(b"")
    with somebody_else():
        store = LanceDBDocumentStore(filled)
        assert read(store) == (True, ["/docs/a.txt"], "some words", 1, ["1"])
        with pytest.raises(Exception, match=r"(?i)denied|read-?only|unable to open"):
            store.sources.put([source("b")])
        with pytest.raises(Exception, match=r"(?i)denied|read-?only"):
            store.write_documents([Document(id="2", content="more")])
        assert read(store)[4] == ["1"]
        store.close()
