"""Feedback as SQuAD 2.0: which questions have which answer at which place of which text."""

import json
from typing import TYPE_CHECKING, Any

from service.access.caller import Caller

if TYPE_CHECKING:
    from service.service import Service

AROUND = 1500  # characters of context before and after an answer


def squad_of(service: "Service", caller: Caller) -> tuple[dict[str, Any], int]:
    """
    The labels of documents the caller may see, every offset held against the text as it is now.

    :returns: the SQuAD file's content, and how many entries tell no label (any more).
    """
    articles: dict[str, list[dict[str, Any]]] = {}
    skipped = 0
    texts: dict[str, str | None] = {}
    for row in service.database.rows("SELECT * FROM feedback ORDER BY created, id"):
        source_id = row["source_id"]
        if source_id is None or not service.catalogue.may_see(caller, source_id):
            skipped += 1
            continue
        if source_id not in texts:
            source = service.engine.store.sources.get(source_id)
            texts[source_id] = source.text if source is not None else None
        label = _label(row["id"], row["verdict"], json.loads(row["body"]), texts[source_id])
        if label is None:
            skipped += 1
        else:
            articles.setdefault(source_id, []).append(label)
    data = [{"title": _title(service, source_id), "paragraphs": found} for source_id, found in articles.items()]
    return {"version": "v2.0", "data": data}, skipped


def _label(label_id: str, verdict: str, body: dict[str, Any], text: str | None) -> dict[str, Any] | None:
    """A paragraph with one question, or None when the entry tells none."""
    if text is None:
        return None
    place = body.get("correct") or (
        {"start": body["start"], "end": body["end"], "words": body["words"]}
        if verdict == "right" and body.get("words")
        else None
    )
    if body.get("not_in_documents"):
        begin, context = _around(text, body.get("start") or 0, body.get("end") or 0)
        answers: list[dict[str, Any]] = []
    elif place is not None and text[place["start"] : place["end"]] == place["words"]:
        begin, context = _around(text, place["start"], place["end"])
        words = place["words"]
        start = place["start"] - begin + len(words) - len(words.lstrip())
        answers = [{"text": words.strip(), "answer_start": start}]
        if context[start : start + len(words.strip())] != words.strip():
            return None
    else:
        return None
    question = {"id": label_id, "question": body["question"], "answers": answers, "is_impossible": not answers}
    return {"context": context, "qas": [question]}


def _around(text: str, start: int, end: int) -> tuple[int, str]:
    """A stretch of text with whole words around a place, and where it begins."""
    begin, stop = max(0, start - AROUND), min(len(text), end + AROUND)
    while begin > 0 and not text[begin - 1].isspace():
        begin -= 1
    while stop < len(text) and not text[stop].isspace():
        stop += 1
    return begin, text[begin:stop]


def _title(service: "Service", source_id: str) -> str:
    entry = service.catalogue.get(source_id)
    return entry.name if entry is not None else source_id
