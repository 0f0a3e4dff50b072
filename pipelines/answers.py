"""An answer as JSON: the schema of docs/json.md."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haystack import ExtractedAnswer


def answers_json(question: str, answers: Sequence["ExtractedAnswer"]) -> dict[str, Any]:
    """One question and its answers, most probable first, as written to JSON; the no-answer becomes a number."""
    found = [answer for answer in answers if answer.data is not None]
    none = next((answer for answer in answers if answer.data is None), None)
    return {
        "question": question,
        "answers": [answer_json(answer) for answer in found],
        "no_answer_probability": none.score if none else None,
        "abstained": abstained(answers),
    }


def abstained(answers: Sequence["ExtractedAnswer"]) -> bool:
    """Whether "no answer" is the better answer: the reader says so, or there is none."""
    none = next((answer for answer in answers if answer.data is None), None)
    if not any(answer.data is not None for answer in answers):
        return True
    return bool(none and none.meta.get("abstain", False))


def answer_json(answer: "ExtractedAnswer") -> dict[str, Any]:
    """One answer: its words, how probable they are, and where they stand."""
    meta = answer.document.meta if answer.document else {}
    return {
        "answer": answer.data,
        "probability": answer.score,
        "document_id": answer.document.id if answer.document else None,
        "source_id": meta.get("source_id"),
        "file": meta.get("file_path"),
        "page": answer.meta.get("answer_page_number"),
        "page_label": answer.meta.get("page_label"),
        "rectangles": answer.meta.get("rectangles", []),
        "start": answer.document_offset.start if answer.document_offset else None,
        "end": answer.document_offset.end if answer.document_offset else None,
        "start_in_file": answer.meta.get("start_in_file"),
        "end_in_file": answer.meta.get("end_in_file"),
        "context": answer.context,
        "start_in_context": answer.context_offset.start if answer.context_offset else None,
        "end_in_context": answer.context_offset.end if answer.context_offset else None,
        "title": meta.get("title"),
        "headings": meta.get("headings"),
        "places": [_place(place) for place in answer.meta.get("places", [])],
    }


def _place(place: dict[str, Any]) -> dict[str, Any]:
    return {
        "document_id": place.get("document_id"),
        "source_id": place.get("source_id"),
        "file": place.get("file_path"),
        "page": place.get("page_number"),
        "page_label": place.get("page_label"),
        "rectangles": place.get("rectangles", []),
        "start": place.get("start"),
        "end": place.get("end"),
        "start_in_file": place.get("start_in_file"),
        "end_in_file": place.get("end_in_file"),
    }
