"""A watched folder: what changes is in the index soon, bursts come as one run, what goes is taken out."""

import shutil
import threading
import time
from queue import Empty, Queue

import pytest

from indexing.maintenance.watch import _folders, watch
from tests.indexing.pipeline import build, contents, embedder_of, store_of

PATIENCE = 60.0  # for a busy machine; alone it takes a second or two


class Watched:
    def __init__(self, pipeline, folder):
        self.store, self.reports, self.stop = store_of(pipeline), Queue(), threading.Event()
        self.errors = []
        self.thread = threading.Thread(target=self._run, args=(pipeline, folder))
        self.thread.start()

    def _run(self, pipeline, folder):
        try:
            watch(pipeline, [folder], self.reports.put, stop=self.stop)
        except BaseException as error:
            self.errors.append(error)

    def until(self, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, "not seen in time"
            assert not self.errors, self.errors
            try:
                self.reports.get(timeout=0.2)
            except Empty:
                continue

    def names(self):
        return {source.path.rpartition("/")[2] for source in self.store.sources.all() if source.state == "indexed"}


@pytest.fixture
def watched(tmp_path):
    folder = tmp_path / "documents"
    (folder / "sub").mkdir(parents=True)
    (folder / "first.txt").write_text("There from the beginning.")
    pipeline = build(folder / ".store")  # where `excerpt index .` would put it
    watched = Watched(pipeline, folder)
    try:
        watched.until(lambda: watched.names() == {"first.txt"})
        yield watched, folder, pipeline
    finally:
        watched.stop.set()
        watched.thread.join(PATIENCE)
    assert not watched.errors


def test_what_is_new_changed_renamed_and_gone(watched, tmp_path):
    watched, folder, pipeline = watched
    (folder / "sub" / "new.txt").write_text("A new one.")
    (folder / ".hidden.txt").write_text("Nobody's business.")
    (folder / "link.txt").symlink_to("/etc/hostname")
    watched.until(lambda: watched.names() == {"first.txt", "new.txt"})
    (folder / "first.txt").write_text("Other words.")
    watched.until(lambda: "Other words." in {one.content for one in watched.store.filter_documents()})
    embedder_of(pipeline).seen.clear()
    (folder / "sub").rename(folder / "other")
    (folder / "first.txt").unlink()
    watched.until(lambda: watched.names() == {"new.txt"} and "first.txt" not in watched.names())
    watched.until(lambda: {one.path for one in watched.store.sources.all() if one.state == "indexed"} == {
        str(folder / "other" / "new.txt")
    })  # fmt: skip
    assert embedder_of(pipeline).seen == []  # known by its content
    shutil.rmtree(folder / "other")
    watched.until(lambda: watched.names() == set())


def test_a_burst_of_changes(watched):
    watched, folder, _ = watched
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"House {number} stands on the rock.")
    for number in range(0, 300, 3):
        (folder / f"{number}.txt").unlink()
    expected = {"first.txt", *(f"{number}.txt" for number in range(300) if number % 3)}
    watched.until(lambda: watched.names() == expected)
    passages = contents(watched.store)[0]
    assert len(passages) == len(expected)


def test_the_folders_that_are_looked_at(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    root = str(tmp_path)
    changed = [f"{root}/a/b/x.txt", f"{root}/a/b/gone/deep/y.txt"]
    assert _folders(changed, [root]) == [f"{root}/a/b"]
    assert _folders([*changed, f"{root}/a/z.txt"], [root]) == [f"{root}/a"]
    assert _folders([f"{root}/gone.txt"], [root]) == [root]
    assert _folders([f"{root}/one.txt"], [f"{root}/one.txt"]) == [f"{root}/one.txt"]
