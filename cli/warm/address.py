"""Where does a warm reader listen? One socket for each set of settings, in a folder that only its user can enter."""

import hashlib
import json
import os
import socket
import stat
import struct
import sys
from pathlib import Path

from cli.exits import CommandError

_SETTINGS = ("EXCERPT_", "ELASTIC", "HF_", "TRANSFORMERS_", "CUDA_", "XDG_", "HOME")
_LONGEST = 100  # bytes a socket's path may have are 104 to 108


def socket_path(pipelines: str, store: Path, reader: str | None) -> Path:
    """
    The socket of the process that answers with these settings; another setting, pipeline file or version, another one.

    :raises CommandError: when the folder cannot be made safe.
    """
    from importlib.metadata import version

    from pipelines.loader import pipeline_file

    told = {
        "version": version("excerpt"),
        "code": str(Path(__file__).resolve()),
        "python": sys.executable,
        "here": os.getcwd(),
        "yaml": hashlib.sha256(pipeline_file("ask", pipelines).read_bytes()).hexdigest(),
        "arguments": [pipelines, str(store.absolute()), reader],
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith(_SETTINGS)},
    }
    name = hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return _folder() / f"{name}.socket"


def require_same_user(connection: socket.socket) -> None:
    """
    :raises PermissionError: when the other end belongs to somebody else. Where the system cannot tell, the folder's
        rights are what keeps others out.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    if user != os.getuid():
        raise PermissionError("a warm reader answers its own user only")


def _folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    choices = [Path(runtime) / "excerpt"] if runtime else []
    choices += [cache / "excerpt" / "warm", Path(f"/tmp/excerpt-{os.getuid()}")]  # noqa: S108 checked below
    for folder in choices:
        if len(os.fsencode(folder)) <= _LONGEST - 32 and _is_ours(folder):
            return folder
    raise CommandError("--keep-warm: there is no folder that only you can enter; set XDG_RUNTIME_DIR to one")


def _is_ours(folder: Path) -> bool:
    """Made if need be; a real folder, our own, closed to everybody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return False
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
        return True
    except OSError:
        return False
