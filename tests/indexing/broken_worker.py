"""The converting process with converters that misbehave, as the file's name says."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from indexing.convert import worker

convert = worker._converted


def converted(data: bytes, suffix: str) -> tuple[dict[str, Any], list[bytes]]:
    order = data.decode().strip()
    if order == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "sleep":
        time.sleep(60)
    if order == "spin":
        while True:
            pass
    if order == "allocate":
        hoard = [bytearray(64 << 20) for _ in range(64)]
        raise AssertionError(f"got {len(hoard)} x 64 MB")
    if order == "exit":
        os._exit(0)
    if order == "torn":
        os.write(next(fd for fd in range(3, 64) if _is_pipe(fd)), b'{"parts": [100]}\nhalf')
        os._exit(0)
    if order == "raise":
        raise KeyError("a secret of the document")
    if order == "write":
        Path("/tmp/excerpt-evil").write_text("x")
    if order == "connect":
        import socket

        socket.create_connection(("127.0.0.1", 18999), timeout=2)
    if order == "run":
        import subprocess

        subprocess.run(["touch", "/tmp/excerpt-evil"], check=True)
    if order == "print":
        print("noise on stdout " * 1000, flush=True)
        os.write(1, b"noise")
    if order == "modules":
        import sys

        data = "\n".join(sorted(sys.modules)).encode()
    return convert(data, suffix)


def _is_pipe(descriptor: int) -> bool:
    try:
        return (os.fstat(descriptor).st_mode & 0o170000) == 0o010000
    except OSError:
        return False


if __name__ == "__main__":
    worker._converted = converted
    worker.serve()
