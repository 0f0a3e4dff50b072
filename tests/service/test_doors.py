"""The same question at every door gets the same answer: one function is behind all of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from openai import NotFoundError, OpenAI

from indexing.run import index
from service.service import Service, build_service
from service.settings import Settings
from tests.service.conftest import World, write_texts
from tests.service.engine import build_engine
from tests.service.live import live

QUESTION = "Who built the tower of Kaltwasser?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and key of a service on a real port."""
    folder = tmp_path_factory.mktemp("doors")
    engine = build_engine(folder / "store")
    index(engine.index, [write_texts(folder / "texts")])
    service: Service = build_service(Settings(data=folder / "data"), engine=engine)
    key, _ = service.keys.add("doors", ["ask"])
    with live(service) as address:
        yield address, key


def _plain(result: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in result.items() if name not in ("request_id", "timings")}


async def test_one_answer_at_every_door(served: tuple[str, str], world: World) -> None:
    address, key = served
    headers = {"Authorization": f"Bearer {key}"}
    by_http = httpx.post(f"{address}/ask", json={"question": QUESTION, "top_k": 1}, headers=headers).json()
    assert by_http["answers"][0]["answer"] == "Ada Brunner"
    wanted = _plain(by_http)

    many = httpx.post(f"{address}/ask", json={"questions": [QUESTION], "top_k": 1}, headers=headers).json()
    assert many["results"][0] == wanted

    client = OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
    asked = {"model": "excerpt", "messages": [{"role": "user", "content": QUESTION}], "extra_body": {"top_k": 1}}
    plain = client.chat.completions.create(**asked)  # type: ignore[call-overload]
    assert plain.excerpt == wanted
    assert plain.choices[0].message.content.startswith("Ada Brunner [1]")
    citation = plain.choices[0].message.annotations[0].url_citation
    cited = plain.choices[0].message.content[citation.start_index : citation.end_index]
    assert cited.startswith("[1]") and "tower.txt" in cited
    assert httpx.get(citation.url, headers=headers).status_code == 200

    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))  # type: ignore[call-overload]
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed == plain.choices[0].message.content
    assert chunks[-1].usage.total_tokens > 0 and chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-2].excerpt == wanted

    hayhooks = httpx.post(f"{address}/ask/run", json={"question": QUESTION, "top_k": 1}, headers=headers).json()
    assert hayhooks["result"] == wanted

    async with (
        httpx.AsyncClient(headers=headers) as http,
        streamable_http_client(f"{address}/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        assert {tool.name for tool in (await session.list_tools()).tools} == {"ask", "search", "get_document"}
        by_mcp = await session.call_tool("ask", {"question": QUESTION, "top_k": 1})
        assert by_mcp.structuredContent == wanted
        found = (await session.call_tool("search", {"query": "the tower", "limit": 1})).structuredContent
        source = found["results"][0]["source_id"]
        text = (await session.call_tool("get_document", {"document": source})).structuredContent
        assert "Ada Brunner" in text["text"]
        missing = await session.call_tool("get_document", {"document": "0" * 32})
        assert missing.isError and "no such document" in missing.content[0].text
        wrong = await session.call_tool("ask", {"question": "x", "filters": {"nonsense": 1}})
        assert wrong.isError and "filters" in wrong.content[0].text


def test_the_openai_client_lists_the_model_and_is_told_of_others(served: tuple[str, str]) -> None:
    client = OpenAI(base_url=f"{served[0]}/v1", api_key=served[1], max_retries=0)
    assert [model.id for model in client.models.list()] == ["excerpt"]
    with pytest.raises(NotFoundError, match="excerpt"):
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "x"}])


def test_an_abstention_is_said_first(make_world: Callable[..., World]) -> None:
    world = make_world(texts=False)
    asked = {"model": "excerpt", "messages": [{"role": "user", "content": [{"type": "text", "text": "Who?"}]}]}
    reply = world.client.post("/v1/chat/completions", json=asked).json()
    assert reply["choices"][0]["message"]["content"] == "The documents do not seem to hold the answer."
    assert reply["excerpt"]["abstained"]


def test_what_a_stream_ends_with(world: World) -> None:
    asked = {"model": "excerpt", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    reply = world.client.post("/v1/chat/completions", json=asked, headers=world.key("ask"))
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = reply.text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events[:-1])


def test_the_wrapper_of_plain_hayhooks_is_a_folder_of_its_own() -> None:
    folder = Path(__file__).resolve().parents[2] / "service" / "hayhooks"
    assert [entry.name for entry in sorted(folder.iterdir()) if entry.name != "__pycache__"] == ["ask"]
