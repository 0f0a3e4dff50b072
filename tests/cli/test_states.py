"""One of three things is said of a question, in JSON and on a terminal alike."""

import io
from typing import Any

import pytest
from haystack import Document, ExtractedAnswer
from rich.console import Console

from cli.terminal.show import show_answers
from cli.terminal.text import json_line, visible_lines
from cli.terminal.words import percent, plural, shorten, size
from pipelines.answers import answers_json


def answer(text: str, probability: float) -> ExtractedAnswer:
    content = f"It holds {text} of data."
    return ExtractedAnswer(
        query="How much?", score=probability, data=text, document=Document(content=content),
        document_offset=ExtractedAnswer.Span(9, 9 + len(text)), context=content,
        context_offset=ExtractedAnswer.Span(9, 9 + len(text)), meta={"places": [{}]},
    )  # fmt: skip


def none(probability: float, abstain: bool) -> ExtractedAnswer:
    return ExtractedAnswer(query="How much?", score=probability, data=None, meta={"abstain": abstain})


def shown(found: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    show_answers(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answers", "state", "first"),
    [
        ([answer("281 terabytes", 0.9), none(0.05, False)], "answer", "281 terabytes  90 %"),
        # what a threshold withholds is not what the documents lack: .6 % here
        ([answer("281 terabytes", 0.27), none(0.006, True)], "not_sure", "Not sure: 281 terabytes  27 %"),
        ([answer("281 terabytes", 0.3), none(0.4, True)], "not_sure", "Not sure: 281 terabytes  30 %"),
        ([answer("281 terabytes", 0.1), none(0.85, True)], "not_in_documents", "Not in the documents (85 %)."),
        ([none(1.0, True)], "not_in_documents", "Not in the documents (99.9 %)."),
        ([answer("281 terabytes", 0.1)], "answer", "281 terabytes  10 %"),
        ([], "not_in_documents", "Not in the documents."),
    ],
)
def test_three_states(answers: list[ExtractedAnswer], state: str, first: str) -> None:
    found = answers_json("How much?", answers)
    assert (found["state"], found["abstained"]) == (state, state != "answer")
    assert shown(found).splitlines()[0].rstrip() == first


def test_rows_of_a_table_stay_rows_and_other_lines_do_not() -> None:
    text = "Two lines\nof prose\nName | Age\nAda | 36\nName: Ada; Age: 36\nprose: it goes\non"
    assert visible_lines(text) == "Two lines of prose\nName | Age\nAda | 36\nName: Ada; Age: 36\nprose: it goes on"
    assert visible_lines("a\x1b | b\nc | d") == "a␛ | b\nc | d"


def test_json_keeps_the_text_and_steers_no_terminal() -> None:
    import json

    text = "a\x9b31m \u202egnp.exe \u2028 é 漢 \ud800"
    line = json_line({"answer": text})
    assert json.loads(line) == {"answer": text}
    assert not set(line) & set("\x9b\u202e\u2028\ud800")
    assert "é 漢" in line


def test_words_for_numbers_and_places() -> None:
    assert [plural(1, "file"), plural(0, "file"), plural(1200, "passage")] == ["1 file", "0 files", "1,200 passages"]
    assert [percent(value) for value in (1.0, 0.999, 0.5, 0.042, 0.0)] == ["99.9 %", "99.9 %", "50 %", "4.2 %", "0.1 %"]
    assert [size(value) for value in (1, 812, 1234, 123_456, 5_000_000_000)] == [
        "1 byte",
        "812 bytes",
        "1.2 kB",
        "123 kB",
        "5.0 GB",
    ]
    assert shorten("documents/a long name.pdf", 14) == "docum…name.pdf"
    assert len(shorten("x" * 100, 14)) == 14
