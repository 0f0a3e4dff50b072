"""A warm reader: answers the next question of its own user, ends by itself, and tells errors like any command."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.warm import address

ROOT = Path(__file__).resolve().parents[2]
ANTHEM = "Who sang the national anthem at Super Bowl 50?"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short path: a socket's has an end."""
    with tempfile.TemporaryDirectory(prefix="x", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def listening(runtime: Path) -> list[Path]:
    return list(runtime.rglob("*.socket"))


def test_one_process_answers_and_ends_by_itself(inside: Run, runtime: Path) -> None:
    code, out, err = inside("ask", ANTHEM, "--json", "--keep-warm", 5)
    assert code == 0, err
    assert json.loads(out)["answers"][0]["answer"] == "Lady Gaga"
    [path] = listening(runtime)
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        process = int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder)
    assert process != os.getpid()
    code, _, err = inside("ask", ANTHEM, "--keep-warm", 5, "--filter", "file=no-such.pdf")
    assert (code, "means no file of the index" in err) == (5, True)
    code, out, _ = inside("ask", "Who patented a steam engine in 1781?", "--json", "--keep-warm", 0.0001)
    assert json.loads(out)["answers"][0]["answer"] == "James Watt"
    assert listening(runtime) in ([path], []), "the same process answered"
    deadline = time.monotonic() + 30
    while listening(runtime) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert listening(runtime) == []


def test_what_goes_wrong_is_told_and_no_process_stays(inside: Run, runtime: Path) -> None:
    code, _, err = inside("ask", ANTHEM, "--keep-warm", 5, "--reader", "no/such/model")
    assert code == 1
    assert "no/such/model" in err
    deadline = time.monotonic() + 30
    while listening(runtime) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert listening(runtime) == []


def test_a_folder_that_others_may_enter_is_closed_or_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not pytest's folder: a socket's path holds some hundred characters.
    with tempfile.TemporaryDirectory() as short:
        folder = Path(short) / "excerpt"
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        folder.mkdir(mode=0o777)
        assert address._folder() == folder
        assert folder.stat().st_mode & 0o777 == 0o700
        folder.rmdir()
        (Path(short) / "elsewhere").mkdir()
        folder.symlink_to(Path(short) / "elsewhere")
        assert address._folder() != folder


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_not_answered() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    address.require_same_user(ours)
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)"
    )
    path = f"/tmp/excerpt-test-{os.getpid()}.socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        os.chmod(path, 0o777)
        listening.listen()
        stranger = subprocess.Popen([sys.executable, "-c", code, path])
        connection, _ = listening.accept()
        with connection, pytest.raises(PermissionError):
            address.require_same_user(connection)
        stranger.wait(30)
    os.unlink(path)
    ours.close()
    theirs.close()
