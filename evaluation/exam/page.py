"""The exam as one HTML page to read over and mend by hand: each question, its answer marked in its passage."""

import base64
import hashlib
import json
from html import escape
from pathlib import Path

from evaluation.exam.file import Exam, ExamQuestion, exam_content

_SCRIPT = Path(__file__).with_name("mend.js")
_STYLE = """body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
article{border-top:1px solid #ccc;padding:.5rem 0}h2{font-size:1rem;margin:.2rem 0}
.passage{white-space:pre-wrap;margin:.3rem 0}small{color:#555}mark{background:#ffe58a}
header{position:sticky;top:0;background:#fff;padding:.5rem 0}h1{font-size:1.2rem;display:inline;margin-right:1rem}
article:has(.drop:checked) .passage,article:has(.drop:checked) h2{opacity:.4;text-decoration:line-through}"""


def exam_page(exam: Exam) -> str:
    """
    The whole page. Questions can be put in other words or dropped, other words of the passage marked as the answer; its
    button saves the mended exam as a file. Texts of documents are escaped, no script but its own runs, nothing is sent.
    """
    script = _SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    unanswerable = sum(not one.answerable for one in exam.questions)
    # "<" as JSON writes it too: no text can end the element that holds it
    content = json.dumps(exam_content(exam), ensure_ascii=False).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Exam</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{_STYLE}</style></head><body>\n'
        f"<header><h1>{len(exam.questions)} questions, {unanswerable} without an answer</h1>"
        '<button id="save">Save the mended exam</button></header>\n'
        "<p>Questions can be written over. For another answer, select its words in the passage.</p>\n"
        + "\n".join(map(_question, exam.questions))
        + f'\n<script type="application/json" id="exam">{content}</script>\n<script>{script}</script>\n</body></html>\n'
    )


def _question(one: ExamQuestion) -> str:
    text, end = one.context, one.start + len(one.answer)
    passage = (
        f"{_written(text[: one.start])}<mark>{_written(one.answer)}</mark>{_written(text[end:])}"
        if one.answerable
        else _written(text)
    )
    told = f"{one.source} · {one.kind} · difficulty {one.difficulty:.2f}"
    answer = "" if one.answerable else "<p><em>No answer in the documents.</em></p>"
    take = '<button class="take">The selected words are the answer</button>' if one.answerable else ""
    return (
        f'<article data-id="{escape(one.id)}"><h2 contenteditable="plaintext-only">{escape(one.question)}</h2>{answer}'
        f'<div class="passage">{passage}</div><small>{escape(told)}</small> '
        f'<label><input type="checkbox" class="drop"> drop</label> {take}</article>'
    )


def _written(text: str) -> str:
    """Escaped so that the browser's text is the document's, character for character."""
    return escape(text).replace("\r", "&#13;")
