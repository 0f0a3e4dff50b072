from haystack import Document, ExtractedAnswer

from evaluation.open_index import paragraph_id, paragraphs_of
from evaluation.open_outcome import Asked, figures, lost, where_lost
from evaluation.report import open_lines
from evaluation.squad import SquadQuestion

GOLD = "Ada Lovelace wrote the first program in 1843."


def asked(answers, *, found=True, abstained=False, gold=("Ada Lovelace", "Lovelace")):
    question = SquadQuestion("1", "Who wrote the first program?", GOLD, gold, "Ada_Lovelace")
    documents = [Document(content="Something else.", meta={"source_id": "x"})]
    if found:
        documents.append(Document(content=GOLD, meta={"source_id": paragraph_id(GOLD)}))
    given = [ExtractedAnswer(query=question.question, score=0.5, data=answer) for answer in answers]
    return Asked(question, documents, given, abstained)


def test_where_an_answer_is_lost():
    assert where_lost(asked(["the Ada Lovelace!"])) is None
    assert where_lost(asked(["Ada Lovelace"], found=False)) is None  # another passage held it
    assert where_lost(asked(["1843"], found=False)) == "not_retrieved"
    assert where_lost(asked(["1843", "Lovelace"])) == "ranked_below"
    assert where_lost(asked(["1843", "Ada"])) == "not_read"
    assert where_lost(asked([])) == "not_read"


def test_figures_by_hand():
    results = [
        asked(["Ada Lovelace"], abstained=True),
        asked(["1843"], found=False, abstained=True),
        asked(["Ada"]),
        asked(["1843", "Ada Lovelace"]),
    ]
    found = figures(results)
    assert found["recall@1"] == 0.0
    assert found["recall@5"] == 75.0
    assert found["mrr"] == 100 * 3 * 0.5 / 4
    assert found["exact"] == 25.0
    assert abs(found["f1"] - 100 * (1 + 2 / 3) / 4) < 1e-9
    assert (found["withheld_right"], found["withheld_wrong"]) == (25.0, 25.0)
    assert abs(found["expected_calibration_error"] - abs(0.5 - 0.25)) < 1e-9  # all are given a probability of .5
    assert found["coverage_at_80_accuracy"] == 25.0
    assert lost(results) == {"not_retrieved": 1, "not_read": 1, "ranked_below": 1}


def test_no_answer_at_all_was_given_no_probability():
    assert figures([asked([])])["expected_calibration_error"] == 0.0


def test_lost_and_right_are_all_questions():
    results = [asked(["Ada Lovelace"]), asked(["1843"]), asked([], found=False), asked(["1843", "Ada Lovelace"])]
    right = figures(results)["exact"] * len(results) / 100
    assert right + sum(lost(results).values()) == len(results)


def test_equal_paragraphs_are_indexed_once_under_the_first_title():
    questions = [
        SquadQuestion(str(i), "q", text, (), title)
        for i, (text, title) in enumerate([("one", "Some_Article"), ("two", "B"), ("one", "C")])
    ]
    assert paragraphs_of(questions) == {"one": "Some Article", "two": "B"}


def test_the_report_tells_every_figure():
    results = [asked(["Ada Lovelace"]), asked(["1843"], found=False)]
    compared = {"exact": 50.0, "f1": 60.0, "seconds_a_question": 0.25, "questions": 2}
    report = {
        "questions": 2,
        "paragraphs": 3,
        "passages": 20,
        "figures": figures(results),
        "lost": lost(results),
        "seconds_a_question": 0.0125,
        "compare": {"excerpt": compared, "transformers": compared},
    }
    text = "\n".join(open_lines(report))
    for expected in (
        "2 questions over 3 paragraphs",
        "exact                 50.0",
        "12.5",
        "not retrieved",
        "250.0",
        "off by",
    ):
        assert expected in text
