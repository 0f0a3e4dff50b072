"""Where do unanswerable pairs come from? Mined: what retrieval finds for a question and does not hold its answer.

In real use the reader meets some twenty passages a question, nineteen of them wrong and all of them alike. A reader
that was trained on the right ones only finds an answer in each.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.squad import normalize_answer
from evaluation.squad_data import SquadData
from training.data.passage_search import Search, WordSearch

_JOINED = re.compile(r"[-–—/]")


def mine(
    data: SquadData,
    per_question: int,
    cache: Path | None = None,
    search: Search | None = None,
    search_name: str = "words",
    progress: Callable[[str], None] = lambda message: None,
) -> NDArray[np.int32]:
    """Paragraphs that retrieval ranks high for a question and that hold none of its answers.

    :param per_question: how many to keep; -1 fills the rows of questions with fewer.
    :param cache: folder where the result is kept, by data digest and settings; None keeps nothing.
    :param search: what finds paragraphs; BM25 over title and text by default.
    :param search_name: names the search in the cache.
    :returns: paragraph numbers int32 (questions, per_question), best first.
    """
    # "official": how answers are compared; files of before compared "U.S." with "US" as unlike.
    file = None if cache is None else cache / f"mined-{search_name}-{per_question}-official-{data.digest()[:16]}.npy"
    if file is not None and file.is_file():
        kept: NDArray[np.int32] = np.load(file, allow_pickle=False)
        return kept
    progress(f"mining {per_question} wrong passages for each of {len(data.questions):,} questions")
    if search is None:
        search = WordSearch(
            [f"{paragraph.article} {paragraph.text}".replace("_", " ") for paragraph in data.paragraphs]
        )
    # A question's own paragraph and others that hold the answer are found too: ask for more than are kept.
    depth = min(3 * per_question + 10, len(data.paragraphs))
    ranked = search([question.text for question in data.questions], depth)
    held = [_forms(paragraph.text) for paragraph in data.paragraphs]
    mined = np.full((len(data.questions), per_question), -1, dtype=np.int32)
    for row, question in enumerate(data.questions):
        answers = [_forms(answer.text) for answer in question.answers]
        wrong = [
            paragraph
            for paragraph in ranked[row].tolist()
            if paragraph != question.paragraph and not any(_holds(held[paragraph], answer) for answer in answers)
        ][:per_question]
        mined[row, : len(wrong)] = wrong
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("wb") as opened:
            np.save(opened, mined)
        temporary.replace(file)
    return mined


def _forms(text: str) -> tuple[str, str]:
    """The text as SQuAD compares answers ("U.S." is "us"), and so with its hyphenated words taken apart: the rule makes
    one word of "1914-1918", which would hide that a paragraph holds "1918"."""
    return f" {normalize_answer(text)} ", f" {normalize_answer(_JOINED.sub(' ', text))} "


def _holds(paragraph: tuple[str, str], answer: tuple[str, str]) -> bool:
    return any(said in text for text, said in zip(paragraph, answer, strict=True))
