"""Questions about tables: every answer is the cell that was asked for, and a row that was left out has no answer."""

from training.data.report_questions import ask_reports
from training.data.table_passages import write_passage
from training.data.table_questions import ask_tables

NAMES = ("Arn", "Bork", "Cux", "Dith", "Eut", "Flen", "Gar", "Hus", "Itz", "Jev")
TABLE = {
    "table": "clubs",
    "header": ["Club", "Town", "Founded", "Members"],
    "rows": [[f"{name} FC", f"{name}burg", str(1900 + n), f"{n + 1},0{n}0"] for n, name in enumerate(NAMES)],
    "questions": [{"id": "q", "question": "where is cux fc at home?", "answer": "Cuxburg", "cells": [[2, 1]]}],
}
REPORT = {
    "table": [["", "2019", "2018"], ["Total sales", "44.1", "56.7"], ["Other income", "3.2", "56.7"]],
    "paragraphs": ["All amounts are in millions."],
    "questions": [{"id": "r", "question": "What was other income in 2018?", "answer": "56.7", "from": "table"}],
}


def asked(data):
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                yield paragraph["context"], qa


def test_cells_stand_where_they_are_said_to_stand():
    passage = write_passage(TABLE["header"], TABLE["rows"], [3, 4])
    assert passage.text.splitlines() == [
        "Club | Town | Founded | Members",
        "Club: Dith FC; Town: Dithburg; Founded: 1903; Members: 4,030",
        "Club: Eut FC; Town: Eutburg; Founded: 1904; Members: 5,040",
    ]
    for (row, column), (begin, end) in passage.cells.items():
        assert passage.text[begin:end] == TABLE["rows"][row][column]
    assert len(passage.cells) == 8


def test_every_lookup_is_answered_by_its_row_and_column():
    questions = list(asked(ask_tables([TABLE], 3)))
    assert len(questions) > 10
    answered = unanswered = 0
    for text, qa in questions:
        for answer in qa["answers"]:
            begin = answer["answer_start"]
            assert text[begin : begin + len(answer["text"])] == answer["text"]
        named = [row for row in TABLE["rows"] if row[0].lower() in qa["question"].lower()]
        if qa["is_impossible"]:
            unanswered += 1
            assert all(row[0] not in text for row in named)
        elif len(named) == 1 and qa["answers"][0]["text"] != named[0][0]:
            answered += 1
            assert qa["answers"][0]["text"] in named[0]
    assert answered > 3 and unanswered > 0


def test_what_people_asked_is_kept_and_one_seed_gives_one_result():
    assert any(qa["question"] == "where is cux fc at home?" for _, qa in asked(ask_tables([TABLE], 0)))
    assert ask_tables([TABLE], 5) == ask_tables([TABLE], 5) != ask_tables([TABLE], 6)


def test_of_equal_cells_the_one_that_the_question_names_is_the_answer():
    found = [
        (text, qa) for text, qa in asked(ask_reports([REPORT], 0)) if qa["question"] == "What was other income in 2018?"
    ]
    assert found
    for text, qa in found:
        begin = qa["answers"][0]["answer_start"]
        assert text[:begin].endswith("Other income: 2019: 3.2; 2018: ")
