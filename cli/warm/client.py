"""Asks a warm reader, and starts one where there is none."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.exits import CommandError
from cli.warm.address import require_same_user, socket_path

_PATIENCE = 300.0  # seconds for loading and answering; a reader that died is noticed at once


def ask_warm(
    question: str,
    pipelines: str,
    store: Path,
    reader: str | None,
    filters: list[str],
    top_k: int | None,
    minutes: float,
) -> dict[str, Any]:
    """
    What a process that stays for `minutes` after its last question finds, as `pipelines.answers` describes it.

    :raises CommandError: as the process itself would have raised it, or when it does not answer.
    """
    path = socket_path(pipelines, store, reader)
    request = {"question": question, "filters": filters, "top_k": top_k, "minutes": minutes}
    connection = _connect(path)
    if connection is None:
        _start(path, pipelines, store, reader, minutes)
        connection = _connect(path)
    if connection is None:
        raise CommandError("the warm reader could not be started; ask without --keep-warm to see why")
    with connection:
        require_same_user(connection)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline()
    if not line:
        raise CommandError("the warm reader ended before it answered; ask without --keep-warm to see why")
    reply: dict[str, Any] = json.loads(line)
    if "error" in reply:
        raise CommandError(reply["error"], reply["code"])
    found: dict[str, Any] = reply["found"]
    return found


def _connect(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_PATIENCE)
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def _start(path: Path, pipelines: str, store: Path, reader: str | None, minutes: float) -> None:
    """Start the process and wait until it listens (it loads afterwards): it closes its output then."""
    module = [sys.executable, "-m", "cli.warm.server"]
    command = [*module, str(path), pipelines, str(store.absolute()), reader or "", str(minutes)]
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env=environment, stdin=nowhere, stdout=subprocess.PIPE, stderr=nowhere, start_new_session=True
    )
    assert process.stdout is not None  # noqa: S101 a pipe was asked for
    with process.stdout:
        process.stdout.read()
