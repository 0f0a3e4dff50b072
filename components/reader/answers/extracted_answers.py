"""How does a ranking become Haystack's answers? Offsets, pages, context, and all the places of an answer."""

from collections.abc import Hashable
from typing import Any

from haystack import Document, ExtractedAnswer

from components.reader.answers.answer_text import context_span, overlap_share
from components.reader.answers.provenance import find_origin, find_page
from components.reader.answers.ranking import AnswerSpan, RankedAnswer, Ranking
from components.reader.request import Request


def build_answers(request: Request, ranking: Ranking, threshold: float) -> list[ExtractedAnswer]:
    """
    The answers to hand out, most probable first; the no-answer (``data=None``) last, if it is asked for.

    Its ``meta["abstain"]`` says whether the best answer is better withheld: less probable than ``threshold``, or than
    no answer at all.
    """
    settings = request.answer_settings
    answers: list[ExtractedAnswer] = []
    taken: list[AnswerSpan] = []
    for ranked in ranking.answers:
        if len(answers) == settings.top_k or ranked.probability < (settings.score_threshold or 0.0):
            break  # they come in falling order
        if settings.overlap_threshold is None or not _is_covered(ranked.places[0], taken, settings.overlap_threshold):
            taken += ranked.places
            answers.append(build_answer(request, ranked))
    if settings.no_answer:
        best_probability = ranking.answers[0].probability if ranking.answers else 0.0
        abstain = best_probability < threshold or best_probability <= ranking.no_answer
        meta: dict[str, Any] = {"abstain": abstain}
        answers.append(ExtractedAnswer(query=request.query, score=ranking.no_answer, data=None, meta=meta))
    return answers


def _is_covered(place: AnswerSpan, taken: list[AnswerSpan], threshold: float) -> bool:
    return any(
        place.passage == other.passage and overlap_share((place.start, place.end), (other.start, other.end)) > threshold
        for other in taken
    )


def build_answer(request: Request, ranked: RankedAnswer) -> ExtractedAnswer:
    """One answer at its best place, with its page, its context and all its places."""
    best = ranked.places[0]
    document = request.documents[best.passage]
    text = document.content or ""
    begin, stop = context_span(text, best.start, best.end)
    apart = [(request.documents[place.passage], place) for place in _distinct_places(request, ranked.places)]
    places = [_describe(found_in, place) for found_in, place in apart]
    sources = [(found_in.meta.get("source_id"), found_in.meta.get("source_version")) for found_in, _ in apart]
    meta: dict[str, Any] = {"places": places, "place_sources": sources}
    if (page := find_page(document, best.start)) is not None:
        meta["answer_page_number"] = page
    for name in ("start_in_file", "end_in_file"):
        if name in places[0]:
            meta[name] = places[0][name]
    return ExtractedAnswer(
        query=request.query,
        score=ranked.probability,
        data=text[best.start : best.end],
        document=document,
        document_offset=ExtractedAnswer.Span(best.start, best.end),
        context=text[begin:stop],
        context_offset=ExtractedAnswer.Span(best.start - begin, best.end - begin),
        meta=meta,
    )


def _distinct_places(request: Request, places: tuple[AnswerSpan, ...]) -> list[AnswerSpan]:
    """
    One place for each stretch of a source, the best: "the river" and "river" at the same spot are one, and so is a spot
    that two overlapping passages of a file hold.
    """
    apart: dict[Hashable, list[tuple[int, int]]] = {}
    kept: list[AnswerSpan] = []
    for place in places:
        document = request.documents[place.passage]
        source, shift = find_origin(document)
        taken = apart.setdefault(source, [])
        stretch = (place.start + shift, place.end + shift)
        if all(overlap_share(stretch, other) == 0 for other in taken):
            taken.append(stretch)
            kept.append(place)
    return kept


def _describe(document: Document, place: AnswerSpan) -> dict[str, Any]:
    described: dict[str, Any] = {
        "document_id": document.id,
        "source_id": document.meta.get("source_id"),
        "file_path": document.meta.get("file_path"),
        "page_number": find_page(document, place.start),
        "start": place.start,
        "end": place.end,
    }
    begin = document.meta.get("split_idx_start")
    if isinstance(begin, int):
        described |= {"start_in_file": begin + place.start, "end_in_file": begin + place.end}
    return described
