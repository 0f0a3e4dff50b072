"""How are questions read? Tokens, windows, engine, spans, ranking: many requests in one pass through the model."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from haystack import ExtractedAnswer
from torch import Tensor

from components.reader.calibration import NEVER, Calibration
from components.reader.engines.base import SpanEngine
from components.reader.extracted_answers import extracted_answers
from components.reader.ranking import Floats, Place, passage_logits, rank_answers, z_scores
from components.reader.recovery import KeptEngine
from components.reader.request import FIRST_PASSAGES, ReadSettings, Request
from components.reader.request_texts import Pairs, Sheet
from components.reader.span_scoring import Found, find_spans
from components.reader.spans import top_of_groups
from components.reader.tokens import PassageCache, PassageTokenizer
from components.reader.windows import Windows, cut_windows

# Beyond the best 64 spans of a question hardly any probability is left (a span 10 nats below the best has 1 in 20,000).
SPANS_A_QUESTION = 64


@dataclass(frozen=True)
class SpanFeatures:
    """
    A span before any weight. ``values``: span score, null score and sum of its window, z-score of the retriever's
    score, log(1 + rank of the passage).
    """

    place: Place
    values: tuple[float, float, float, float, float]


class Reading:
    """
    A loaded reader: an engine, its tokenizer, its calibration, a cache of tokenised passages.

    Not for two threads at once: engines are not.

    :param rebuild: loads the engine anew, for when its device fails.
    """

    def __init__(
        self,
        engine: SpanEngine,
        tokenizer: PassageTokenizer,
        calibration: Calibration,
        cache: PassageCache,
        rebuild: Callable[[], SpanEngine] | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.calibration = calibration
        self.cache = cache
        self._kept = KeptEngine(engine, rebuild)

    @property
    def engine(self) -> SpanEngine:
        """What computes now: another one after its device failed."""
        return self._kept.engine

    def answer(self, requests: Sequence[Request]) -> list[list[ExtractedAnswer]]:
        """
        The answers of each request. Requests with equal read settings are read together.

        :raises DeviceFull, DeviceLost: see :mod:`components.reader.recovery`.
        """
        done: list[list[ExtractedAnswer]] = [[] for _ in requests]
        together: dict[tuple[ReadSettings, Calibration], list[int]] = {}
        for number, request in enumerate(requests):
            weights = self.calibration.of(len(request.documents))
            together.setdefault((request.reading, weights), []).append(number)
        for (settings, weights), numbers in together.items():
            sheets = [Sheet.of(requests[number]) for number in numbers]
            for number, sheet, places in zip(numbers, sheets, self._read(sheets, settings, weights), strict=True):
                done[number] = extracted_answers(sheet.request, rank_answers(places, weights), weights.threshold)
        return done

    def find(self, windows: Windows, settings: ReadSettings) -> Found:
        """Read windows, at most ``settings.tokens_at_once`` tokens in one call of the engine."""
        if settings.window.max_length > self.engine.max_length:
            raise ValueError(
                f"max_seq_length={settings.window.max_length}, but the model reads at most {self.engine.max_length} "
                "tokens at once. Give a smaller max_seq_length."
            )
        return find_spans(self.engine, windows, settings)

    def spans(self, requests: Sequence[Request], settings: ReadSettings | None = None) -> list[list[SpanFeatures]]:
        """What the ranking knows of every span of each request, before any weight: for fitting the weights."""
        settings = settings or ReadSettings()
        sheets = [Sheet.of(request) for request in requests]
        pairs, windows = self._cut(sheets, [range(len(sheet.texts)) for sheet in sheets], settings)
        found = self._kept.run(lambda: self.find(windows, settings))
        scores, begins, ends = (tensor.tolist() for tensor in (found.score, found.start, found.end))
        nulls, sums = found.null.tolist(), found.window.tolist()
        z = [z_scores([document.score for document in request.documents]) for request in requests]
        spans: list[list[SpanFeatures]] = [[] for _ in requests]
        for row, (pair, shift) in enumerate(zip(windows.pair.tolist(), windows.first_token.tolist(), strict=True)):
            number = pairs.sheet[pair]
            for score, begin, end in zip(scores[row], begins[row], ends[row], strict=True):
                if score > -math.inf:
                    for place in pairs.places(pair, begin + shift, end + shift, score)[:1]:
                        retriever, rank = float(z[number][place.passage]), math.log1p(place.passage)
                        values = (score, nulls[row], sums[row], retriever, rank)
                        spans[number].append(SpanFeatures(place, values))
        return spans

    def _read(self, sheets: Sequence[Sheet], settings: ReadSettings, weights: Calibration) -> list[list[Place]]:
        """Where the answers of each request may stand; the passages after the first few only where they are needed."""
        everything = [range(len(sheet.texts)) for sheet in sheets]
        stops = {"off": NEVER, "safe": weights.stop_safe, "aggressive": weights.stop_aggressive}
        enough = stops[settings.early_stop]
        if enough >= NEVER:
            return self._places(sheets, everything, settings, weights)
        places = self._places(sheets, [texts[:FIRST_PASSAGES] for texts in everything], settings, weights)
        best = [max((place.logit for place in found), default=-math.inf) for found in places]
        open_ones = [number for number, logit in enumerate(best) if logit < enough]
        rest = self._places(
            [sheets[number] for number in open_ones],
            [everything[n][FIRST_PASSAGES:] for n in open_ones],
            settings,
            weights,
        )
        for number, more in zip(open_ones, rest, strict=True):
            both = sorted(places[number] + more, key=lambda place: -place.logit)
            places[number] = both[:SPANS_A_QUESTION]
        return places

    def _cut(self, sheets: Sequence[Sheet], texts: Sequence[range], settings: ReadSettings) -> tuple[Pairs, Windows]:
        pairs = Pairs.of(sheets, texts, self.tokenizer, self.cache)
        return pairs, cut_windows(self.tokenizer.layout, pairs.questions, pairs.passages, settings.window)

    def _places(
        self, sheets: Sequence[Sheet], texts: Sequence[range], settings: ReadSettings, weights: Calibration
    ) -> list[list[Place]]:
        """Where the answers of each request may stand in these of its texts."""
        pairs, windows = self._cut(sheets, texts, settings)
        bias: list[Floats] = [np.zeros(0)]
        for sheet, chosen in zip(sheets, texts, strict=True):
            of_document = passage_logits(weights, [document.score for document in sheet.request.documents])
            bias.append(of_document[[sheet.documents[text][0] for text in chosen]])
        of_pair, sheet_of_pair = np.concatenate(bias), np.array(pairs.sheet)
        places: list[list[Place]] = [[] for _ in sheets]
        for pair, begin, end, logit in self._kept.run(
            lambda: self._winners(windows, self.find(windows, settings), sheet_of_pair, of_pair, weights)
        ):
            places[pairs.sheet[pair]] += pairs.places(pair, begin, end, logit)
        return places

    def _winners(
        self, windows: Windows, found: Found, sheet_of_pair: np.ndarray, bias: Floats, weights: Calibration
    ) -> list[tuple[int, int, int, float]]:
        """The best spans of each question by logit: (pair, first token, last token, logit); chosen on the device."""
        if not len(windows):
            return []
        device = found.score.device
        questions = int(sheet_of_pair[-1]) + 1
        group = torch.as_tensor(sheet_of_pair[windows.pair], device=device)
        passage = torch.as_tensor(bias[windows.pair], dtype=torch.float32, device=device)
        logits = span_logits(weights, found.score, found.null[:, None], found.window[:, None], passage[:, None])
        width = logits.shape[1]
        chosen = top_of_groups(logits.flatten(), group.repeat_interleave(width), questions, SPANS_A_QUESTION)
        chosen = chosen[chosen >= 0]
        table = torch.stack([chosen // width, found.start.flatten()[chosen], found.end.flatten()[chosen]]).cpu().numpy()
        window, begin, end = table
        shift = windows.first_token[window]
        values = logits.flatten()[chosen].cpu().tolist()
        return list(
            zip(windows.pair[window].tolist(), (begin + shift).tolist(), (end + shift).tolist(), values, strict=True)
        )


def span_logits(weights: Calibration, score: Tensor, null: Tensor, window: Tensor, passage: Tensor) -> Tensor:
    """
    How good an answer a span is, comparable over all passages of a question, in nats before the temperature:

    ``span * score + null * null_score + window * window_sum + passage_logit`` (:func:`passage_logits`).
    """
    return weights.span * score + weights.null * null + weights.window * window + passage
