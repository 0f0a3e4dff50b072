"""Feedback: kept with its place checked, undone, and exported as labels that SQuAD's readers take."""

import json
from pathlib import Path

import pytest

from evaluation.squad_data import read_squad
from tests.service.conftest import World


def _place(world: World, question: str) -> dict[str, object]:
    answer = world.ask(question, world.key("ask"), top_k=1)["answers"][0]
    return {"document": answer["source_id"], "start": answer["start_in_file"], "end": answer["end_in_file"]}


def _give(world: World, **body: object) -> str:
    reply = world.client.post("/feedback", json=body, headers=world.key("ask"))
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def test_labels_come_out_as_squad_with_their_offsets(world: World, tmp_path: Path) -> None:
    right = _place(world, "Who built the tower of Kaltwasser?")
    bridge = _place(world, "Who designed the bridge of Ostheim?")
    text = world.client.get(f"/documents/{bridge['document']}/text", headers=world.key("ask")).json()["text"]
    year = text.index("1902")
    correct = {"document": bridge["document"], "start": year, "end": year + 4, "text": "1902"}
    given = [
        _give(world, question="Who built the tower?", verdict="right", answer="Ada Brunner", **right),
        _give(world, question="When was the bridge designed?", verdict="right_passage", correct=correct, **bridge),
        _give(world, question="Who owns the bridge?", verdict="wrong", not_in_documents=True, **bridge),
        _give(world, question="Who knows?", verdict="wrong", **bridge),
    ]
    reply = world.client.get("/feedback/export", headers=world.key("admin"))
    assert reply.headers["x-skipped"] == "1"
    file = tmp_path / "feedback.json"
    file.write_text(json.dumps(reply.json()), encoding="utf-8")
    read = read_squad([file])
    labels = {question.text: [answer.text for answer in question.answers] for question in read.questions}
    assert labels == {
        "Who built the tower?": ["Ada Brunner"],
        "When was the bridge designed?": ["1902"],
        "Who owns the bridge?": [],
    }
    for number in given:
        assert world.client.delete(f"/feedback/{number}", headers=world.key("ask")).status_code == 200
    assert world.client.delete(f"/feedback/{given[0]}", headers=world.key("ask")).status_code == 404
    assert world.client.get("/feedback/export", headers=world.key("admin")).json()["data"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"end": 10_000}, 422),
        ({"start": 5, "end": 5}, 422),
        ({"end": None}, 422),
        ({"answer": "other words"}, 422),
        ({"document": "0" * 32}, 404),
        ({"verdict": "so so"}, 422),
    ],
)
def test_what_does_not_stand_there_is_refused(world: World, change: dict[str, object], status: int) -> None:
    body = {"question": "Who?", "verdict": "right", **_place(world, "Who built the tower?"), **change}
    body = {name: value for name, value in body.items() if value is not None}
    assert world.client.post("/feedback", json=body, headers=world.key("ask")).status_code == status


def test_only_ones_own_feedback_can_be_taken_back(world: World) -> None:
    number = _give(world, question="Who?", verdict="wrong")
    assert world.client.delete(f"/feedback/{number}", headers=world.key("ask", user="eve")).status_code == 404
    assert world.client.delete(f"/feedback/{number}", headers=world.key("admin")).status_code == 200
