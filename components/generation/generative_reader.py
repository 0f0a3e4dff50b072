"""A reader that writes its answer (T5, FLAN, BART, UnifiedQA), and says where in the passages it stands."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import mul
from typing import TYPE_CHECKING, Any, Literal, get_args

from haystack import Document, ExtractedAnswer, GeneratedAnswer, component
from haystack.utils import Secret

from components.batching import DynamicBatcher, RestartingBatcher
from components.generation.prompts import Template
from components.generation.selection import check_engine, load_seq2seq
from components.generation.windows import cut_prompts
from components.generation.written_answers import WrittenAnswer, locate_answers
from components.reader.answers.extracted_answers import build_answer
from components.reader.answers.ranking import AnswerSpan, RankedAnswer, rank_answers
from components.reader.calibration import Calibration
from components.reader.calibration_features import SpanFeatures
from components.reader.request import Request

if TYPE_CHECKING:
    from components.generation.engine import Seq2SeqEngine, Written

Passages = Literal["each", "fused"]
NotInText = Literal["mark", "refuse"]
Answer = ExtractedAnswer | GeneratedAnswer

_CHARACTERS_A_BATCH = 100_000
_CHARACTERS_WAITING = 20_000_000
# Of a model nobody has calibrated: its mean token log-probability against its own of saying nothing.
UNCALIBRATED = Calibration(span=1.0, null=-0.5, retriever=0.25, no_answer=-0.7, agreement=0.5, temperature=0.5)


@dataclass(frozen=True)
class _Asked:
    query: str
    documents: tuple[Document, ...]
    top_k: int


@component
class GenerativeReader:
    """
    Answers by writing, one passage at a time, and ranks what was written; or once, over all passages together.

    What was written is sought in its passage, by its words, then whatever case and marks, then by edit distance, and
    comes as an `ExtractedAnswer` with the passage's own words. What stands nowhere comes as a `GeneratedAnswer` whose
    `meta` says so, or is refused. Empty output is "no answer"; its probability comes last, as from `ExtractiveReader`.

    Any checkpoint for `AutoModelForSeq2SeqLM` that was trained to answer questions can be used.

    ```python
    reader = GenerativeReader(model="mrm8488/t5-base-finetuned-squadv2")
    reader.run(query="Who wrote it?", documents=[Document(content="It was written by Ada.")])["answers"][0].data
    ```
    """

    # Haystack names a component by the module it says it is from, and YAML by this one.
    __module__ = "components.generative_reader"

    def __init__(
        self,
        model: str,
        template: str = "t5",
        passages: Passages = "each",
        not_in_text: NotInText = "mark",
        no_answer_sign: str = "",
        top_k: int = 3,
        no_answer: bool = True,
        max_new_tokens: int = 32,
        num_beams: int = 1,
        max_seq_length: int = 512,
        stride: int = 128,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        calibration: dict[str, float] | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        timeout: float = 120.0,
    ) -> None:
        """
        :param model: A folder, or a name on the Hugging Face hub.
        :param template: "t5", "unifiedqa", "flan", or a text with {question} and {context}.
        :param passages: "each" writes once for each passage and ranks; "fused" once, the decoder seeing all of them.
        :param not_in_text: What becomes of an answer that stands in no passage: "mark" or "refuse".
        :param no_answer_sign: What the model writes where there is no answer, beside nothing at all.
        :param top_k: How many answers to return at most; the no-answer is not counted.
        :param no_answer: Whether the no-answer comes last, with its probability.
        :param max_new_tokens: Longest answer.
        :param num_beams: Beams of the search; 1 is greedy.
        :param max_seq_length: Tokens of question and passage together; longer passages are read in several windows.
        :param stride: Tokens that two windows of a passage share.
        :param device: "auto", "cpu", "cuda".
        :param precision: "auto", "fp32", "bf16"; "fp16" on CUDA, "int8" on a CPU with CTranslate2.
        :param engine: "transformers"; "ctranslate2" (T5 and BART on a CPU); "auto": the fastest on this machine that
            writes in fp32's words.
        :param calibration: Weights to use instead of those in the folder's calibration.json.
        :param token: For private models of the hub.
        :param timeout: Seconds that an asynchronous caller waits at most.
        :raises ValueError: When a setting is outside what is allowed.
        """
        for name, value, allowed in (
            ("passages", passages, get_args(Passages)),
            ("not_in_text", not_in_text, get_args(NotInText)),
        ):
            if value not in allowed:
                raise ValueError(f"GenerativeReader: {name} must be one of {', '.join(allowed)}; got {value!r}")
        counts = {"max_new_tokens": max_new_tokens, "num_beams": num_beams, "max_seq_length": max_seq_length}
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"GenerativeReader: {name} must be at least 1, got {count}")
        if top_k < 0 or stride < 0:
            raise ValueError(f"GenerativeReader: top_k and stride must be at least 0, got {top_k} and {stride}")
        Template.of(template)
        check_engine("GenerativeReader", engine, precision, passages == "fused")
        if calibration is not None:
            Calibration.from_weights(calibration, "the reader's setting 'calibration'")
        self.model = str(model)
        self.template = template
        self.passages = passages
        self.not_in_text = not_in_text
        self.no_answer_sign = no_answer_sign
        self.top_k = top_k
        self.no_answer = no_answer
        self.max_new_tokens = max_new_tokens
        self.num_beams = num_beams
        self.max_seq_length = max_seq_length
        self.stride = stride
        self.device = device
        self.precision = precision
        self.engine = engine
        self.calibration = calibration
        self.token = token
        self.timeout = timeout
        self._engine: Seq2SeqEngine | None = None
        self._weights = UNCALIBRATED
        self._batcher = RestartingBatcher(self._make_batcher)
        self._lock = threading.Lock()  # engines are for one thread at a time

    def warm_up(self) -> None:
        """
        Load the model. Free when it is loaded.

        :raises components.models.ModelError: when it is not found, or is a model of another kind.
        """
        with self._lock:
            if self._engine is None:
                token = self.token.resolve_value() if self.token else None
                fused = self.passages == "fused"
                engine = load_seq2seq(self.model, self.engine, self.precision, self.device, token, fused)
                if self.calibration is not None:
                    self._weights = Calibration.from_weights(self.calibration, "the reader's setting 'calibration'")
                else:
                    self._weights = Calibration.load(engine.folder) or UNCALIBRATED
                self._engine = engine

    @component.output_types(answers=list[Answer])
    def run(self, query: str, documents: list[Document], top_k: int | None = None) -> dict[str, Any]:
        """
        Answer one question.

        :param query: The question.
        :param documents: Passages, best first; their `score` takes part in the ranking. Those without text are skipped.
        :returns: `answers`, most probable first, the no-answer last.
        :raises ValueError: When the question leaves no room for a passage.
        """
        self.warm_up()
        return {"answers": self._answer([self._asked(query, documents, top_k)])[0]}

    @component.output_types(answers=list[Answer])
    async def run_async(self, query: str, documents: list[Document], top_k: int | None = None) -> dict[str, Any]:
        """
        `run` without blocking the event loop; questions asked at the same time are written in one batch.

        :raises components.batching.QueueFull: When too much is waiting already.
        :raises components.batching.RequestTimeout: When there is no answer within `timeout`.
        """
        if self._engine is None:
            await asyncio.to_thread(self.warm_up)
        return {"answers": await self._batcher.ask(self._asked(query, documents, top_k))}

    def close(self) -> None:
        """End the worker of `run_async`: who waits is told. The next `run_async` starts another."""
        self._batcher.close()

    def _asked(self, query: str, documents: Sequence[Document], top_k: int | None) -> _Asked:
        return _Asked(query, tuple(documents), self.top_k if top_k is None else top_k)

    def features(self, questions: Sequence[tuple[str, Sequence[Document]]]) -> list[list[SpanFeatures]]:
        """What a calibration is fitted on: for each question the answers written of its passages, before any weight."""
        self.warm_up()
        asked = [self._asked(query, documents, None) for query, documents in questions]
        return [[found.features for found in answers] for answers in self._write(asked)]

    def _answer(self, asked: Sequence[_Asked]) -> list[list[Answer]]:
        return [self._rank(one, found) for one, found in zip(asked, self._write(asked), strict=True)]

    def _write(self, asked: Sequence[_Asked]) -> list[list[WrittenAnswer]]:
        engine = self._engine
        assert engine is not None  # noqa: S101 - warm_up came first
        template = Template.of(self.template)
        with self._lock:
            cut = [
                cut_prompts(
                    engine,
                    template,
                    one.query,
                    [document.content or "" for document in one.documents],
                    self.max_seq_length,
                    self.stride,
                )
                for one in asked
            ]
            if self.passages == "fused":
                groups = [[window.prompt for window in windows] for windows in cut if windows]
                fused = iter(engine.write_fused(groups, self.max_new_tokens, self.num_beams))
                written = [[next(fused)] if windows else [] for windows in cut]
            else:
                prompts = [window.prompt for windows in cut for window in windows]
                each = iter(engine.write(prompts, self.max_new_tokens, self.num_beams))
                written = [[next(each) for _ in windows] for windows in cut]
        found = [
            locate_answers(one.documents, windows, texts, self.no_answer_sign)
            for one, windows, texts in zip(asked, cut, written, strict=True)
        ]
        return [[one for one in answers if one.in_text or self.not_in_text == "mark"] for answers in found]

    def _rank(self, asked: _Asked, found: Sequence[WrittenAnswer]) -> list[Answer]:
        """One softmax over all answers and "no answer", as the extractive reader's."""
        weights = self._weights.of(len(asked.documents))
        said: dict[str, Written] = {}
        for one in found:
            said.setdefault(one.features.span.text, one.written)
        ranking = rank_answers([_weigh(one.features, weights) for one in found], weights)
        request = Request(asked.query, asked.documents)
        answers: list[Answer] = []
        for ranked in ranking.answers[: asked.top_k]:
            output = said[ranked.places[0].text]
            if aligned := tuple(place for place in ranked.places if place.start >= 0):
                answer = build_answer(request, RankedAnswer(ranked.probability, aligned))
                answer.meta["generated"] = output.text
                answers.append(answer)
                continue
            held = [asked.documents[passage] for passage in dict.fromkeys(place.passage for place in ranked.places)]
            meta = {"score": ranked.probability, "in_text": False, "note": "not in the text"}
            meta["cut_off"] = not output.ended
            answers.append(GeneratedAnswer(data=output.text, query=asked.query, documents=held, meta=meta))
        if self.no_answer:
            best = ranking.answers[0].probability if ranking.answers else 0.0
            abstain = best < weights.threshold or best <= ranking.no_answer
            none = ExtractedAnswer(query=asked.query, score=ranking.no_answer, data=None, meta={"abstain": abstain})
            answers.append(none)
        return answers

    def _make_batcher(self) -> DynamicBatcher[_Asked, list[Answer]]:
        return DynamicBatcher(
            self._answer,
            cost=lambda asked: sum(len(document.content or "") for document in asked.documents),
            batch_cost=_CHARACTERS_A_BATCH,
            queue_cost=_CHARACTERS_WAITING,
            timeout=self.timeout,
            name="generative reader",
        )


def _weigh(features: SpanFeatures, weights: Calibration) -> AnswerSpan:
    factors = (weights.span, weights.null, weights.window, weights.retriever, weights.rank)
    return replace(features.span, logit=sum(map(mul, factors, features.values)))
