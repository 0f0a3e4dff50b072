"""The generator as a Haystack component: question and passages in, a checked answer and its exact quotations out."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from haystack import Document, ExtractedAnswer, GeneratedAnswer, component
from haystack.components.generators.chat.types import ChatGenerator

from components.cited_answers.language_model import LanguageModel, Reply
from components.cited_answers.prompt import NO_ANSWER, write_messages
from components.cited_answers.sentences import Sentence, check_reply
from components.reader.answers.extracted_answers import build_answers
from components.reader.answers.ranking import AnswerSpan, RankedAnswer, Ranking
from components.reader.request import AnswerSettings, Request

Unsupported = Literal["remove", "flag"]


@component
class CitedAnswerGenerator:
    """
    Lets a language model write a short answer from numbered passages, and believes none of it unchecked.

    Every sentence must cite a passage and quote it; every quotation is sought in the passage word for word; numbers
    and addresses outside quotations must stand in what is cited. Sentences that fail are removed, or kept with their
    problem. The model is not asked at all where the reader holds it more probable than a threshold that the passages
    hold no answer. Any chat generator of Haystack writes: one for OpenAI-compatible servers reaches Ollama and
    vLLM too.

    ```python
    generator = CitedAnswerGenerator(OpenAIChatGenerator(model="qwen3", api_base_url="http://localhost:11434/v1"))
    generator.run(query, documents, reader_answers)["written"][0].data
    ```
    """

    # Haystack names a component by the module it says it is from: YAML says components.cited_answers.
    __module__ = "components.cited_answers"

    def __init__(
        self,
        chat_generator: ChatGenerator,
        max_no_answer: float = 0.5,
        unsupported: Unsupported = "remove",
        max_passages: int = 8,
        max_passage_characters: int = 2_000,
        max_sentences: int = 4,
        timeout: float = 60.0,
    ) -> None:
        """
        :param chat_generator: Writes; its address, key and sampling are its own settings.
        :param max_no_answer: Where the reader holds "no answer" more probable than this, nothing is written.
        :param unsupported: What becomes of a sentence that is not supported: "remove", or "flag": it stays, with its
            problem in `meta["sentences"]`.
        :param max_passages: How many passages the model sees, best first.
        :param max_passage_characters: Longer passages are cut.
        :param max_sentences: How many sentences the model may write; more are left out.
        :param timeout: Seconds the model may take in all.
        :raises ValueError: When a setting is outside what is allowed.
        """
        if unsupported not in get_args(Unsupported):
            raise ValueError(
                f"CitedAnswerGenerator: unsupported must be one of {', '.join(get_args(Unsupported))}; "
                f"got {unsupported!r}"
            )
        if not 0 <= max_no_answer <= 1:
            raise ValueError(f"CitedAnswerGenerator: max_no_answer must lie in 0 to 1, got {max_no_answer}")
        counts = {
            "max_passages": max_passages,
            "max_passage_characters": max_passage_characters,
            "max_sentences": max_sentences,
        }
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"CitedAnswerGenerator: {name} must be at least 1, got {count}")
        if not timeout > 0:
            raise ValueError(f"CitedAnswerGenerator: timeout must be more than 0 seconds, got {timeout}")
        self.chat_generator = chat_generator
        self.max_no_answer = max_no_answer
        self.unsupported = unsupported
        self.max_passages = max_passages
        self.max_passage_characters = max_passage_characters
        self.max_sentences = max_sentences
        self.timeout = timeout
        self._model = LanguageModel(chat_generator, timeout)

    def warm_up(self) -> None:
        """Make the client. The server is not asked anything."""
        self._model.warm_up()

    def close(self) -> None:
        """Let go of connections."""
        self._model.close()

    @component.output_types(answers=list[ExtractedAnswer], written=list[GeneratedAnswer])
    def run(self, query: str, documents: list[Document], answers: list[ExtractedAnswer]) -> dict[str, Any]:
        """
        Write one answer.

        :param query: The question.
        :param documents: Passages, best first.
        :param answers: The reader's, the no-answer among them: what it holds probable decides whether anything is
            written, and how probable each quotation is.
        :returns: `written`: the answer, or nothing. Its `meta` has `sentences` (text, citations, quotations, supported,
            problem), `removed` (how many sentences were), `cut_off` (the model ran out of tokens), and its `documents`
            are the passages cited. `answers`: each quotation with its place, as the reader's answers, and the no-answer
            last; where nothing was written, the reader's own.
        :raises LanguageModelError: When the model fails, hangs, or breaks off.
        """
        shown = self._shown(documents)
        if not shown or self._refuses(answers):
            return {"answers": answers, "written": []}
        return self._judge(query, shown, answers, self._model.ask(self._messages(query, shown)))

    @component.output_types(answers=list[ExtractedAnswer], written=list[GeneratedAnswer])
    async def run_async(self, query: str, documents: list[Document], answers: list[ExtractedAnswer]) -> dict[str, Any]:
        """`run`, without keeping the event loop waiting."""
        shown = self._shown(documents)
        if not shown or self._refuses(answers):
            return {"answers": answers, "written": []}
        return self._judge(query, shown, answers, await self._model.ask_async(self._messages(query, shown)))

    def _shown(self, documents: Sequence[Document]) -> list[Document]:
        return [document for document in documents if document.content][: self.max_passages]

    def _messages(self, query: str, shown: Sequence[Document]) -> list[Any]:
        passages = [document.content or "" for document in shown]
        return write_messages(query, passages, self.max_sentences, self.max_passage_characters)

    def _refuses(self, answers: Sequence[ExtractedAnswer]) -> bool:
        none = _no_answer(answers)
        return none is not None and none.score > self.max_no_answer

    def _judge(
        self, query: str, shown: Sequence[Document], answers: list[ExtractedAnswer], reply: Reply
    ) -> dict[str, Any]:
        # What the model was shown, no more: a quotation from behind the cut was made up, or remembered.
        passages = [(document.content or "")[: self.max_passage_characters] for document in shown]
        sentences = (
            [] if reply.text.strip().strip(".").upper() == NO_ANSWER else check_reply(reply.text, passages, query)
        )
        if reply.cut_off and sentences and not sentences[-1].supported:
            sentences = sentences[:-1]  # a sentence without its end
        sentences = sentences[: self.max_sentences]
        kept = sentences if self.unsupported == "flag" else [one for one in sentences if one.supported]
        if not any(one.supported for one in kept):
            return {"answers": _doubted(query, answers), "written": []}
        cited = dict.fromkeys(number - 1 for one in kept for number in one.citations if 0 < number <= len(shown))
        written = GeneratedAnswer(
            data=" ".join(one.text for one in kept),
            query=query,
            documents=[shown[number] for number in cited],
            meta={
                "sentences": [
                    {**one.to_dict(), "documents": [shown[n - 1].id for n in one.citations if 0 < n <= len(shown)]}
                    for one in kept
                ],
                "removed": len(sentences) - len(kept),
                "cut_off": reply.cut_off,
            },
        )
        return {"answers": _quoted(query, shown, kept, answers), "written": [written]}


def _no_answer(answers: Sequence[ExtractedAnswer]) -> ExtractedAnswer | None:
    return next((answer for answer in answers if answer.data is None), None)


def _doubted(query: str, answers: Sequence[ExtractedAnswer]) -> list[ExtractedAnswer]:
    """The reader's answers, the best of them better withheld: the model, given the passages, supported none."""
    none = _no_answer(answers)
    doubt = ExtractedAnswer(query=query, score=none.score if none else 0.0, data=None, meta={"abstain": True})
    return [*(answer for answer in answers if answer.data is not None), doubt]


def _quoted(
    query: str, shown: Sequence[Document], sentences: Sequence[Sentence], answers: Sequence[ExtractedAnswer]
) -> list[ExtractedAnswer]:
    """Each quotation as an answer at its place, in the order of the text; the no-answer last."""
    ranked = []
    for quotation in (quotation for one in sentences if one.supported for quotation in one.quotations):
        assert quotation.passage is not None  # noqa: S101 a supported sentence's quotations have their places
        document = shown[quotation.passage]
        for start, end in quotation.places:
            place = AnswerSpan(quotation.passage, start, end, quotation.text, (document.id, start, end), 0.0)
            ranked.append(RankedAnswer(_probability(document, start, end, answers), (place,)))
    none = _no_answer(answers)
    settings = AnswerSettings(top_k=len(ranked), no_answer=none is not None, overlap_threshold=None)
    ranking = Ranking(tuple(ranked), none.score if none else 0.0)
    built = build_answers(Request(query, shown, answer_settings=settings), ranking, threshold=0.0)
    if built and built[-1].data is None:
        built[-1].meta["abstain"] = False
    return built


def _probability(document: Document, start: int, end: int, answers: Sequence[Any]) -> float:
    """How probable the reader held the answers that lie in these words, together: they exclude each other."""
    total = 0.0
    for answer in answers:
        places = (getattr(answer, "meta", None) or {}).get("places", []) if answer.data is not None else []
        spans = [(p["start"], p["end"]) for p in places if p.get("document_id") == document.id]
        if any(begin < end and start < stop for begin, stop in spans):
            total += answer.score
    return min(1.0, total)
