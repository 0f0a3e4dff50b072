"""An exam read over by hand: questions kept, dropped or put in other words, and which of them were looked at."""

from dataclasses import replace

from evaluation.exam.file import Exam, ExamQuestion
from evaluation.exam.make import difficulty


def unread(exam: Exam) -> list[ExamQuestion]:
    """Those that nobody has looked at."""
    seen = set(exam.about.get("reviewed", ()))
    return [one for one in exam.questions if one.id not in seen]


def keep(exam: Exam, question: ExamQuestion) -> Exam:
    """The exam in which it was looked at."""
    return replace(exam, about={**exam.about, "reviewed": [*exam.about.get("reviewed", ()), question.id]})


def drop(exam: Exam, question: ExamQuestion) -> Exam:
    """The exam without it."""
    return exam.without([question.id])


def reword(exam: Exam, question: ExamQuestion, words: str) -> Exam:
    """The exam with the same answer to another question, which was looked at."""
    other = replace(question, question=words, difficulty=difficulty(words, question.context))
    changed = tuple(other if one.id == question.id else one for one in exam.questions)
    return keep(replace(exam, questions=changed), other)
