"""
The service in a process of its own, over the engine of the tests: `python -m tests.service.process FOLDER SETTINGS`.

SETTINGS is JSON; `seconds` (what a question takes), `batch`, `file_bytes` (largest file the process may write) are for
the engine and the process, all others are the service's. It prints its port, and what goes wrong to stderr.
"""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from indexing.run import index
from service.server import serve
from service.service import build_service
from service.settings import Settings
from tests.service.conftest import write_texts
from tests.service.engine import FakeReader, build_engine

ROOT = Path(__file__).resolve().parents[2]


class ServiceProcess:
    """
    Starts the process and waits for its port.

    :param folder: of index, data and logs; a second process over the same goes on where the first one ended.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.errors = folder / f"stderr-{time.monotonic_ns()}.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.service.process", str(folder), json.dumps(settings)],
                stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("port "), self.errors.read_text()
        self.port = int(line.split()[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def seen(self) -> list[str]:
        """The questions that were computed, but the canary's."""
        log = self.folder / "seen.txt"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [line for line in lines if line != "Is anybody there?"]

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> str:
        """End it, however it is; returns what it wrote to stderr."""
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.errors.read_text()


async def ask_all(
    address: str, questions: list[str], timeout: float = 60.0, headers: dict[str, str] | None = None
) -> list[httpx.Response | Exception]:
    """Ask everything at once, each over a connection of its own."""
    limits = httpx.Limits(max_connections=1000)
    async with httpx.AsyncClient(base_url=address, timeout=timeout, limits=limits, headers=headers) as client:

        async def one(question: str) -> httpx.Response | Exception:
            try:
                return await client.post("/ask", json={"question": question, "top_k": 1})
            except httpx.HTTPError as error:
                return error

        return list(await asyncio.gather(*map(one, questions)))


def statuses(replies: list[httpx.Response | Exception]) -> dict[int | str, int]:
    """How often each status came; errors by their name. What was not expected is printed, for the test's report."""
    counted: dict[int | str, int] = {}
    for reply in replies:
        key = reply.status_code if isinstance(reply, httpx.Response) else type(reply).__name__
        if isinstance(reply, httpx.Response) and reply.status_code >= 500 and not counted.get(key):
            print(reply.text)
        counted[key] = counted.get(key, 0) + 1
    return counted


def main() -> None:
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    own = {name: settings.pop(name) for name in ("seconds", "batch", "file_bytes") if name in settings}
    reader = FakeReader(own.get("seconds", 0.0), own.get("batch", 8), folder / "seen.txt")
    engine = build_engine(folder / "store", reader)
    if not (folder / "texts").exists():
        index(engine.index, [write_texts(folder / "texts")])
    if limit := own.get("file_bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    service = build_service(Settings(data=folder / "data", port=0, **settings), engine=engine)
    serve(service, lambda port: print(f"port {port}", flush=True))


if __name__ == "__main__":
    main()
