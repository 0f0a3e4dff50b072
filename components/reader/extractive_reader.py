"""The reader as a Haystack component: settings in, answers out. What happens between is in the files beside it."""

import asyncio
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from haystack import Document, ExtractedAnswer, component
from haystack.utils import ComponentDevice, Secret

from components.batching import DynamicBatcher, RestartingBatcher
from components.reader.calibration import Calibration
from components.reader.request import SETTINGS, EarlyStop, ReadSettings, Request, resolve_request

if TYPE_CHECKING:
    from components.reader.reader_core import SpanReader

# Of all passages together. A batch is some 65,000 tokens: 20 questions with 20 passages; what waits is bounded by
# memory.
_CHARACTERS_A_BATCH = 300_000
_CHARACTERS_WAITING = 100_000_000


@component
class ExtractiveReader:
    """
    Finds the exact words that answer a question in its passages, with the probability that they are right.

    Takes the place of ``TransformersExtractiveReader``: same sockets, same answers' type. What differs: one probability
    space over all spans of all passages and "no answer", calibrated where the model's folder has a
    ``calibration.json``; the same answer of several passages is one answer with all its places in ``meta["places"]``;
    answers are whole words of limited length; the no-answer comes last and says in ``meta["abstain"]`` whether the best
    answer is better withheld.

    Any checkpoint for ``AutoModelForQuestionAnswering`` can be read with: BERT, MiniLM, DistilBERT, RoBERTa, XLM-R,
    ELECTRA, DeBERTa and others.

    ```python
    reader = ExtractiveReader()
    reader.run(query="Who wrote it?", documents=[Document(content="It was written by Ada.")])["answers"][0].data
    ```
    """

    # Haystack names a component by the module it says it is from: YAML says components.reader.ExtractiveReader.
    __module__ = "components.reader"

    def __init__(
        self,
        model: str = "models/minilm-squad",
        device: ComponentDevice | str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        top_k: int = 20,
        score_threshold: float | None = None,
        max_seq_length: int = 384,
        stride: int = 128,
        max_batch_size: int | None = None,
        answers_per_seq: int | None = None,
        no_answer: bool = True,
        overlap_threshold: float | None = 0.01,
        model_kwargs: dict[str, Any] | None = None,
        max_answer_length: int = 30,
        max_query_length: int = 64,
        engine: str = "auto",
        precision: str = "auto",
        calibration: dict[str, float] | None = None,
        cache_bytes: int = 64 * 2**20,
        timeout: float = 120.0,
        early_stop: EarlyStop = "off",
    ) -> None:
        """
        :param model: A folder, a path relative to the project, or a name on the Hugging Face hub.
        :param device: Where to compute: None or "auto" picks, "cpu" and "cuda" are taken at their word.
        :param token: For private models of the hub.
        :param top_k: How many answers to return at most; the no-answer is not counted.
        :param score_threshold: Return only answers at least this probable.
        :param max_seq_length: Tokens the model reads at once; longer passages are read in several windows.
        :param stride: Tokens that two windows of a passage share.
        :param max_batch_size: Windows of `max_seq_length` tokens that go to the engine in one call; bounds memory.
            None: 65,536 tokens.
        :param answers_per_seq: How many spans of a window take part. None: 8, what calibrations are made with.
        :param no_answer: Whether to return the no-answer, with the probability that the passages hold no answer.
        :param overlap_threshold: An answer that shares more than this part of itself, or of a better answer, with the
            better one in the same document is left out. None keeps all.
        :param model_kwargs: For `from_pretrained`, with models that only transformers can run.
        :param max_answer_length: Longest answer, in tokens.
        :param max_query_length: Tokens of a question that are read.
        :param engine: What computes: "auto" chooses the fastest that gives the same answers here.
        :param precision: What it computes in: "auto", or a precision the engine knows.
        :param calibration: Weights of `components.reader.calibration.Calibration` to use instead of those in the
            model's folder.
        :param cache_bytes: Room for tokenised passages; 0 keeps none.
        :param timeout: Seconds that an asynchronous caller waits at most.
        :param early_stop: Leave the passages after the first five unread where they hardly ever change the best answer:
            "safe" (at most 1 question in 500, as measured when calibrating), "aggressive" (1 in 50), or "off". Passages
            that hold the words of a shown answer are read all the same. A reader without calibration reads everything.
        :raises ValueError: When a setting is outside what is allowed.
        """
        self.model = str(model)
        self.device = device
        self.token = token
        self.top_k = top_k
        self.score_threshold = score_threshold
        self.max_seq_length = max_seq_length
        self.stride = stride
        self.max_batch_size = max_batch_size
        self.answers_per_seq = answers_per_seq
        self.no_answer = no_answer
        self.overlap_threshold = overlap_threshold
        self.model_kwargs = model_kwargs
        self.max_answer_length = max_answer_length
        self.max_query_length = max_query_length
        self.engine = engine
        self.precision = precision
        self.calibration = calibration
        self.cache_bytes = cache_bytes
        self.timeout = timeout
        self.early_stop = early_stop
        if calibration is not None:
            Calibration.from_weights(calibration, "the reader's setting 'calibration'")
        self._request("", ())  # refuses what is not allowed, by name
        self._span_reader: SpanReader | None = None
        self._batcher = RestartingBatcher(self._make_batcher)
        self._lock = threading.Lock()  # engines are for one thread at a time

    def warm_up(self) -> None:
        """Load the model. Free when it is loaded."""
        with self._lock:
            if self._span_reader is None:
                self._span_reader = self._load()

    @component.output_types(answers=list[ExtractedAnswer])
    def run(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        max_seq_length: int | None = None,
        stride: int | None = None,
        max_batch_size: int | None = None,
        answers_per_seq: int | None = None,
        no_answer: bool | None = None,
        overlap_threshold: float | None = None,
    ) -> dict[str, Any]:
        """
        Answer one question. What is None is taken from the component's own settings.

        :param query: The question.
        :param documents: Passages, best first; their `score` takes part in the ranking. Those without text are skipped.
        :returns: `answers`, most probable first, the no-answer last.
        :raises ValueError: When a setting is outside what is allowed.
        :raises components.reader.recovery.DeviceFull: When not even one window fits into the device's memory.
        :raises components.reader.recovery.DeviceLost: When the device failed for good: restart the process.
        """
        request = self._request(
            query,
            documents,
            top_k=top_k,
            score_threshold=score_threshold,
            max_seq_length=max_seq_length,
            stride=stride,
            max_batch_size=max_batch_size,
            answers_per_seq=answers_per_seq,
            no_answer=no_answer,
            overlap_threshold=overlap_threshold,
        )
        return {"answers": self._answer([request])[0]}

    @component.output_types(answers=list[ExtractedAnswer])
    async def run_async(
        self,
        query: str,
        documents: list[Document],
        top_k: int | None = None,
        score_threshold: float | None = None,
        max_seq_length: int | None = None,
        stride: int | None = None,
        max_batch_size: int | None = None,
        answers_per_seq: int | None = None,
        no_answer: bool | None = None,
        overlap_threshold: float | None = None,
    ) -> dict[str, Any]:
        """
        `run` without blocking the event loop; questions asked at the same time are read in one batch.

        :raises components.batching.QueueFull: When too much is waiting already.
        :raises components.batching.RequestTimeout: When there is no answer within `timeout`.
        :raises components.reader.recovery.DeviceFull, components.reader.recovery.DeviceLost: as `run`.
        """
        request = self._request(
            query,
            documents,
            top_k=top_k,
            score_threshold=score_threshold,
            max_seq_length=max_seq_length,
            stride=stride,
            max_batch_size=max_batch_size,
            answers_per_seq=answers_per_seq,
            no_answer=no_answer,
            overlap_threshold=overlap_threshold,
        )
        if self._span_reader is None:
            await asyncio.to_thread(self.warm_up)
        return {"answers": await self._batcher.ask(request)}

    def close(self) -> None:
        """End the worker of `run_async`: who waits is told. The next `run_async` starts another."""
        self._batcher.close()

    def read(self, requests: Sequence[tuple[str, Sequence[Document]]]) -> list[list[ExtractedAnswer]]:
        """Answer many questions at once, each over its own passages, with the component's settings."""
        return self._answer([self._request(query, found) for query, found in requests])

    @property
    def read_settings(self) -> ReadSettings:
        """How passages are cut and read with the component's settings."""
        return self._request("", ()).read_settings

    @property
    def span_reader(self) -> "SpanReader":
        """The loaded reader: for calibration and benchmarks. Not for two threads at once."""
        if self._span_reader is None:
            self.warm_up()
        assert self._span_reader is not None  # noqa: S101 warm_up loads or raises
        return self._span_reader

    def _answer(self, requests: Sequence[Request]) -> list[list[ExtractedAnswer]]:
        span_reader = self.span_reader
        from components.encoder.parallel import operators_alone

        with self._lock, operators_alone():
            return span_reader.answer(requests)

    def _request(self, query: str, documents: Sequence[Document], **overrides: Any) -> Request:
        """The request of one call: its own settings before the component's."""
        settings = {name: getattr(self, name) for name in SETTINGS}
        return resolve_request(query, documents, settings, overrides)

    def _make_batcher(self) -> DynamicBatcher[Request, list[ExtractedAnswer]]:
        return DynamicBatcher(
            self._answer,
            cost=lambda request: sum(len(document.content or "") for document in request.documents),
            batch_cost=_CHARACTERS_A_BATCH,
            queue_cost=_CHARACTERS_WAITING,
            timeout=self.timeout,
            name="reader",
        )

    def _load(self) -> "SpanReader":
        from components.reader.reader_core import load_span_reader

        return load_span_reader(
            self.model,
            hub_token=self.token.resolve_value() if self.token else None,
            engine=self.engine,
            precision=self.precision,
            device=self.device,
            model_kwargs=self.model_kwargs,
            weights=self.calibration,
            cache_bytes=self.cache_bytes,
        )
