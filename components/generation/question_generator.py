"""Questions that passages answer, with the answer's exact place: find answers, ask for each, check the way back."""

import asyncio
import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from haystack import Document, ExtractedAnswer, component
from haystack.utils import Secret

from components.generation.alignment import align
from components.generation.highlights import (
    HIGHLIGHT,
    SEPARATOR,
    Span,
    extraction_prompts,
    question_prompt,
    split_sentences,
)
from components.generation.lookups import ask_lookups
from components.generation.pairs import drop_repeated, in_order, limit, make_pair
from components.generation.prompts import Template, disarm
from components.generation.selection import check_engine, load_seq2seq
from components.reader.answers.answer_text import normalise_answer

if TYPE_CHECKING:
    from components.generation.engine import Seq2SeqEngine
    from components.reader import ExtractiveReader

RoundTrip = Literal["off", "self", "reader"]
_EXTRACTED, _ASKED, _ANSWERED = 32, 32, 16  # most new tokens of the three tasks, as published


@component
class QuestionGenerator:
    """
    Makes pairs of question and answer from passages, with a model of the three tasks of distilt5-qa-qg: `extract
    answers:`, `generate question:` and `question: ... context: ...`.

    A pair is an `ExtractedAnswer`: `query` is the question, `data` the answer in the passage's own words,
    `document_offset` where it stands. What the model writes and the passage does not hold is dropped.

    ```python
    maker = QuestionGenerator(model="valhalla/distilt5-qa-qg-hl-6-4")
    pairs = maker.run(documents=[Document(content="Ada wrote it in 1843.")])["pairs"]
    [(pair.query, pair.data) for pair in pairs]
    ```
    """

    # Haystack names a component by the module it says it is from, and YAML by this one.
    __module__ = "components.question_generator"

    def __init__(
        self,
        model: str,
        round_trip: RoundTrip = "self",
        reader: str = "models/minilm-squad",
        num_beams: int = 4,
        pairs_per_passage: int | None = None,
        seed: int | None = None,
        rules: bool = True,
        language: str = "en",
        max_seq_length: int = 512,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
    ) -> None:
        """
        :param model: A folder, or a name on the Hugging Face hub; it must know the signs `<hl>` and `<sep>`.
        :param round_trip: A pair stays only if its question leads back to its answer, asked of the same passage: "self"
            asks this model's third task, "reader" the extractive reader of the setting `reader`, "off" keeps all.
        :param reader: For "reader": a folder, or a name.
        :param num_beams: Beams of the search for a question.
        :param pairs_per_passage: At most so many, in the order of the passage; None for all.
        :param seed: Where a passage has more than that, which of them stay is drawn by this number; None: the first.
        :param rules: Whether names and values of tables and forms are asked for by rule too, beside the model.
        :param language: Code of the language in which sentences end.
        :param max_seq_length: Tokens of a prompt; longer passages are cut to the sentences around what is meant.
        :param device: "auto", "cpu", "cuda".
        :param precision: "auto", "fp32", "bf16"; "fp16" on CUDA, "int8" on a CPU with CTranslate2.
        :param engine: "transformers"; "ctranslate2" (T5 and BART on a CPU); "auto": the fastest on this machine that
            writes in fp32's words.
        :param token: For private models of the hub.
        :raises ValueError: When a setting is outside what is allowed.
        """
        if round_trip not in get_args(RoundTrip):
            allowed = ", ".join(get_args(RoundTrip))
            raise ValueError(f"QuestionGenerator: round_trip must be one of {allowed}; got {round_trip!r}")
        for name, count, least in (("num_beams", num_beams, 1), ("max_seq_length", max_seq_length, 64)):
            if count < least:
                raise ValueError(f"QuestionGenerator: {name} must be at least {least}, got {count}")
        check_engine("QuestionGenerator", engine, precision)
        if pairs_per_passage is not None and pairs_per_passage < 1:
            raise ValueError(f"QuestionGenerator: pairs_per_passage must be at least 1, got {pairs_per_passage}")
        self.model = str(model)
        self.round_trip = round_trip
        self.reader = reader
        self.num_beams = num_beams
        self.pairs_per_passage = pairs_per_passage
        self.seed = seed
        self.rules = rules
        self.language = language
        self.max_seq_length = max_seq_length
        self.device = device
        self.precision = precision
        self.engine = engine
        self.token = token
        self._engine: Seq2SeqEngine | None = None
        self._reader: ExtractiveReader | None = None
        self._lock = threading.Lock()  # engines are for one thread at a time

    def warm_up(self) -> None:
        """
        Load the models. Free when they are loaded.

        :raises components.models.ModelError: for a model of another kind, or one that does not know the signs.
        """
        with self._lock:
            if self._engine is None:
                token = self.token.resolve_value() if self.token else None
                engine = load_seq2seq(self.model, self.engine, self.precision, self.device, token)
                engine.require_signs(HIGHLIGHT, SEPARATOR)
                if self.round_trip == "reader":
                    from components.reader import ExtractiveReader

                    self._reader = ExtractiveReader(self.reader, device=self.device, top_k=1)
                    self._reader.warm_up()
                self._engine = engine

    @component.output_types(pairs=list[ExtractedAnswer])
    def run(self, documents: list[Document], answers: list[list[str]] | None = None) -> dict[str, Any]:
        """
        :param documents: Passages; those without text give no pair.
        :param answers: For each document the answers to ask for; by default the model finds them.
        :returns: `pairs`, in the order of the documents and of the places in them.
        :raises ValueError: When there is not one list of answers for each document.
        """
        if answers is not None and len(answers) != len(documents):
            raise ValueError(f"QuestionGenerator: {len(answers)} lists of answers for {len(documents)} documents")
        self.warm_up()
        texts = [document.content or "" for document in documents]
        with self._lock:
            sentences = [split_sentences(text, self.language) for text in texts]
            if answers is None:
                spans = self._find_answers(texts, sentences)
            else:
                spans = [self._place(text, given) for text, given in zip(texts, answers, strict=True)]
            pairs = self._ask(documents, sentences, spans)
            if answers is None and self.rules:
                pairs = in_order(documents, [*self._look_up(documents), *pairs])
            pairs = drop_repeated(self._check(pairs))
        return {"pairs": limit(pairs, self.pairs_per_passage, self.seed)}

    @component.output_types(pairs=list[ExtractedAnswer])
    async def run_async(self, documents: list[Document], answers: list[list[str]] | None = None) -> dict[str, Any]:
        """`run` in a thread, so that the event loop goes on. Who calls at the same time takes turns."""
        return await asyncio.to_thread(self.run, documents, answers)

    @property
    def _loaded(self) -> "Seq2SeqEngine":
        assert self._engine is not None  # noqa: S101 - warm_up came first
        return self._engine

    @property
    def _room(self) -> int:
        return self.max_seq_length - 16  # for the task's name, the signs and the end

    def _find_answers(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """What the model would ask for, sentence by sentence, at its place in the passage."""
        owners = [(number, sentence) for number, spans in enumerate(sentences) for sentence in spans]
        prompts = [
            prompt
            for text, spans in zip(texts, sentences, strict=True)
            for prompt in extraction_prompts(self._loaded, text, spans, self._room)
        ]
        written = self._loaded.write(prompts, _EXTRACTED, 1, self.max_seq_length, keep_signs=True, weigh_empty=False)
        found: list[list[Span]] = [[] for _ in texts]
        for (number, (start, end)), output in zip(owners, written, strict=True):
            for said in output.text.split(SEPARATOR):
                # The sentence that was meant first; models also name what stands beside it.
                text = texts[number]
                place = align(said, text[start:end])
                span = (start + place.start, start + place.end) if place else None
                if span is None and (elsewhere := align(said, text)) is not None:
                    span = elsewhere.start, elsewhere.end
                if span is not None and span not in found[number]:
                    found[number].append(span)
        return [sorted(spans) for spans in found]

    @staticmethod
    def _place(text: str, given: Sequence[str]) -> list[Span]:
        places = [align(answer, text) for answer in given]
        return sorted({(place.start, place.end) for place in places if place is not None})

    def _ask(
        self, documents: Sequence[Document], sentences: Sequence[Sequence[Span]], spans: Sequence[Sequence[Span]]
    ) -> list[ExtractedAnswer]:
        owners = [(number, span) for number, found in enumerate(spans) for span in found]
        prompts = [
            question_prompt(self._loaded, documents[number].content or "", span, sentences[number], self._room)
            for number, span in owners
        ]
        pairs = []
        written = self._loaded.write(prompts, _ASKED, self.num_beams, self.max_seq_length, weigh_empty=False)
        for (number, span), output in zip(owners, written, strict=True):
            if not output.text or not output.ended:
                continue  # nothing was asked, or a decoder went round in circles
            score = min(math.exp(output.log_probability), 1.0)
            pairs.append(
                make_pair(
                    output.text, documents[number], span, score, {"round_trip": self.round_trip, "made_by": "model"}
                )
            )
        return pairs

    def _look_up(self, documents: Sequence[Document]) -> list[ExtractedAnswer]:
        return [
            make_pair(
                found.question,
                document,
                (found.start, found.end),
                1.0,
                {"round_trip": self.round_trip, "made_by": "rule"},
            )
            for document in documents
            for found in ask_lookups(document.content or "", str(document.meta.get("title") or ""))
        ]

    def _check(self, pairs: list[ExtractedAnswer]) -> list[ExtractedAnswer]:
        """Only pairs whose question leads back to their answer."""
        if self.round_trip == "off" or not pairs:
            return pairs
        if self._reader is not None:
            read = self._reader.read([(pair.query, [pair.document]) for pair in pairs if pair.document is not None])
            said = [found[0].data or "" if found else "" for found in read]
        else:
            template, signs = Template.of("t5"), self._loaded.signs
            prompts = []
            for pair in pairs:
                text = pair.document.content or "" if pair.document else ""
                prompts.append(template.fill(disarm(pair.query, signs), disarm(text, signs)))
            said = [
                output.text
                for output in self._loaded.write(prompts, _ANSWERED, 1, self.max_seq_length, weigh_empty=False)
            ]
        kept = []
        for pair, back in zip(pairs, said, strict=True):
            if normalise_answer(back) == normalise_answer(pair.data or "") and back:
                kept.append(pair)
        return kept
