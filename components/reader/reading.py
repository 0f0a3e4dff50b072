"""How are questions read? Tokens, windows, engine, spans, ranking: many requests in one pass through the model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from haystack import ExtractedAnswer, logging
from torch import Tensor

from components.encoder.ragged import Ints
from components.reader.answers import normalised, whole_words
from components.reader.building import extracted_answers, origin
from components.reader.calibration import Calibration
from components.reader.engines.base import SpanEngine
from components.reader.passages import Windows, cut_windows
from components.reader.ranking import Floats, Place, passage_logits, rank_answers, z_scores
from components.reader.request import FIRST_PASSAGES, ReadSettings, Request
from components.reader.spans import null_scores, top_of_groups, top_spans
from components.reader.tokens import PassageCache, PassageTokenizer, Tokens, content_key

logger = logging.getLogger(__name__)

# Beyond the best 64 spans of a question hardly any probability is left (a span 10 nats below the best has 1 in 20,000).
SPANS_A_QUESTION = 64


@dataclass(frozen=True)
class Found:
    """
    What a model says of windows, all on its device. Spans and scores are float32, (windows, k) or (windows,).

    :param score, start, end: see :class:`components.reader.spans.Spans`.
    :param null: score of the null position.
    :param window: log of the sum over all starts, plus that over all ends, null position included.
    """

    score: Tensor
    start: Tensor
    end: Tensor
    null: Tensor
    window: Tensor


@dataclass(frozen=True)
class _Sheet:
    """A request as it is read: each distinct text once, with the numbers of the documents that hold it."""

    request: Request
    texts: list[str]
    documents: list[list[int]]


@dataclass(frozen=True)
class _Pairs:
    """Each (question, passage) to read: tokens, and where they came from (number of the sheet, and of its text)."""

    questions: list[Ints]
    passages: list[Tokens]
    sheet: list[int]
    text: list[int]


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
    """

    def __init__(
        self, engine: SpanEngine, tokenizer: PassageTokenizer, calibration: Calibration, cache: PassageCache
    ) -> None:
        self.engine = engine
        self.tokenizer = tokenizer
        self.calibration = calibration
        self.cache = cache

    def answer(self, requests: Sequence[Request]) -> list[list[ExtractedAnswer]]:
        """The answers of each request. Requests with equal read settings are read together."""
        done: list[list[ExtractedAnswer]] = [[] for _ in requests]
        together: dict[ReadSettings, list[int]] = {}
        for number, request in enumerate(requests):
            together.setdefault(request.reading, []).append(number)
        for settings, numbers in together.items():
            sheets = [_sheet(requests[number]) for number in numbers]
            for number, sheet, places in zip(numbers, sheets, self._read(sheets, settings), strict=True):
                ranking = rank_answers(places, self.calibration)
                done[number] = extracted_answers(sheet.request, ranking, self.calibration.threshold)
        return done

    def find(self, windows: Windows, settings: ReadSettings) -> Found:
        """Read windows, at most ``settings.tokens_at_once`` tokens in one call of the engine."""
        if settings.window.max_length > self.engine.max_length:
            raise ValueError(
                f"max_seq_length={settings.window.max_length}, but the model reads at most {self.engine.max_length} "
                "tokens at once. Give a smaller max_seq_length."
            )
        parts = windows.batch.within_budget(settings.tokens_at_once)
        found = [self._find(windows, rows, settings) for rows in parts]
        if not found:
            empty, whole = torch.zeros((0, 1)), torch.zeros((0, 1), dtype=torch.long)
            return Found(empty, whole, whole, torch.zeros(0), torch.zeros(0))
        order = torch.as_tensor(np.argsort(np.concatenate(parts)), device=found[0].score.device)
        width = max(part.score.shape[1] for part in found)
        return Found(
            _stacked([part.score for part in found], width, -torch.inf)[order],
            _stacked([part.start for part in found], width, 0)[order],
            _stacked([part.end for part in found], width, 0)[order],
            torch.cat([part.null for part in found])[order],
            torch.cat([part.window for part in found])[order],
        )

    def _find(self, windows: Windows, rows: np.ndarray, settings: ReadSettings) -> Found:
        batch = windows.batch if len(rows) == len(windows) and _ascending(rows) else windows.batch.take(rows)
        with torch.inference_mode():
            start, end = self.engine.logits(batch)
            null = torch.as_tensor(batch.starts[:-1], device=start.device)
            first = null + torch.as_tensor(windows.context[rows], device=start.device)
            length = torch.as_tensor(windows.context_length[rows], device=start.device)
            spans = top_spans(start, end, first, length, settings.spans_per_window, settings.max_answer_length)
            sums = _log_sums(start, end, null, first, length)
            return Found(spans.score, spans.start, spans.end, null_scores(start, end, null), sums)

    def spans(self, requests: Sequence[Request], settings: ReadSettings | None = None) -> list[list[SpanFeatures]]:
        """What the ranking knows of every span of each request, before any weight: for fitting the weights."""
        settings = settings or ReadSettings()
        sheets = [_sheet(request) for request in requests]
        pairs = self._pairs(sheets, [range(len(sheet.texts)) for sheet in sheets])
        windows = cut_windows(self.tokenizer.layout, pairs.questions, pairs.passages, settings.window)
        found = self.find(windows, settings)
        scores, begins, ends = (tensor.tolist() for tensor in (found.score, found.start, found.end))
        nulls, sums = found.null.tolist(), found.window.tolist()
        z = [z_scores([document.score for document in request.documents]) for request in requests]
        spans: list[list[SpanFeatures]] = [[] for _ in requests]
        for row, (pair, shift) in enumerate(zip(windows.pair.tolist(), windows.first_token.tolist(), strict=True)):
            number = pairs.sheet[pair]
            for score, begin, end in zip(scores[row], begins[row], ends[row], strict=True):
                if score > -math.inf:
                    for place in self._places_at(sheets, pairs, pair, begin + shift, end + shift, score)[:1]:
                        retriever, rank = float(z[number][place.passage]), math.log1p(place.passage)
                        values = (score, nulls[row], sums[row], retriever, rank)
                        spans[number].append(SpanFeatures(place, values))
        return spans

    def _read(self, sheets: Sequence[_Sheet], settings: ReadSettings) -> list[list[Place]]:
        """Where the answers of each request may stand; the passages after the first few only where they are needed."""
        everything = [range(len(sheet.texts)) for sheet in sheets]
        if settings.early_stop == "off":
            return self._places(sheets, everything, settings)
        enough = self.calibration.stop_safe if settings.early_stop == "safe" else self.calibration.stop_aggressive
        places = self._places(sheets, [texts[:FIRST_PASSAGES] for texts in everything], settings)
        best = [max((place.logit for place in found), default=-math.inf) for found in places]
        open_ones = [number for number, logit in enumerate(best) if logit < enough]
        rest = self._places(
            [sheets[number] for number in open_ones], [everything[n][FIRST_PASSAGES:] for n in open_ones], settings
        )
        for number, more in zip(open_ones, rest, strict=True):
            both = sorted(places[number] + more, key=lambda place: -place.logit)
            places[number] = both[:SPANS_A_QUESTION]
        return places

    def _pairs(self, sheets: Sequence[_Sheet], texts: Sequence[range]) -> _Pairs:
        """The (question, passage) pairs of these texts of the sheets, as tokens."""
        pairs = _Pairs([], [], [], [])
        asked = self.tokenizer.encode([sheet.request.query.strip() for sheet in sheets])
        for number, (sheet, question, chosen) in enumerate(zip(sheets, asked, texts, strict=True)):
            pairs.passages.extend(self.cache.encode(self.tokenizer, [sheet.texts[text] for text in chosen]))
            pairs.questions.extend([question.ids] * len(chosen))
            pairs.sheet.extend([number] * len(chosen))
            pairs.text.extend(chosen)
        return pairs

    def _places(self, sheets: Sequence[_Sheet], texts: Sequence[range], settings: ReadSettings) -> list[list[Place]]:
        """Where the answers of each request may stand in these of its texts."""
        pairs = self._pairs(sheets, texts)
        bias: list[Floats] = [np.zeros(0)]
        for sheet, chosen in zip(sheets, texts, strict=True):
            of_document = passage_logits(self.calibration, [document.score for document in sheet.request.documents])
            bias.append(of_document[[sheet.documents[text][0] for text in chosen]])
        windows = cut_windows(self.tokenizer.layout, pairs.questions, pairs.passages, settings.window)
        found = self.find(windows, settings)
        places: list[list[Place]] = [[] for _ in sheets]
        for pair, begin, end, logit in self._winners(windows, found, np.array(pairs.sheet), np.concatenate(bias)):
            places[pairs.sheet[pair]] += self._places_at(sheets, pairs, pair, begin, end, logit)
        return places

    @staticmethod
    def _places_at(
        sheets: Sequence[_Sheet], pairs: _Pairs, pair: int, begin: int, end: int, logit: float
    ) -> list[Place]:
        """Tokens ``begin`` to ``end`` of a passage as whole words, once for each document that holds the text."""
        sheet, number, tokens = sheets[pairs.sheet[pair]], pairs.text[pair], pairs.passages[pair]
        text = sheet.texts[number]
        start, stop = whole_words(text, int(tokens.starts[begin]), int(tokens.ends[end]))
        if start == stop:
            return []
        said = normalised(text[start:stop])
        source, shift = origin(sheet.request.documents[sheet.documents[number][0]])
        region = (source, shift + start, shift + stop)
        return [Place(document, start, stop, said, region, logit) for document in sheet.documents[number]]

    def _winners(
        self, windows: Windows, found: Found, sheet_of_pair: np.ndarray, bias: Floats
    ) -> list[tuple[int, int, int, float]]:
        """The best spans of each question by logit: (pair, first token, last token, logit); chosen on the device."""
        if not len(windows):
            return []
        weights, device = self.calibration, found.score.device
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


def _sheet(request: Request) -> _Sheet:
    """Each distinct text of a request once; documents without text are told by their id and left out."""
    numbers: dict[bytes, int] = {}
    texts: list[str] = []
    documents: list[list[int]] = []
    for place, document in enumerate(request.documents):
        if not document.content:
            logger.warning("Document {doc_id} holds no text and is not read.", doc_id=document.id)
            continue
        number = numbers.setdefault(content_key(document.content), len(texts))
        if number == len(texts):
            texts.append(document.content)
            documents.append([])
        documents[number].append(place)
    return _Sheet(request, texts, documents)


def _log_sums(start: Tensor, end: Tensor, null: Tensor, first: Tensor, length: Tensor) -> Tensor:
    """log sum exp of the starts + that of the ends, over each window's passage tokens and its null position."""
    longest = int(length.max()) if len(length) else 0
    place = torch.arange(longest, device=start.device)
    inside = place < length[:, None]
    index = torch.cat([null[:, None], (first[:, None] + place).masked_fill(~inside, 0)], dim=1)
    kept = torch.cat([torch.ones_like(inside[:, :1]), inside], dim=1) if longest else index >= 0
    sums = [values[index].masked_fill(~kept, -torch.inf).logsumexp(dim=1) for values in (start, end)]
    return sums[0] + sums[1]


def _stacked(parts: list[Tensor], width: int, fill: float) -> Tensor:
    return torch.cat([torch.nn.functional.pad(part, (0, width - part.shape[1]), value=fill) for part in parts])


def _ascending(rows: np.ndarray) -> bool:
    return bool((np.diff(rows) > 0).all())
