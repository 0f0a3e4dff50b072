"""Settings are chosen on one half of an exam and judged on the other."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.exam import figures
from evaluation.exam import tune as tuning
from evaluation.exam.file import Exam
from evaluation.exam.run import Sat
from evaluation.exam.tune import halves, read_grid, tune, tune_lines, with_settings
from tests.evaluation.exam.test_exam import NONE, ONE

EXAM = Exam((*(replace(ONE, id=f"a{n}", source=f"/{n % 3}.md") for n in range(12)), replace(NONE, id="n1"), NONE))


def test_a_grid_is_read_as_yaml_is() -> None:
    assert read_grid(["retriever.top_k=10, 20", "retriever.fusion=convex,rrf", "reader.no_answer=true"]) == {
        "retriever.top_k": [10, 20],
        "retriever.fusion": ["convex", "rrf"],
        "reader.no_answer": [True],
    }
    for wrong in ("top_k=1", "retriever.top_k", "retriever.top_k=", "a.b.c=1"):
        with pytest.raises(ValueError, match=r"component\.setting=value"):
            read_grid([wrong])
    with pytest.raises(ValueError, match="81 combinations; at most 64"):
        read_grid([f"a.{name}=1,2,3" for name in "bcde"])


def test_halves_share_kinds_and_files_and_no_question() -> None:
    first, other = halves(EXAM)
    assert not {one.id for one in first.questions} & {one.id for one in other.questions}
    assert len(first.questions) == len(other.questions) == 7
    assert all(sum(not one.answerable for one in half.questions) == 1 for half in (first, other))
    assert halves(Exam(EXAM.questions[::-1]))[0].questions == first.questions, "in whatever order they stand"


def test_the_best_on_one_half_is_judged_on_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline that answers the first `right` questions of a half right; on the other half one fewer."""
    first, other = halves(EXAM)
    taken: list[tuple[object, int]] = []

    def take(exam: Exam, right: int, advance: object) -> list[Sat]:
        half = [first.questions, other.questions].index(exam.questions)
        taken.append((right, half))
        given = ["1874"] * (right - half) + ["1875"] * len(exam.questions)
        return [Sat(one, answer, 0.9, False, True, 0.1) for one, answer in zip(exam.questions, given, strict=False)]

    monkeypatch.setattr(tuning, "take", take)
    monkeypatch.setattr(figures, "RESAMPLES", 20)
    load = lambda settings: {None: 2, 1: 2, 2: 5, 3: 4}[settings.get("retriever.top_k")]  # noqa: E731
    told = tune(EXAM, load, {"retriever.top_k": [1, 2, 3]})
    assert told["chosen"] == {"retriever.top_k": 2} and len(told["tried"]) == 4
    assert [half for _, half in taken] == [0, 0, 0, 0, 1, 1], "the other half has no say"
    assert told["as_it_is"]["f1"]["value"] == 0, "the one right answer is to a question that has none"
    assert told["difference"]["f1"]["value"] == pytest.approx(300 / 7)
    lines = "\n".join(tune_lines(told))
    assert "retriever.top_k: 2, on the 7 questions that had no say" in lines and "0.0 as it is, 42.9 with them" in lines
    assert tune(EXAM, lambda settings: 2, {"retriever.top_k": [1]})["chosen"] == {}, "a draw changes nothing"
    monkeypatch.setattr(tuning, "take", lambda exam, *_: [Sat(one, "", 0.1, True, None, 0.1) for one in exam.questions])
    with pytest.raises(ValueError, match="cannot tell recall"):
        tune(Exam((NONE, replace(NONE, id="z"))), lambda settings: 0, {}, "recall")


def test_settings_are_changed_and_their_components_checked(tmp_path: Path) -> None:
    file = tmp_path / "ask.yaml"
    file.write_text("components: {retriever: {type: a.B}}\n")
    seen = with_settings(file, {"retriever.top_k": 5}, lambda folder: (Path(folder) / "ask.yaml").read_text())  # type: ignore[arg-type,return-value]
    assert "top_k: 5" in seen  # type: ignore[operator]
    with pytest.raises(ValueError, match="no component 'reader'; it has retriever"):
        with_settings(file, {"reader.top_k": 5}, lambda folder: None)  # type: ignore[arg-type,return-value]
