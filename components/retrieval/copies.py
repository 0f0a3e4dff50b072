"""Passages of equal text, as of a file and its copies: one of them is ranked, the others are told with it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from haystack import Document

MAX_COPIES = 50  # of all passages of one question
_DEEPER = 4  # times as many passages, where copies take the places
_MAX_DEPTH = 2_000

Search = Callable[[list[int], int], list[list[Document]]]  # (numbers of the questions, passages each)


def set_copies_apart(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """The first passage of each text, and the others, in order. A passage without text is no copy."""
    firsts: list[Document] = []
    copies: list[Document] = []
    texts: set[str] = set()
    for document in documents:
        (copies if document.content in texts else firsts).append(document)
        if document.content is not None:
            texts.add(document.content)
    return firsts, copies


def add_copies(ranked: Sequence[Document], copies: Sequence[Document]) -> list[Document]:
    """
    The ranked passages, and behind them the copies of these, each with the score of the one it is a copy of.

    Copies are what the search itself has found: its filters (who may see what) hold for them as well.
    """
    score_of = {document.content: document.score for document in ranked if document.content is not None}
    theirs = [replace(one, score=score_of[one.content]) for one in copies if one.content in score_of]
    return [*ranked, *theirs[:MAX_COPIES]]


def search_past_copies(found: list[list[Document]], depth: int, wanted: int, search: Search) -> None:
    """
    Look deeper for questions that copies leave fewer than `wanted` texts of, as long as the store has more.

    :param found: what a search for `depth` passages brought, one list a question; replaced where more was found.
    """
    while depth < _MAX_DEPTH:
        short = [
            number
            for number, documents in enumerate(found)
            if len(documents) >= depth and len(set_copies_apart(documents)[0]) < wanted
        ]
        if not short:
            return
        depth = min(_DEEPER * depth, _MAX_DEPTH)
        for number, documents in zip(short, search(short, depth), strict=True):
            found[number] = documents
