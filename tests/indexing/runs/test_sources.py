"""Files are found, told apart by content, and never followed or opened where that could do harm."""

import os

import pytest

from components.stores.contract import Source
from indexing.sources import compare, content_hash, find_files, shown, source_id_of, stamp_of


def tree(tmp_path, *names):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")
    return tmp_path


def found(*paths):
    return [file for file in find_files(paths) if not file.problem]


def recorded(file, **changed):
    status = os.stat(file)
    values = {
        "source_id": source_id_of(str(file)), "path": shown(str(file)), "content_hash": content_hash(str(file)),
        "fingerprint": "f", "version": "v", "state": "indexed", "size": status.st_size, "mtime_ns": stamp_of(status),
    }  # fmt: skip
    return Source(**{**values, **changed})


def compared(root, *known, **options):
    return compare(find_files([root]), {source.source_id: source for source in known}, [str(root)], "f", **options)


def test_folders_are_walked_in_order_without_hidden_files(tmp_path):
    tree(tmp_path, "b.txt", "a/z.txt", "a/y.txt", ".hidden.txt", ".git/config", "a/.x/y.txt")
    assert [file.path[len(str(tmp_path)) + 1 :] for file in found(tmp_path)] == ["a/y.txt", "a/z.txt", "b.txt"]
    assert [file.path for file in found(tmp_path / ".hidden.txt")] == [str(tmp_path / ".hidden.txt")]


def test_links_inside_are_passed_over_and_links_outside_are_problems(tmp_path):
    root = tree(tmp_path / "root", "a.txt", "sub/b.txt")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "in.txt").symlink_to(root / "a.txt")
    (root / "insub").symlink_to(root / "sub")
    (root / "out.txt").symlink_to(tmp_path / "outside.txt")
    (root / "up").symlink_to("..")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    problems = {os.path.basename(file.path): file.problem[0] for file in find_files([root]) if file.problem}
    assert problems == dict.fromkeys(["out.txt", "up", "loop", "fifo"], "not a file")
    assert [os.path.basename(file.path) for file in found(root)] == ["a.txt", "b.txt"]
    assert [file.path for file in found(root / "in.txt")] == [str(root / "a.txt")]


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder '.*nowhere'"):
        list(find_files([tmp_path / "nowhere"]))


def test_names_of_any_bytes_are_shown_on_one_line(tmp_path):
    for name in (b"\xff\xfe.txt", b"line\nbreak.txt", b"\x1b[31mred.txt"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"words")
    names = [shown(os.path.basename(file.path)) for file in found(tmp_path)]
    assert sorted(names) == ["\\udcff\\udcfe.txt", "\\x1b[31mred.txt", "line\\nbreak.txt"]
    assert shown("grün und 東京.txt") == "grün und 東京.txt"


def test_new_changed_unchanged_and_gone(tmp_path):
    root = tree(tmp_path / "root", "same.txt", "new.txt", "changed.txt")
    gone = recorded(root / "same.txt", source_id="gone", path=str(root / "gone.txt"))
    elsewhere = recorded(root / "same.txt", source_id="elsewhere", path=str(tmp_path / "root2/other.txt"))
    changed = recorded(root / "changed.txt", content_hash="other", size=3)
    changes = compared(root, recorded(root / "same.txt"), changed, gone, elsewhere)
    assert [os.path.basename(file.path) for file in changes.todo] == ["changed.txt", "new.txt"]
    assert changes.unchanged == 1
    assert changes.gone == {"gone": str(root / "gone.txt")}


def test_content_decides_when_times_differ(tmp_path):
    root = tree(tmp_path, "a.txt")
    before = recorded(root / "a.txt", mtime_ns=1)
    changes = compared(root, before)
    assert (changes.todo, changes.unchanged) == ([], 1)
    assert changes.touched == {before.source_id: stamp_of(os.stat(root / "a.txt"))}


def test_same_size_and_forged_time_are_seen_through(tmp_path):
    path = tree(tmp_path, "a.txt") / "a.txt"
    before = recorded(path)
    status = os.stat(path)
    path.write_text("text of A.TXT")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert os.stat(path).st_mtime_ns == status.st_mtime_ns
    assert len(compared(tmp_path, before).todo) == 1


def test_rehash_trusts_no_times(tmp_path):
    path = tree(tmp_path, "a.txt") / "a.txt"
    lying = recorded(path, content_hash="other")
    assert compared(tmp_path, lying).todo == []
    assert len(compared(tmp_path, lying, rehash=True).todo) == 1


@pytest.mark.parametrize("changed", [{"state": "pending"}, {"fingerprint": "other"}])
def test_unfinished_work_and_another_pipeline_are_done_again(tmp_path, changed):
    path = tree(tmp_path, "a.txt") / "a.txt"
    assert len(compared(tmp_path, recorded(path, **changed)).todo) == 1


def test_refused_files_wait_until_they_change(tmp_path):
    path = tree(tmp_path, "a.txt") / "a.txt"
    refused = recorded(path, state="refused", reason="damaged")
    assert compared(tmp_path, refused).still_refused == [refused.source_id]
    assert len(compared(tmp_path, refused, retry_refused=True).todo) == 1
    path.write_text("repaired")
    assert len(compared(tmp_path, refused).todo) == 1


def test_a_folder_given_twice_counts_once(tmp_path):
    root = tree(tmp_path, "sub/a.txt")
    changes = compare(find_files([root, root / "sub", root]), {}, [str(root)], "f")
    assert len(changes.todo) == 1


def test_nothing_is_gone_below_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    root = tree(tmp_path, "sub/a.txt")
    before = recorded(root / "sub/a.txt")
    listdir = os.listdir

    def refusing(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refusing)  # tests may run as root, who may list everything
    changes = compared(root, before)
    assert changes.gone == {}
    assert changes.problems[0].problem == ("unreadable", "Permission denied")
