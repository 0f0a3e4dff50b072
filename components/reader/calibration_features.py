"""What does the ranking know of a span before any weight? The features that calibrations are fitted on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.reader.answers.answer_spans import locate_span
from components.reader.answers.ranking import AnswerSpan, z_scores
from components.reader.reader_core import SpanReader
from components.reader.request import ReadSettings, Request
from components.reader.request_texts import RequestTexts
from components.reader.span_selection import SelectedSpan


@dataclass(frozen=True)
class SpanFeatures:
    """
    A span before any weight. ``values``: span score, null score and sum of its window, z-score of the retriever's
    score, log(1 + rank of the passage).
    """

    span: AnswerSpan
    values: tuple[float, float, float, float, float]


def span_features(
    reader: SpanReader, requests: Sequence[Request], settings: ReadSettings | None = None
) -> list[list[SpanFeatures]]:
    """The features of every span of each request: the best ``settings.spans_per_window`` of each window."""
    settings = settings or ReadSettings()
    pairs, windows = reader.cut([RequestTexts.of(request) for request in requests], settings)
    found = reader.recovering.run(lambda: reader.score(windows, settings))
    scores, begins, ends = (tensor.tolist() for tensor in (found.score, found.start, found.end))
    nulls, sums = found.null.tolist(), found.window.tolist()
    z = [z_scores([document.score for document in request.documents]) for request in requests]
    features: list[list[SpanFeatures]] = [[] for _ in requests]
    for row, (pair, shift) in enumerate(zip(windows.pair.tolist(), windows.first_token.tolist(), strict=True)):
        number = pairs.request[pair]
        for score, begin, end in zip(scores[row], begins[row], ends[row], strict=True):
            if score > -math.inf:
                for span in locate_span(pairs, SelectedSpan(pair, begin + shift, end + shift, score))[:1]:
                    retriever, rank = float(z[number][span.passage]), math.log1p(span.passage)
                    features[number].append(SpanFeatures(span, (score, nulls[row], sums[row], retriever, rank)))
    return features
