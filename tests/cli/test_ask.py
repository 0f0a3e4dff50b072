"""`excerpt ask` for real: answers, JSON, filters, many questions, a prompt, exit codes."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "documents"
Excerpt = Callable[..., Any]  # runs the command: see conftest.py

ANTHEM = "Who sang the national anthem at Super Bowl 50?"
ANSWER_FIELDS = {
    "answer": str, "probability": float, "document_id": str, "source_id": str, "file": str, "page": int | None,
    "page_kind": str | None,
    "page_label": str | None, "rectangles": list, "start": int, "end": int,
    "start_in_file": int, "end_in_file": int, "context": str, "start_in_context": int, "end_in_context": int,
    "title": str | None, "headings": str | None, "places": list,
}  # fmt: skip
PLACE_FIELDS = {
    "document_id", "source_id", "file", "page", "page_label", "rectangles", "start", "end",
    "start_in_file", "end_in_file",
}  # fmt: skip


def _hears_ctrl_c() -> None:
    # A shell that runs the tests in the background has them, and what they start, ignore it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def check_schema(found: dict) -> None:
    """docs/json.md, field for field."""
    assert set(found) == {"question", "state", "answers", "no_answer_probability", "abstained"}
    assert found["abstained"] == (found["state"] != "answer")
    for answer in found["answers"]:
        assert set(answer) == set(ANSWER_FIELDS)
        for name, kind in ANSWER_FIELDS.items():
            assert isinstance(answer[name], kind), name
        assert (
            answer["end"] - answer["start"] == answer["end_in_file"] - answer["start_in_file"] == len(answer["answer"])
        )
        assert answer["context"][answer["start_in_context"] : answer["end_in_context"]] == answer["answer"]
        assert answer["places"]
        assert all(set(place) == PLACE_FIELDS for place in answer["places"])
    total = sum(answer["probability"] for answer in found["answers"]) + (found["no_answer_probability"] or 0)
    assert 0 <= total <= 1.0001
    documented = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in documented for name in (*found, *ANSWER_FIELDS))


def test_a_readable_answer_with_its_place(ask: Excerpt) -> None:
    done = ask("ask", ANTHEM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Lady Gaga")
    assert "super-bowl-50.pdf · page 7" in done.stdout
    assert "\x1b" not in done.stdout, "no colours where there is no terminal"


def test_json_says_where_the_answer_stands(ask: Excerpt) -> None:
    done = ask("ask", ANTHEM, "--json", "--top-k", 2)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    check_schema(found)
    assert len(found["answers"]) == 2
    best = found["answers"][0]
    assert (best["answer"], best["page"]) == ("Lady Gaga", 7)
    assert best["file"].endswith("examples/documents/super-bowl-50.pdf")
    assert not found["abstained"]


def test_filters_narrow_the_search(ask: Excerpt) -> None:
    found = json.loads(ask("ask", ANTHEM, "--json", "--filter", "file=black-death.pdf", "--filter", "page>1").stdout)
    assert found["answers"], "nothing passed the filter, and nothing can be said about it"
    assert all(answer["file"].endswith("black-death.pdf") and answer["page"] > 1 for answer in found["answers"])
    none = ask("ask", ANTHEM, "--filter", '{"field": "meta.file_name", "operator": "==", "value": "no such file"}')
    assert (none.returncode, none.stdout) == (5, "")
    assert "no passage of the index matches the filter" in none.stderr


def test_exit_code_4_where_the_reader_abstains(ask: Excerpt) -> None:
    for question, code in (("What does the stock exchange weigh in bananas?", 4), (ANTHEM, 0)):
        done = ask("ask", question, "--json")
        found = json.loads(done.stdout)
        check_schema(found)
        assert (done.returncode, found["abstained"]) == (code, code == 4), done.stdout


def test_many_questions_come_back_in_order(ask: Excerpt, tmp_path: Path) -> None:
    questions = [ANTHEM, "How many people died of plague in Paris in 1466?", "Who patented a steam engine in 1781?"]
    file = tmp_path / "questions.txt"
    file.write_text("\ufeff" + "\n\n".join(questions * 5) + "\n", encoding="utf-8")
    done = ask("ask", "--file", file, "--json", "--top-k", 1)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["question"] for line in lines] == questions * 5
    for line in lines:
        check_schema(line)
    answers = [line["answers"][0]["answer"] for line in lines]
    assert answers[:3] == ["Lady Gaga", "40,000", "James Watt"]
    assert answers == answers[:3] * 5, "the same question has the same answer whatever is asked beside it"


def test_standard_input_as_file_and_as_prompt(ask: Excerpt) -> None:
    done = ask("ask", "--file", "-", "--json", input=f"{ANTHEM}\n")
    assert json.loads(done.stdout)["answers"][0]["answer"] == "Lady Gaga"
    prompt = ask("ask", input=f"{ANTHEM}\n\nWho patented a steam engine in 1781?\n")
    assert prompt.returncode == 0, prompt.stderr
    assert "Lady Gaga" in prompt.stdout and "James Watt" in prompt.stdout


def test_prompt_on_a_terminal(indexed: Path) -> None:
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "cli.main", "ask"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "400"}
    process = subprocess.Popen(
        command, cwd=indexed, env=environment, stdin=child, stdout=child, stderr=child, preexec_fn=_hears_ctrl_c
    )
    os.close(child)
    seen = b""

    def until(words: bytes) -> None:
        nonlocal seen
        end = time.monotonic() + 100  # the wide lines keep a long path from being broken before its page
        while words not in seen:
            assert select.select([parent], [], [], end - time.monotonic())[0], seen
            seen += os.read(parent, 4096)

    until(b"? ")
    os.write(parent, f"{ANTHEM}\n".encode())
    until(b"page 7")
    assert b"\x1b[" in seen and b"Lady Gaga" in seen
    process.send_signal(signal.SIGINT)  # what Ctrl-C becomes where the terminal is the process's own
    assert process.wait(timeout=60) == 130
    os.close(parent)


def test_output_that_is_cut_off_ends_quietly(indexed: Path, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text(f"{ANTHEM}\n" * 80, encoding="utf-8")
    command = [sys.executable, "-m", "cli.main", "ask", "--json", "--file", str(file)]
    process = subprocess.Popen(
        command,
        cwd=indexed,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


def test_ctrl_c_is_130_without_a_trace(indexed: Path, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text("".join(f"{ANTHEM} {n}\n" for n in range(5000)), encoding="utf-8")
    command = [sys.executable, "-m", "cli.main", "ask", "--json", "--file", str(file)]
    process = subprocess.Popen(
        command,
        cwd=indexed,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_hears_ctrl_c,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 130
    assert b"Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", ANTHEM], 1, "there is no index at `.excerpt`. Make one: excerpt index PATH"),
        (["status"], 1, "there is no index at `.excerpt`"),
        (["ask", ""], 2, "the question is empty"),
        (["ask", ANTHEM, "--filter", "year"], 2, "write field=value"),
        (["ask", "--file", "x"], 2, "give --json too"),
        (["ask", ANTHEM, "--file", "x", "--json"], 2, "not both"),
        (["ask", ANTHEM, "--top-k", "0"], 2, "--top-k"),
        (
            ["ask", ANTHEM, "--pipelines", "nowhere", "--store", str(EXAMPLES)],
            1,
            "neither a folder nor one of the sets",
        ),
        (["index", "no-such-folder"], 1, "no-such-folder"),
        (["index"], 2, "PATH"),
        (["eval", "squad", "missing.json"], 1, "missing.json"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_mistakes_are_told_in_one_sentence(excerpt: Excerpt, arguments: list[str], code: int, words: str) -> None:
    done = excerpt(*arguments)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_is_quick_and_tells_the_exit_codes(excerpt: Excerpt) -> None:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        done = excerpt("--help")
        times.append(time.perf_counter() - began)
    assert "4 no answer found" in " ".join(done.stdout.split())
    assert min(times) < 0.6, "typer and nothing else: .1 s on a quiet machine"
