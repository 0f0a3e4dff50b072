"""Questions that the index holds no answer to: with a name or number changed, or about passages left out of it."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluation.squad import normalize_answer

if TYPE_CHECKING:
    from haystack import Document

    from evaluation.exam.file import ExamQuestion
    from pipelines.loader import LoadedPipeline

_NAME = re.compile(r"(?<=\s)[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b")
_LOOKED_AT = 20  # passages that are searched for another answer


def change(
    chosen: Sequence["ExamQuestion"],
    others: Sequence["ExamQuestion"],
    passages: Sequence["Document"],
    count: int,
    rng: random.Random,
) -> list["ExamQuestion"]:
    """
    Questions in which a name (or a number) was put in place of another one, from a question about another file.

    Only where no passage of the index names both what came in and what remains: there might be an answer there.
    """
    texts = [document.content or "" for document in passages]
    made: list[ExamQuestion] = []
    for one in chosen:
        if len(made) == count:
            break
        for pattern in (_NAME, _NUMBER):
            names = pattern.findall(one.question)
            coming = sorted(
                {name for other in others if other.source != one.source for name in pattern.findall(other.question)}
            )
            rng.shuffle(coming)
            remaining = _significant(pattern.sub(" ", one.question))
            fitting = (name for name in coming if name not in one.context and not _together(name, remaining, texts))
            if names and (name := next(fitting, None)) is not None:
                question = one.question.replace(names[-1], name)
                made.append(
                    replace(one, id=f"{one.id}-c", question=question, answer="", start=-1, kind="changed", place={})
                )
                break
    return made


def leave_out(chosen: Sequence["ExamQuestion"], loaded: "LoadedPipeline", count: int) -> list["ExamQuestion"]:
    """
    Questions whose passage, and those beside it in its file, are left out when they are asked.

    Only where the answer stands in none of the passages that are then found.
    """
    made: list[ExamQuestion] = []
    for one in chosen:
        if len(made) == count:
            break
        hidden = _neighbours(one, loaded)
        searched = loaded.document_store.hybrid_search([one.question], None, _LOOKED_AT, hiding(hidden))[0]
        wanted = normalize_answer(one.answer)
        if wanted and all(wanted not in normalize_answer(document.content or "") for document in searched):
            made.append(
                replace(one, id=f"{one.id}-l", answer="", start=-1, kind="left out", place={}, left_out=tuple(hidden))
            )
    return made


def hiding(ids: Sequence[str]) -> dict[str, object]:
    """The filter under which these passages are not found."""
    return {"field": "id", "operator": "not in", "value": list(ids)}


def _neighbours(one: "ExamQuestion", loaded: "LoadedPipeline") -> list[str]:
    """The passage itself and those before and after it."""
    condition = {"field": "id", "operator": "==", "value": one.document_id}
    (passage,) = loaded.document_store.filter_documents(condition)[:1] or (None,)
    if passage is None or "source_id" not in passage.meta or "split_id" not in passage.meta:
        return [one.document_id]
    source = {"field": "meta.source_id", "operator": "==", "value": passage.meta["source_id"]}
    number = passage.meta["split_id"]
    beside = loaded.document_store.filter_documents(source)
    return sorted(other.id for other in beside if abs(other.meta.get("split_id", -9) - number) <= 1)


def _significant(text: str) -> list[str]:
    return re.findall(r"\w{5,}", text.lower())


def _together(name: str, words: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether a text holds the name and more than half of the words."""
    return any(name in text and sum(word in text.lower() for word in words) > len(words) / 2 for text in texts)
