"""An answer as JSON: the schema of docs/json.md."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from haystack import ExtractedAnswer, GeneratedAnswer


State = Literal["answer", "not_sure", "not_in_documents"]
IN_NONE = 0.5  # from here on "not in the documents" is more probable than all answers together


def answers_json(question: str, answers: Sequence["ExtractedAnswer"]) -> dict[str, Any]:
    """One question and its answers, most probable first, as written to JSON; the no-answer becomes a number."""
    found = [answer for answer in answers if answer.data is not None]
    none = next((answer for answer in answers if answer.data is None), None)
    return {
        "question": question,
        "state": state_of(answers),
        "answers": [answer_json(answer) for answer in found],
        "no_answer_probability": none.score if none else None,
        "abstained": abstained(answers),
    }


def written_json(written: Sequence["GeneratedAnswer"]) -> dict[str, Any] | None:
    """An answer that a language model wrote (`components.cited_answers`), sentence by sentence; None where none was."""
    if not written:
        return None
    meta = written[0].meta
    return {
        "text": written[0].data,
        "sentences": meta["sentences"],
        "removed": meta["removed"],
        "cut_off": meta["cut_off"],
    }


def state_of(answers: Sequence["ExtractedAnswer"]) -> State:
    """
    What is told of a question, everywhere the same:

    - `answer`: the best answer stands for itself.
    - `not_in_documents`: nothing was found, or that the documents do not hold the answer is more probable than that any
      of the answers is right.
    - `not_sure`: neither; the best answer is shown with its probability, but the reader would rather not rely on it.
    """
    none = next((answer for answer in answers if answer.data is None), None)
    if not any(answer.data is not None for answer in answers):
        return "not_in_documents"
    if none is None or not none.meta.get("abstain", False):
        return "answer"
    return "not_in_documents" if none.score >= IN_NONE else "not_sure"


def abstained(answers: Sequence["ExtractedAnswer"]) -> bool:
    """Whether there is no answer to rely on: any state but `answer`."""
    return state_of(answers) != "answer"


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
        "page_kind": meta.get("page_kind"),
        "page_label": answer.meta.get("page_label") or meta.get("page_name"),
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
