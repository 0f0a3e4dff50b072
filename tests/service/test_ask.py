"""Questions over HTTP: answers where they stand, bounds, and what is refused."""

import json

import pytest

from tests.service.conftest import TEXTS, World


def test_an_answer_says_where_it_stands(world: World) -> None:
    reply = world.ask("Who built the tower of Kaltwasser?", world.key("ask"), top_k=1, passages=True)
    answer = reply["answers"][0]
    assert (answer["answer"], answer["file"].rpartition("/")[2]) == ("Ada Brunner", "tower.txt")
    assert TEXTS["tower.txt"][answer["start_in_file"] : answer["end_in_file"]] == "Ada Brunner"
    assert not reply["abstained"] and reply["degraded"] is None and reply["passages"]
    assert {"waiting", "retriever", "reader", "total"} <= set(reply["timings"])
    text = world.client.get(answer["links"]["text"], headers=world.key("ask")).json()
    assert text["text"][text["start"] : text["end"]] == "Ada Brunner"
    original = world.client.get(answer["links"]["original"], headers=world.key("ask"))
    assert original.text == TEXTS["tower.txt"]
    assert original.headers["content-disposition"].startswith("attachment")


def test_many_questions_are_answered_in_order(world: World) -> None:
    questions = ["Who designed the bridge of Ostheim?", "Who ran the mill?", "Who built the tower?"]
    reply = world.client.post("/ask", json={"questions": questions, "top_k": 1}, headers=world.key("ask")).json()
    assert [one["question"] for one in reply["results"]] == questions
    assert [one["answers"][0]["answer"] for one in reply["results"]] == ["Carl Winter", "Emma Vogel", "Ada Brunner"]


def test_filters_and_threshold_hold(world: World) -> None:
    only = {"field": "meta.file_name", "operator": "==", "value": "mill.txt"}
    reply = world.ask("Who built the tower?", world.key("ask"), filters=only)
    assert [answer["answer"] for answer in reply["answers"]] == ["Emma Vogel"]
    assert world.ask("Who built the tower?", world.key("ask"), score_threshold=0.99)["answers"] == []


def test_search_highlights_counts_and_pages(world: World) -> None:
    asked = {"query": "the tower built in 1871", "limit": 1, "facets": ["file_name"]}
    first = world.client.post("/search", json=asked, headers=world.key("ask")).json()
    passage = first["results"][0]
    words = [passage["content"][start:end] for start, end in passage["highlights"]]
    assert words == ["tower", "built", "1871"]
    assert {one["value"] for one in first["facets"]["file_name"]} == set(TEXTS)
    second = world.client.post("/search", json={**asked, "offset": 1}, headers=world.key("ask")).json()
    assert second["results"][0]["document_id"] != passage["document_id"]
    assert first["total"] == 3 and not first["more"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "question"),
        ({"question": "a", "questions": ["b"]}, "either"),
        ({"question": "  "}, "empty"),
        ({"question": "x" * 1001}, "1,000"),
        ({"question": "a", "top_k": 0}, "top_k"),
        ({"question": "a", "top_k": 10**9}, "top_k"),
        ({"question": "a", "topk": 3}, "topk"),
        ({"question": "a", "filters": {"field": "meta.x", "operator": "~", "value": 1}}, "operator"),
        ({"question": "a", "filters": {"field": "meta.allow", "operator": "==", "value": "everyone"}}, "allow"),
        ({"question": "a", "filters": {"field": "meta.x", "operator": ">", "value": "never a date"}}, "filter"),
        ({"question": "a\ud800"}, "unicode"),
        ({"questions": ["a"] * 65}, "64"),
    ],
)
def test_what_is_not_allowed_is_said(world: World, body: dict[str, object], word: str) -> None:
    headers = {**world.key("ask"), "Content-Type": "application/json"}
    reply = world.client.post("/ask", content=json.dumps(body), headers=headers)
    assert reply.status_code == 422, reply.text
    assert word in reply.json()["error"]["message"]


def test_a_nested_filter_is_refused(world: World) -> None:
    nested: dict[str, object] = {"field": "meta.x", "operator": "==", "value": 1}
    for _ in range(60):
        nested = {"operator": "NOT", "conditions": [nested]}
    reply = world.client.post("/ask", json={"question": "a", "filters": nested}, headers=world.key("ask"))
    assert reply.status_code == 422


def test_a_word_misspelt_is_corrected_from_the_index(world: World) -> None:
    headers = world.key("ask")
    reply = world.client.get("/suggestions", params={"q": "old"}, headers=headers).json()
    assert reply["suggestions"] == [{"text": "The old bridge", "kind": "heading"}]
    found = world.client.post("/search", json={"query": "the enginer of Kaltwaser"}, headers=headers).json()
    assert found["did_you_mean"] == "the engineer of Kaltwasser"
