"""
A reader that stays loaded for one user's next questions, and ends by itself when none has come for a while.

    python -m cli.warm.server SOCKET PIPELINES STORE READER MINUTES

It keeps nothing: no question, no answer, no log.
"""

import fcntl
import json
import os
import select
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cli.environment import settle_environment

MAX_REQUEST = 1 << 20  # bytes of one question with its filters


def main(path: Path, pipelines: str, store: Path, reader: str | None, minutes: float) -> None:
    """Listen, load, answer; one process a socket."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another one was started at the same time, and answers
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(64)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever started this process waits for its output to end
        try:
            _Warm(pipelines, store, reader, minutes).serve(listening)
        finally:
            path.unlink(missing_ok=True)


class _Warm:
    def __init__(self, pipelines: str, store: Path, reader: str | None, minutes: float) -> None:
        self.minutes = minutes
        self.last = time.monotonic()
        self.under_way = 0
        self.changed = threading.Condition()
        self.loaded: Any = None
        self.error: BaseException | None = None
        self.arguments = (pipelines, store, reader)
        self.woken, self.waking = socket.socketpair()  # an answer given may have changed when to end

    def serve(self, listening: socket.socket) -> None:
        """Until nobody has asked for `minutes`."""
        threading.Thread(target=self._load, daemon=True).start()
        while True:
            with self.changed:
                left = self.last + self.minutes * 60 - time.monotonic()
                busy = self.under_way > 0
            if left <= 0 and not busy:
                return
            ready, _, _ = select.select([listening, self.woken], [], [], None if busy else left)
            if self.woken in ready:
                self.woken.recv(64)
            if listening not in ready:
                continue
            connection, _ = listening.accept()
            with self.changed:
                self.under_way += 1
            threading.Thread(target=self._answer_one, args=(connection,), daemon=True).start()

    def _load(self) -> None:
        from cli.options import load
        from cli.start import warm

        pipelines, store, reader = self.arguments
        try:
            loaded, error = warm(lambda on_built: load("ask", pipelines, store, on_built, reader)), None
        except BaseException as raised:
            loaded, error = None, raised
        with self.changed:
            self.loaded, self.error = loaded, error
            self.changed.notify_all()

    def _answer_one(self, connection: socket.socket) -> None:
        from cli.warm.address import require_same_user

        try:
            with connection:
                require_same_user(connection)
                with connection.makefile("rb") as lines:
                    request = json.loads(lines.readline(MAX_REQUEST))
                connection.sendall(json.dumps(self._reply(request)).encode() + b"\n")
        except (OSError, ValueError):
            pass  # whoever asked has gone, or is none of us
        finally:
            with self.changed:
                self.under_way -= 1
                self.last = time.monotonic()
                if self.error is not None:
                    self.minutes = 0.0
            self.waking.send(b".")

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        from cli import exits
        from cli.asking import Asker

        with self.changed:
            self.minutes = max(float(request["minutes"]), 0.0)
            self.changed.wait_for(lambda: self.loaded is not None or self.error is not None)
        try:
            if self.error is not None:
                raise self.error
            asker = Asker(self.loaded, request["filters"], request["top_k"])
            return {"found": asker.ask(request["question"])}
        except BaseException as error:
            code = error.code if isinstance(error, exits.CommandError) else exits.ERROR
            return {"error": exits.describe(error), "code": code}


if __name__ == "__main__":
    settle_environment()
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4] or None, float(sys.argv[5]))
