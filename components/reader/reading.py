"""How are questions read? Tokens, windows, engine, spans, ranking: many requests in one pass through the model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from haystack import ExtractedAnswer, logging
from torch import Tensor

from components.reader.answers import normalised, whole_words
from components.reader.building import extracted_answers, origin
from components.reader.calibration import Calibration
from components.reader.engines.base import SpanEngine
from components.reader.passages import Windows, cut_windows
from components.reader.ranking import Floats, Place, passage_logits, rank_answers
from components.reader.request import ReadSettings, Request
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
            for number, sheet, places in zip(numbers, sheets, self._places(sheets, settings), strict=True):
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

    def _places(self, sheets: Sequence[_Sheet], settings: ReadSettings) -> list[list[Place]]:
        """Where the answers of each request may stand."""
        passages: list[Tokens] = []
        questions: list[np.ndarray] = []
        sheet_of_pair: list[int] = []
        bias: list[Floats] = []
        for number, (sheet, question) in enumerate(
            zip(sheets, self.tokenizer.encode([sheet.request.query.strip() for sheet in sheets]), strict=True)
        ):
            passages += self.cache.encode(self.tokenizer, sheet.texts)
            questions += [question.ids] * len(sheet.texts)
            sheet_of_pair += [number] * len(sheet.texts)
            of_document = passage_logits(self.calibration, [document.score for document in sheet.request.documents])
            bias.append(of_document[[numbers[0] for numbers in sheet.documents]])
        windows = cut_windows(self.tokenizer.layout, questions, passages, settings.window)
        found = self.find(windows, settings)
        winners = self._winners(windows, found, np.array(sheet_of_pair, dtype=np.int64), np.concatenate([*bias, []]))

        first_pair = np.searchsorted(sheet_of_pair, np.arange(len(sheets)))
        places: list[list[Place]] = [[] for _ in sheets]
        for pair, begin, end, logit in winners:
            number = sheet_of_pair[pair]
            sheet, tokens = sheets[number], passages[pair]
            text = pair - int(first_pair[number])
            span = (int(tokens.starts[begin]), int(tokens.ends[end]))
            places[number] += _places_of_span(sheet, text, *span, logit)
        return places

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


def _places_of_span(sheet: _Sheet, number: int, start: int, end: int, logit: float) -> list[Place]:
    """A span as whole words, once for each document that holds the text."""
    text = sheet.texts[number]
    start, end = whole_words(text, start, end)
    if start == end:
        return []
    said = normalised(text[start:end])
    source, begin = origin(sheet.request.documents[sheet.documents[number][0]])
    region = (source, begin + start, begin + end)
    return [Place(document, start, end, said, region, logit) for document in sheet.documents[number]]


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
