"""The exam as one HTML page to read over: each question, its answer marked in its passage. Nothing in it runs."""

from html import escape

from evaluation.exam.file import Exam, ExamQuestion

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Exam</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
article{border-top:1px solid #ccc;padding:.5rem 0}h2{font-size:1rem;margin:.2rem 0}
p{white-space:pre-wrap;margin:.3rem 0}small{color:#555}mark{background:#ffe58a}</style></head><body>
"""


def exam_page(exam: Exam) -> str:
    """The whole page; texts of documents are escaped."""
    unanswerable = sum(not one.answerable for one in exam.questions)
    head = f"<h1>{len(exam.questions)} questions, {unanswerable} without an answer</h1>\n"
    return _HEAD + head + "\n".join(map(_question, exam.questions)) + "\n</body></html>\n"


def _question(one: ExamQuestion) -> str:
    text, end = one.context, one.start + len(one.answer)
    passage = (
        f"{escape(text[: one.start])}<mark>{escape(one.answer)}</mark>{escape(text[end:])}"
        if one.answerable
        else escape(text)
    )
    told = f"{one.id} · {one.source} · {one.kind} · difficulty {one.difficulty:.2f}"
    answer = "" if one.answerable else "<p><em>No answer in the documents.</em></p>"
    return f"<article><h2>{escape(one.question)}</h2>{answer}<p>{passage}</p><small>{escape(told)}</small></article>"
