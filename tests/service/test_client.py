"""The Python client against a real port: ask, upload, ask about it, feedback, replace, delete; and its errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexing.run import index
from service.client import AsyncClient, Client, ExcerptError
from service.service import build_service
from service.settings import Settings
from tests.service.conftest import write_texts
from tests.service.engine import build_engine
from tests.service.live import live


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("client")
    engine = build_engine(folder / "store")
    index(engine.index, [write_texts(folder / "texts")])
    service = build_service(Settings(data=folder / "data"), engine=engine)
    key, _ = service.keys.add("client", ["ask", "upload"])
    with live(service) as address:
        yield address, key


def test_a_day_with_the_client(served: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "well.txt"
    file.write_text("The well of Talheim was dug by Nora Stein in 1833.", encoding="utf-8")
    with Client(*served) as excerpt:
        assert excerpt.ask("Who built the tower?", top_k=1)["answers"][0]["answer"] == "Ada Brunner"
        assert len(excerpt.ask_many(["Who?", "When?"])) == 2
        job = excerpt.upload(file, meta={"author": "me"})
        assert job["state"] == "searchable"
        answer = excerpt.ask("Who dug the well of Talheim?", top_k=1)["answers"][0]
        assert (answer["answer"], answer["file"]) == ("Nora Stein", "well.txt")
        place = {"document": answer["source_id"], "start": answer["start_in_file"], "end": answer["end_in_file"]}
        assert excerpt.feedback("Who dug the well?", "right", **place)["id"]
        file.write_text("The well of Talheim was dug by Paul Roth in 1834.", encoding="utf-8")
        assert excerpt.upload(file, replace=job["document"])["state"] == "searchable"
        assert excerpt.ask("Who dug the well of Talheim?", top_k=1)["answers"][0]["answer"] == "Paul Roth"
        assert excerpt.documents(name="well")["total"] == 1
        assert excerpt.delete(job["document"])["state"] == "deleted"
        assert excerpt.documents(name="well")["total"] == 0
        (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
        refused = excerpt.upload(tmp_path / "broken.pdf")
        assert (refused["state"], refused["reason"]) == ("refused", "damaged")


async def test_the_same_asynchronously(served: tuple[str, str]) -> None:
    async with AsyncClient(*served) as excerpt:
        assert (await excerpt.ask("Who built the tower?", top_k=1))["answers"][0]["answer"] == "Ada Brunner"
        assert (await excerpt.search("tower", limit=1))["results"]


def test_errors_say_what_the_service_says(served: tuple[str, str]) -> None:
    with Client(*served) as excerpt, pytest.raises(ExcerptError, match="top_k") as told:
        excerpt.ask("Who?", top_k=0)
    assert (told.value.status, told.value.code) == (422, "invalid_request")
    with Client(served[0], "wrong") as stranger, pytest.raises(ExcerptError, match="unauthorized"):
        stranger.ask("Who?")


def test_the_client_is_short() -> None:
    assert len(Path("service/client.py").read_text(encoding="utf-8").splitlines()) < 200
