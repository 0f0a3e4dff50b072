"""One service a session, over a tiny index; and what a test needs to ask it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from indexing.run import index
from service.app import create_service_app
from service.service import Service, build_service
from service.settings import Settings
from tests.service.client import LoopClient
from tests.service.engine import build_engine

# Here, not beside their tests: hypothesis looks for the profile of the command line before it reads a test's file.
settings.register_profile("worlds", max_examples=500)
settings.register_profile("proof", max_examples=10_000)

TEXTS = {
    "tower.txt": "The tower of Kaltwasser was built in 1871 by the engineer Ada Brunner. It stands 42 metres tall.",
    "bridge.md": "# Bridges\n\n## The old bridge\n\nThe bridge of Ostheim was designed by Carl Winter in 1902.\n",
    "mill.txt": "The mill at Grünbach was run by Emma Vogel until the flood of 1954 took the wheel.",
}


@dataclass
class World:
    """
    A running service.

    :param client: without a key.
    """

    service: Service
    client: LoopClient
    folder: Path
    _made: dict[str, str] = field(default_factory=dict)

    def key(self, *scopes: str, user: str | None = None, groups: tuple[str, ...] = (), **more: Any) -> dict[str, str]:
        """Headers of a key with these rights; the same for the same rights."""
        name = f"{'-'.join(scopes)}.{user}.{'-'.join(groups)}.{'-'.join(map(str, more.values()))}"
        if name not in self._made:
            scopes_ = list(scopes or ("ask",))
            self._made[name] = self.service.keys.add(name, scopes_, user=user, groups=list(groups), **more)[0]
        return {"Authorization": f"Bearer {self._made[name]}"}

    def ask(self, question: str, headers: dict[str, str], **more: Any) -> Any:
        reply = self.client.post("/ask", json={"question": question, **more}, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def upload(self, headers: dict[str, str], name: str, content: bytes | str, **fields: str) -> dict[str, Any]:
        """Upload a file and wait until its job is done; returns the job."""
        data = content.encode() if isinstance(content, str) else content
        reply = self.client.post("/documents", files=[("files", (name, data))], data=fields, headers=headers)
        assert reply.status_code == 202, reply.text
        return self.wait_for(reply.json()["jobs"][0], headers)

    def wait_for(self, job: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        end = time.monotonic() + 60
        while job["state"] not in ("searchable", "refused", "failed", "deleted"):
            assert time.monotonic() < end, job
            time.sleep(0.05)
            job = self.client.get(f"/jobs/{job['id']}", headers=headers).json()
        return job


def write_texts(folder: Path) -> Path:
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def make_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., World]]:
    """Makes services of their own, for tests that change settings or break something."""
    opened: list[LoopClient] = []

    def make(engine: Any = None, texts: bool = True, **settings: Any) -> World:
        folder = tmp_path_factory.mktemp("service")
        engine = engine or build_engine(folder / "store")
        if texts:
            assert not index(engine.index, [write_texts(folder / "texts")]).refused
        made = build_service(Settings(data=folder / "data", **settings), engine=engine)
        client = LoopClient(create_service_app(made))
        opened.append(client)
        return World(made, client, folder)

    yield make
    for client in opened:
        client.close()


@pytest.fixture(scope="session")
def world(make_world: Callable[..., World]) -> World:
    """The service that most tests share, with keys in use; what a test uploads, it deletes."""
    made = make_world()
    made.key("ask")
    return made
