"""Which words of which documents does a span of tokens stand for? Whole words, in each document that holds the text."""

from components.reader.answers.answer_text import normalise_answer, widen_to_words
from components.reader.answers.provenance import find_origin
from components.reader.answers.ranking import AnswerSpan
from components.reader.request_texts import Pairs
from components.reader.span_selection import SelectedSpan


def locate_spans(pairs: Pairs, selected: list[SelectedSpan]) -> list[list[AnswerSpan]]:
    """The spans of each of the requests that ``pairs`` were made of; a span of nothing but space is left out."""
    located: list[list[AnswerSpan]] = [[] for _ in pairs.requests]
    for span in selected:
        located[pairs.request[span.pair]] += locate_span(pairs, span)
    return located


def locate_span(pairs: Pairs, span: SelectedSpan) -> list[AnswerSpan]:
    """One span, as an AnswerSpan for each document that holds its text."""
    request, number, tokens = pairs.requests[pairs.request[span.pair]], pairs.text[span.pair], pairs.passages[span.pair]
    text = request.texts[number]
    start, end = widen_to_words(text, int(tokens.starts[span.first_token]), int(tokens.ends[span.last_token]))
    if start == end:
        return []
    said = normalise_answer(text[start:end])
    source, shift = find_origin(request.request.documents[request.documents[number][0]])
    region = (source, shift + start, shift + end)
    return [AnswerSpan(document, start, end, said, region, span.logit) for document in request.documents[number]]
