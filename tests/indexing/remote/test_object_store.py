"""What fsspec opens, in the index: here its memory file system, which needs no server."""

import uuid

import fsspec
import pytest

from indexing.remote.object_store import ObjectStore
from indexing.remote.origin import OriginError
from indexing.run import index
from tests.indexing.pipeline import build, store_of
from tests.indexing.real_files import WRITERS


@pytest.fixture
def bucket():
    files = fsspec.filesystem("memory")
    name = f"/{uuid.uuid4().hex}"
    files.makedirs(name)
    yield files, name
    files.rm(name, recursive=True)


def test_what_is_new_changed_and_gone(tmp_path, bucket):
    files, name = bucket
    for file, write in WRITERS.items():
        write(tmp_path / file)
        files.pipe(f"{name}/deep/{file}", (tmp_path / file).read_bytes())
    files.pipe(f"{name}/.hidden/a.txt", b"not seen")
    address = f"memory://{name}/"
    pipeline = build(tmp_path / "store")
    report = index(pipeline, [], origins=[ObjectStore(address)])
    assert (len(report.indexed), report.refused) == (len(WRITERS), [])
    again = index(pipeline, [], origins=[ObjectStore(address)])
    assert (again.unchanged, again.indexed) == (len(WRITERS), [])
    files.pipe(f"{name}/deep/a.txt", b"Entirely other words.")
    files.rm(f"{name}/deep/b.md")
    report = index(pipeline, [], origins=[ObjectStore(address)])
    assert report.indexed == [f"memory://{name}/deep/a.txt"]
    assert report.removed == [f"memory://{name}/deep/b.md"]
    assert any(one.content == "Entirely other words." for one in store_of(pipeline).filter_documents())


def test_too_large_and_nothing_there(tmp_path, bucket):
    files, name = bucket
    files.pipe(f"{name}/a.txt", b"x" * 2000)
    [file] = ObjectStore(f"memory://{name}").files({}, 1000)
    assert file.problem == ("too large", "2,000 bytes")
    with pytest.raises(OriginError, match="nothing at"):
        list(ObjectStore(f"memory://{name}/missing").files({}, 1000))


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "local:///etc", "filecache::memory://a", "sftp://ada:secret@host/x", "nosuch://a/b"],
)
def test_addresses_that_are_refused(address):
    with pytest.raises(OriginError) as error:
        ObjectStore(address)
    assert "secret" not in str(error.value)
