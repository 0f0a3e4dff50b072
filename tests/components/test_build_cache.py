import multiprocessing
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from components.build_cache import build_or_load, cache_folder, is_whole
from components.devices import hardware_fingerprint


def make(folder: Path) -> None:
    (folder / "made.txt").write_text("whole")


def load(folder: Path) -> str:
    return (folder / "made.txt").read_text()


def test_made_once_then_loaded(tmp_path: Path) -> None:
    assert build_or_load(tmp_path / "deep" / "entry", make, load) == "whole"

    def never(folder: Path) -> None:
        raise AssertionError("made twice")

    assert build_or_load(tmp_path / "deep" / "entry", never, load) == "whole"
    assert [file.name for file in (tmp_path / "deep").iterdir() if not file.name.endswith(".lock")] == ["entry"]


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing", "no checksums", "bad checksums"])
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: str) -> None:
    entry = tmp_path / "entry"
    build_or_load(entry, make, load)
    {
        "truncated": lambda: (entry / "made.txt").write_text(""),
        "changed": lambda: (entry / "made.txt").write_text("whale"),
        "missing": lambda: (entry / "made.txt").unlink(),
        "no checksums": lambda: (entry / "checksums.json").unlink(),
        "bad checksums": lambda: (entry / "checksums.json").write_text("[1"),
    }[damage]()
    assert not is_whole(entry)
    assert build_or_load(entry, make, load) == "whole"
    assert is_whole(entry)


def test_a_crash_while_making_leaves_nothing_behind(tmp_path: Path) -> None:
    def crash(folder: Path) -> None:
        make(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_or_load(tmp_path / "entry", crash, load)
    assert not (tmp_path / "entry").exists()
    assert build_or_load(tmp_path / "entry", make, load) == "whole"


def _slowly(entry: Path, log: Path) -> None:
    def slow(folder: Path) -> None:
        with log.open("a") as opened:
            opened.write("made\n")
        time.sleep(0.3)
        make(folder)

    assert build_or_load(entry, slow, load) == "whole"


def test_two_processes_at_once_make_it_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    rivals = [spawn.Process(target=_slowly, args=(tmp_path / "entry", tmp_path / "log")) for _ in range(4)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(20)
    assert [rival.exitcode for rival in rivals] == [0] * 4
    assert (tmp_path / "log").read_text() == "made\n"


def test_where_nothing_can_be_written_it_is_made_and_forgotten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert build_or_load(tmp_path / "file" / "entry", make, load) == "whole"


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCERPT_CACHE", "/a")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("EXCERPT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/b/excerpt")


def test_what_is_measured_is_kept_without_the_packages_of_an_extra(monkeypatch):
    def absent(name: str) -> str:
        if name == "openvino":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("components.devices.version", absent)
    assert len(hardware_fingerprint()) == 12
