"""How are questions read? Texts, windows, engine, spans, ranking, answers: many requests in one pass each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from haystack import ExtractedAnswer

from components.reader.answers.answer_spans import locate_spans
from components.reader.answers.extracted_answers import build_answers
from components.reader.answers.ranking import AnswerSpan, rank_answers
from components.reader.calibration import NEVER, Calibration
from components.reader.early_stop import FIRST_PASSAGES, join_spans, stop_logit, texts_left
from components.reader.engines.base import SpanEngine
from components.reader.recovery import RecoveringEngine
from components.reader.request import ReadSettings, Request
from components.reader.request_groups import group_requests
from components.reader.request_texts import Pairs, RequestTexts
from components.reader.span_scoring import WindowSpans, score_windows
from components.reader.span_selection import select_spans
from components.reader.token_cache import PassageCache
from components.reader.tokens import PassageTokenizer
from components.reader.windows import Windows, cut_windows

if TYPE_CHECKING:
    from haystack.utils import ComponentDevice


class SpanReader:
    """
    A loaded reader: an engine, its tokenizer, its calibration, a cache of tokenised passages.

    Not for two threads at once: engines are not.

    :param rebuild: loads the engine again, for when its device fails.
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
        self.recovering = RecoveringEngine(engine, rebuild)

    @property
    def engine(self) -> SpanEngine:
        """What computes now: another one after its device failed."""
        return self.recovering.engine

    def answer(self, requests: Sequence[Request]) -> list[list[ExtractedAnswer]]:
        """
        The answers of each request.

        :raises DeviceFull, DeviceLost: see :mod:`components.reader.recovery`.
        """
        answers: list[list[ExtractedAnswer]] = [[] for _ in requests]
        for group in group_requests(requests, self.calibration):
            texts = [RequestTexts.of(requests[number]) for number in group.numbers]
            spans = self._read(texts, group.settings, group.weights)
            for number, found in zip(group.numbers, spans, strict=True):
                ranking = rank_answers(found, group.weights)
                answers[number] = build_answers(requests[number], ranking, group.weights.threshold)
        return answers

    def cut(self, texts: Sequence[RequestTexts], settings: ReadSettings) -> tuple[Pairs, Windows]:
        """Tokenise the texts of each request and join them with its question."""
        pairs = Pairs.of(texts, self.tokenizer, self.cache)
        return pairs, cut_windows(self.tokenizer.layout, pairs.questions, pairs.passages, settings.window)

    def score(self, windows: Windows, settings: ReadSettings) -> WindowSpans:
        """
        What the model says of windows, at most ``settings.tokens_at_once`` tokens in one call of the engine.

        :raises ValueError: windows are longer than the model reads.
        """
        if settings.window.max_length > self.engine.max_length:
            raise ValueError(
                f"max_seq_length={settings.window.max_length}, but the model reads at most {self.engine.max_length} "
                "tokens at once. Give a smaller max_seq_length."
            )
        return score_windows(self.engine, windows, settings)

    def _read(
        self, texts: Sequence[RequestTexts], settings: ReadSettings, weights: Calibration
    ) -> list[list[AnswerSpan]]:
        """The best spans of each request; the passages after the first few are read only where they are needed."""
        enough = stop_logit(weights, settings.early_stop)
        if enough >= NEVER:
            return self._best_spans(texts, settings, weights)
        spans = self._best_spans(
            [each.take(range(len(each.texts))[:FIRST_PASSAGES]) for each in texts], settings, weights
        )
        numbers = [texts_left(each, found, enough, weights) for each, found in zip(texts, spans, strict=True)]
        rest = self._best_spans([each.take(left) for each, left in zip(texts, numbers, strict=True)], settings, weights)
        return [join_spans(*parts) for parts in zip(spans, rest, strict=True)]

    def _best_spans(
        self, texts: Sequence[RequestTexts], settings: ReadSettings, weights: Calibration
    ) -> list[list[AnswerSpan]]:
        """The best spans of each request in all of these texts."""
        pairs, windows = self.cut(texts, settings)
        # Selecting copies from the device, which is where CUDA tells of a kernel that failed: so it belongs into `run`.
        selected = self.recovering.run(lambda: select_spans(pairs, windows, self.score(windows, settings), weights))
        return locate_spans(pairs, selected)


def load_span_reader(
    model: str,
    *,
    hub_token: str | None,
    engine: str,
    precision: str,
    device: "ComponentDevice | str | None",
    model_kwargs: dict[str, Any] | None,
    weights: dict[str, float] | None,
    cache_bytes: int,
) -> SpanReader:
    """
    Load a reader; the parameters are those of :class:`components.reader.ExtractiveReader`.

    :param weights: of the calibration, instead of those in the model's folder; None for those.
    :raises ValueError: for settings or files that do not belong together.
    """
    from components.models import resolve_model
    from components.reader.engines.selection import load_engine

    folder = resolve_model(model, hub_token)
    if weights is not None:
        calibration = Calibration.from_weights(weights, "the reader's setting 'calibration'")
    else:
        calibration = Calibration.load(folder) or Calibration()

    def make() -> SpanEngine:
        return load_engine(folder, engine=engine, precision=precision, device=device, model_kwargs=model_kwargs)

    return SpanReader(make(), PassageTokenizer.load(folder), calibration, PassageCache(cache_bytes), rebuild=make)
