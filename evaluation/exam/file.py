"""The exam as a file: SQuAD 2.0's format, with what an exam needs beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

VERSION = "2.0"


@dataclass(frozen=True)
class ExamQuestion:
    """
    :param context: the passage that it was made from, as indexed.
    :param document_id: of that passage.
    :param source: path of its file.
    :param format: of its file: "pdf", "md", "csv".
    :param answer: the gold answer; "" where the index holds none.
    :param start: of the answer in `context`, in characters; -1 for none.
    :param kind: how it was made: "sentence", "lookup", "generated"; without an answer "changed" or "left out".
    :param difficulty: from 0 (its words are the passage's) to 1 (it shares none of them).
    :param place: of the answer in the file: start, end and page, where they are known.
    :param left_out: passages (by id) that its asker must not see: it is about one of them.
    """

    id: str
    question: str
    context: str
    document_id: str
    source: str
    format: str
    answer: str
    start: int
    kind: str
    difficulty: float
    place: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether the index holds an answer."""
        return bool(self.answer)


@dataclass(frozen=True)
class Exam:
    """Questions, and how they were made (`about`: seed, pipelines, counts)."""

    questions: tuple[ExamQuestion, ...]
    about: dict[str, Any] = field(default_factory=dict)

    def without(self, ids: Sequence[str]) -> "Exam":
        """The exam without these questions."""
        gone = set(ids)
        return replace(self, questions=tuple(one for one in self.questions if one.id not in gone))


def write_exam(path: Path, exam: Exam) -> None:
    """Write it, whole or not at all: what was there stays until the new one is complete."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(exam_content(exam), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def exam_content(exam: Exam) -> dict[str, Any]:
    """The exam as SQuAD 2.0 has it: articles (files), paragraphs (passages), questions."""
    articles: dict[str, dict[str, dict[str, Any]]] = {}
    for one in exam.questions:
        paragraphs = articles.setdefault(one.source, {})
        paragraph = paragraphs.setdefault(
            one.document_id,
            {"context": one.context, "document_id": one.document_id, "format": one.format, "qas": []},
        )
        answers = [{"text": one.answer, "answer_start": one.start}] if one.answerable else []
        extras = {"kind": one.kind, "difficulty": one.difficulty, "place": one.place, "left_out": list(one.left_out)}
        paragraph["qas"].append(
            {
                "id": one.id,
                "question": one.question,
                "answers": answers,
                "is_impossible": not one.answerable,
                **extras,
            }
        )
    data = [{"title": source, "paragraphs": list(paragraphs.values())} for source, paragraphs in articles.items()]
    return {"version": VERSION, "exam": exam.about, "data": data}


def read_exam(path: Path) -> Exam:
    """
    :raises ValueError: where it is not an exam, or an answer does not stand where it is said to stand.
    :raises FileNotFoundError: when there is no such file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        questions = tuple(
            ExamQuestion(
                id=str(qa["id"]),
                question=str(qa["question"]),
                context=paragraph["context"],
                document_id=str(paragraph["document_id"]),
                source=str(article["title"]),
                format=str(paragraph["format"]),
                answer=qa["answers"][0]["text"] if qa["answers"] else "",
                start=int(qa["answers"][0]["answer_start"]) if qa["answers"] else -1,
                kind=str(qa["kind"]),
                difficulty=float(qa["difficulty"]),
                place=dict(qa["place"]),
                left_out=tuple(qa["left_out"]),
            )
            for article in content["data"]
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        )
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{path}: is not an exam ({error}); make one: excerpt exam make --out {path}") from error
    for one in questions:
        if one.answerable and one.context[one.start : one.start + len(one.answer)] != one.answer:
            raise ValueError(
                f"{path}: question {one.id!r}: {one.answer!r} does not stand at {one.start} of its passage"
            )
    if len({one.id for one in questions}) < len(questions):
        raise ValueError(f"{path}: two questions have the same id")
    return Exam(questions, dict(content.get("exam", {})))
