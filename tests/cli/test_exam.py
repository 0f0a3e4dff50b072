"""`excerpt exam` from making to judging, over the index of the examples."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.build_cache import cache_folder
from tests.cli.conftest import run_excerpt

CACHE = cache_folder()  # of whoever runs the tests, before `inside` changes it
Inside = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(indexed: Path) -> Path:
    """Made once, in a process of its own."""
    done = run_excerpt("exam", "make", "--questions", 8, "--out", "exam.json", "--json", folder=indexed)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["questions"], told["unanswerable"], told["made_by"]) == (8, 2, "rules")
    return indexed / "exam.json"


@pytest.fixture
def exam(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it; engines were chosen when it was made, and intervals are other tests' matter."""
    monkeypatch.setattr("evaluation.exam.figures.RESAMPLES", 20)
    monkeypatch.setenv("EXCERPT_CACHE", str(CACHE))
    return Path(shutil.copy(made, tmp_path / "exam.json"))


def test_an_exam_is_made_taken_and_judged(inside: Inside, exam: Path, tmp_path: Path) -> None:
    code, out, err = inside("exam", "run", exam, "--json", "--picture", tmp_path / "exam.png", "--require", "recall=50")
    assert code == 0, err
    told = json.loads(out)
    assert told["questions"] == 8 and 0 <= told["pipelines"]["embedded"]["figures"]["f1"]["value"] <= 100
    assert (tmp_path / "exam.png").read_bytes().startswith(b"\x89PNG")
    code, out, err = inside("exam", "run", exam, "--require", "f1=101", "--require", "calibration_error=100")
    assert code == 1 and "F1" in out, "the figures are told in any case"
    assert "the exam asks for more: f1 is" in err and "not 101" in err and "calibration_error" not in err
    code, out, err = inside("exam", "run", exam, "--require", "f2=60")
    assert code == 2 and "--require" in err and "f1" in err


def test_two_pipelines_are_compared_and_settings_tuned(inside: Inside, exam: Path, tmp_path: Path) -> None:
    from pipelines.loader import SETS

    other = tmp_path / "words"
    other.mkdir()
    text = (SETS / "embedded" / "ask.yaml").read_text().replace("words_weight: 0.5", "words_weight: 1.0")
    (other / "ask.yaml").write_text(text)
    (other / "index.yaml").write_text((SETS / "embedded" / "index.yaml").read_text())
    code, out, err = inside("exam", "run", exam, "--against", other)
    assert code == 0 and f"{other} less embedded, the same questions" in out and "p = " in out, err
    code, out, err = inside("exam", "tune", exam, "--set", "retriever.top_k=1", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert [one["settings"] for one in told["tried"]] == [{}, {"retriever.top_k": 1}]
    assert told["questions"] == {"tried_on": 4, "judged_on": 4} and "f1" in told["difference"]
    for wrong, message in (("top_k=1", "component.setting"), ("retriever.topk=1", "did you mean top_k")):
        code, out, err = inside("exam", "tune", exam, "--set", wrong)
        assert code in (1, 2) and message in err.replace("\n", " "), err


def test_a_review_keeps_drops_and_rewords(
    inside: Inside, exam: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evaluation.exam.file import read_exam

    first, second, third, *_ = read_exam(exam).questions
    typed = iter(["?", "k", "d", "Which year was it?", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    code, out, err = inside("exam", "review", exam)
    assert code == 0 and "7 questions are in" in out and "5 of them not looked at yet" in out, err
    assert first.question in out.replace("\n", " ")
    after = read_exam(exam)
    assert [one.id for one in after.questions[:2]] == [first.id, third.id]
    assert after.questions[1].question == "Which year was it?" and second.id not in after.about["reviewed"]
    code, out, _ = inside("exam", "review", exam, "--html", tmp_path / "exam.html")
    assert code == 0 and (tmp_path / "exam.html").read_text().count("<article ") == 7


def test_what_is_no_exam_is_refused_in_a_sentence(inside: Inside, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{}")
    for command in ("run", "review", "tune"):
        code, _, err = inside("exam", command, file)
        assert code == 1 and "is not an exam" in err, command
