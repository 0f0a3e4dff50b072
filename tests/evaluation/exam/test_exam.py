"""An exam is made by rule, frozen, taken and judged; its figures agree with what can be counted by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.exam.figures import figures, paired_difference
from evaluation.exam.file import Exam, ExamQuestion, read_exam, write_exam
from evaluation.exam.make import difficulty
from evaluation.exam.page import exam_page
from evaluation.exam.run import Sat
from evaluation.exam.wordings import ask_by_rule
from evaluation.squad import read_questions

ONE = ExamQuestion(
    id="a",
    question="When was the bridge opened by Ada Holm?",
    context="<b>The bridge</b> was opened by Ada Holm in 1874.",
    document_id="d",
    source="/x/bridge.md",
    format="md",
    answer="1874",
    start=44,
    kind="sentence",
    difficulty=0.0,
    place={"page": 2},
)
NONE = replace(ONE, id="b", question="When was the bridge opened by Bo Lind?", answer="", start=-1, kind="changed")


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("The new bridge was opened by Ada Holm in 1874.", "When was the new bridge opened by Ada Holm?", "1874"),
        ("Ada Holm designed the bridge over the Warne, and left.",
         "Who designed the bridge over the Warne?", "Ada Holm"),
        ("The Warne bridge was designed by Ada Holm.", "By whom was the Warne bridge designed?", "Ada Holm"),
        ("The Holm family was buried in New Warne.", "Where was the Holm family buried?", "New Warne"),
        ("The Warne bridge has 14 stone arches over the river Ilm.",
         "How many stone arches does the Warne bridge have over the river Ilm?", "14"),
        ("country: Kenya; capital: Nairobi; area: 580", "What is the capital of Kenya?", "Nairobi"),
        ("It was opened by Ada Holm in 1874.", None, None),
        ("The bridge (which stands) was opened by Ada Holm in 1874.", None, None),
    ],
)  # fmt: skip
def test_a_rule_makes_a_question_whose_answer_stands_in_the_text(
    text: str, question: str | None, answer: str | None
) -> None:
    made = {one.question: text[one.start : one.end] for one in ask_by_rule(text)}
    assert made == ({} if question is None else made | {question: answer})


def test_the_file_is_squad_and_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "exam.json"
    write_exam(path, Exam((ONE, NONE), {"seed": 3}))
    assert read_exam(path) == Exam((ONE, NONE), {"seed": 3})
    questions, version = read_questions(path)
    assert version == "2.0" and [one.answers for one in questions] == [("1874",), ()]
    path.write_text(path.read_text().replace('"answer_start": 44', '"answer_start": 43'))
    with pytest.raises(ValueError, match="does not stand at 43"):
        read_exam(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="is not an exam"):
        read_exam(path)


def test_the_page_marks_the_answer_and_lets_no_document_in() -> None:
    page = exam_page(Exam((ONE, NONE)))
    assert "<mark>1874</mark>" in page and "&lt;b&gt;" in page and "<b>" not in page
    assert page.count("<article ") == 2 and "No answer in the documents" in page


def test_difficulty_is_the_share_of_words_that_the_passage_lacks() -> None:
    assert difficulty("When was the bridge opened?", "The bridge was opened in 1874.") == 0
    assert difficulty("When was the viaduct opened?", "The bridge was opened in 1874.") == 0.5


def sat(right: int, wrong: int, abstained: int = 0) -> list[Sat]:
    """So many right, wrong and unanswered of questions with an answer, then one without that was not answered."""
    given = [("1874", False)] * right + [("1875", False)] * wrong + [("1875", True)] * abstained
    told = [
        Sat(replace(ONE, id=str(number)), answer, 0.9, silent, number % 2 == 0, 0.1)
        for number, (answer, silent) in enumerate(given)
    ]
    return [*told, Sat(NONE, "x", 0.1, True, None, 0.1)]


def test_figures_are_what_one_counts() -> None:
    found = figures(sat(right=6, wrong=2, abstained=2))
    assert found["exact"]["value"] == pytest.approx(100 * 7 / 11)
    assert found["recall"]["value"] == 50.0
    assert found["abstained_right"]["value"] == 100.0
    assert found["abstained_wrong"]["value"] == pytest.approx(20.0)
    assert found["calibration_error"]["value"] == pytest.approx(100 * (10 / 11 * abs(0.9 - 0.6) + 1 / 11 * 0.1))
    assert found["exact"]["low"] < 64 < found["exact"]["high"]


def test_a_difference_is_told_with_its_p_value() -> None:
    poor, good = sat(right=5, wrong=15), sat(right=20, wrong=0)
    told = paired_difference(poor, good)
    assert told["exact"]["value"] == pytest.approx(100 * 15 / 21) and told["exact"]["p"] < 0.001
    same = paired_difference(good, good)["exact"]
    assert (same["value"], same["p"]) == (0.0, 1.0)
    # one changed question of two can always be chance
    assert paired_difference(sat(1, 1), sat(2, 0))["exact"]["p"] == 1.0
    with pytest.raises(ValueError, match="same questions"):
        paired_difference(poor, sat(1, 1))


def test_the_sign_test_agrees_with_all_signs_tried() -> None:
    from itertools import product

    from evaluation.exam.figures import _sign_test

    difference = np.array([1.0, 1, 1, 0.5, -0.5, 1, -1])
    sums = [abs(float(np.dot(signs, difference))) for signs in product((-1, 1), repeat=len(difference))]
    exact = sum(one >= abs(difference.sum()) - 1e-9 for one in sums) / len(sums)
    assert _sign_test(difference, np.random.default_rng(0)) == pytest.approx(exact, abs=0.02)
