"""Pairs of question and answer: made with their place, put in order, repeated ones dropped, so many a passage kept."""

import random
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from haystack import Document, ExtractedAnswer
from rapidfuzz import fuzz

from components.reader.answers.answer_text import context_span, normalise_answer, overlap_share

_ALIKE = 92.0  # percent: questions as like as that, for the same answer, are one


def make_pair(
    question: str, document: Document, span: tuple[int, int], score: float, meta: dict[str, Any]
) -> ExtractedAnswer:
    """The pair whose answer is the words at `span` of the document's text."""
    text, (start, end) = document.content or "", span
    begin, stop = context_span(text, start, end)
    return ExtractedAnswer(
        query=question,
        score=score,
        data=text[start:end],
        document=document,
        document_offset=ExtractedAnswer.Span(start, end),
        context=text[begin:stop],
        context_offset=ExtractedAnswer.Span(start - begin, end - begin),
        meta=meta,
    )


def in_order(documents: Sequence[Document], pairs: Sequence[ExtractedAnswer]) -> list[ExtractedAnswer]:
    """By document, in it by place; what stands first among those of one place stays first."""
    numbers = {id(document): number for number, document in enumerate(documents)}
    return sorted(
        pairs, key=lambda pair: (numbers[id(pair.document)], pair.document_offset.start if pair.document_offset else 0)
    )


def drop_repeated(pairs: Sequence[ExtractedAnswer]) -> list[ExtractedAnswer]:
    """Of questions that are nearly alike and ask for the same words, the first."""
    kept: list[ExtractedAnswer] = []
    by_answer: dict[str, list[ExtractedAnswer]] = {}
    for pair in pairs:
        rivals = by_answer.setdefault(normalise_answer(pair.data or ""), [])
        if any(_alike(pair, other) for other in rivals):
            continue
        rivals.append(pair)
        kept.append(pair)
    return kept


def limit(pairs: list[ExtractedAnswer], most: int | None, seed: int | None) -> list[ExtractedAnswer]:
    """
    At most so many pairs of each document, in their order.

    :param pairs: those of a document beside each other.
    :param most: None for all.
    :param seed: which stay is drawn by it; None: the first.
    """
    if most is None:
        return pairs
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    kept: list[ExtractedAnswer] = []
    for _, group in groupby(pairs, key=lambda pair: id(pair.document)):
        found = list(group)
        if seed is not None and len(found) > most:
            found = [found[number] for number in sorted(rng.sample(range(len(found)), most))]
        kept += found[:most]
    return kept


def _alike(pair: ExtractedAnswer, other: ExtractedAnswer) -> bool:
    if fuzz.ratio(pair.query.casefold(), other.query.casefold()) < _ALIKE:
        return False
    if pair.document is not other.document or pair.document_offset is None or other.document_offset is None:
        return pair.query.casefold() == other.query.casefold()
    mine, theirs = pair.document_offset, other.document_offset
    return overlap_share((mine.start, mine.end), (theirs.start, theirs.end)) > 0 or pair.query == other.query
