"""Turns questions and passages into vectors, for search by meaning."""

import asyncio
import threading
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache
from haystack import Document, component
from haystack.utils import ComponentDevice, Secret

from components.batching import DynamicBatcher, RestartingBatcher
from components.models import MINILM

if TYPE_CHECKING:
    from components.encoder.texts import TextEncoder

# Texts whose vectors are remembered, and how long these are at most, in characters: some 10 MB.
_RECENT = 4_000
_RECENT_LENGTH = 4_000


class _Embedder:
    """
    What both components share: the model, loaded once, for one thread at a time.

    Called by name, not by super(): Haystack's decorator makes a new class, which super() would not know.
    """

    _many = False  # texts at a time: what "auto" takes for them

    def __init__(
        self,
        model: str = MINILM,
        device: str | ComponentDevice | None = None,
        precision: str = "auto",
        prefix: str = "",
        suffix: str = "",
        normalize_embeddings: bool = True,
        token: Secret | None = None,
    ) -> None:
        self.model = str(model)
        self.device = device
        self.precision = precision
        self.prefix = prefix
        self.suffix = suffix
        self.normalize_embeddings = normalize_embeddings
        self.token = token
        self._encoder: TextEncoder | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Load the model. Free when it is loaded."""
        with self._lock:
            if self._encoder is None:
                from components.encoder.texts import load_text_encoder
                from components.models import resolve_model

                folder = resolve_model(self.model, self.token.resolve_value() if self.token else None)
                device = self.device.to_torch_str() if isinstance(self.device, ComponentDevice) else self.device
                self._encoder = load_text_encoder(
                    folder, device or "auto", self.precision, self.normalize_embeddings, self._many
                )

    def _vectors(self, texts: list[str]) -> tuple[list[list[float]], list[bool]]:
        """Embed; and say of each text whether it was longer than the model reads."""
        self.warm_up()
        assert self._encoder is not None  # noqa: S101 (warm_up has just seen to it)
        with self._lock:
            encoded = self._encoder.encode([self.prefix + text + self.suffix for text in texts])
        return encoded.vectors.tolist(), encoded.truncated


@component
class QuestionEmbedder(_Embedder):
    """
    Embeds questions. Concurrent ``run_async`` calls are computed together.

    ### Usage example

    ```python
    from components.embedder import QuestionEmbedder

    embedder = QuestionEmbedder()
    print(len(embedder.run("Who wrote the Origin of Species?")["embedding"]))  # 384
    ```
    """

    def __init__(
        self,
        model: str = MINILM,
        device: str | ComponentDevice | None = None,
        precision: str = "auto",
        prefix: str = "",
        suffix: str = "",
        normalize_embeddings: bool = True,
        token: Secret | None = None,
        timeout: float = 60.0,
        max_waiting: int = 4096,
    ) -> None:
        """
        :param model: all-MiniLM-L6-v2 (bundled), a folder, or a sentence-transformers model of the hub. It must be the
            model that embedded the passages.
        :param device: None or "auto", "cpu", "cuda", or Haystack's ComponentDevice.
        :param precision: "fp32", "bf16", "fp16" (CUDA only); "auto" is fp32 on CPU, bf16 on CUDA.
        :param prefix: put before each question: "query: " for E5, BGE's instruction for BGE.
        :param suffix: put after each question.
        :param normalize_embeddings: make vectors of length 1, so that dot product and cosine are the same.
        :param token: for private models of the hub.
        :param timeout: seconds an asynchronous caller waits at most.
        :param max_waiting: questions that may wait; more are refused at once with QueueFull.
        """
        _Embedder.__init__(self, model, device, precision, prefix, suffix, normalize_embeddings, token)
        self.timeout = timeout
        self.max_waiting = max_waiting
        self._batcher = RestartingBatcher(self._make_batcher)

    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, Any]:
        """
        Embed one question.

        :param text: the question. What is beyond the model's window (256 tokens for all-MiniLM-L6-v2) is not read.
        :returns: ``embedding``: one number a dimension.
        :raises TypeError: not a string.
        """
        return {"embedding": self._vectors([_checked(text)])[0][0]}

    @component.output_types(embedding=list[float])
    async def run_async(self, text: str) -> dict[str, Any]:
        """``run`` without blocking the event loop; what is asked at the same time is embedded in one batch."""
        question = _checked(text)
        if self._encoder is None:
            await asyncio.to_thread(self.warm_up)
        return {"embedding": await self._batcher.ask(question)}

    def close(self) -> None:
        """Answer whoever still waits with an error and stop; the next question starts again."""
        self._batcher.close()

    def _make_batcher(self) -> DynamicBatcher[str, list[float]]:
        return DynamicBatcher(
            lambda texts: self._vectors(texts)[0],
            batch_cost=256,
            queue_cost=self.max_waiting,
            timeout=self.timeout,
            name="question embedder",
        )


@component
class PassageEmbedder(_Embedder):
    """
    Embeds passages, sorted by length so that nothing is padded, in batches of bounded memory.

    ### Usage example

    ```python
    from haystack import Document
    from components.embedder import PassageEmbedder

    done = PassageEmbedder().run([Document(content="The Normans gave their name to Normandy.")])["documents"]
    ```
    """

    _many = True

    def __init__(
        self,
        model: str = MINILM,
        device: str | ComponentDevice | None = None,
        precision: str = "auto",
        prefix: str = "",
        suffix: str = "",
        normalize_embeddings: bool = True,
        token: Secret | None = None,
        meta_fields_to_embed: list[str] | None = None,
        embedding_separator: str = "\n",
        progress_bar: bool = False,
    ) -> None:
        """
        :param model: all-MiniLM-L6-v2 (bundled), a folder, or a sentence-transformers model of the hub.
        :param device: None or "auto", "cpu", "cuda", or Haystack's ComponentDevice.
        :param precision: "fp32", "bf16", "fp16" (CUDA only); "auto" is bf16 on CUDA, and on a CPU what a first
            second of measuring showed to be faster.
        :param prefix: put before each text: "passage: " for E5.
        :param suffix: put after each text.
        :param normalize_embeddings: make vectors of length 1, so that dot product and cosine are the same.
        :param token: for private models of the hub.
        :param meta_fields_to_embed: of ``meta``, put before the content where present: ``["title"]``.
        :param embedding_separator: between those fields and the content.
        :param progress_bar: show one.
        """
        _Embedder.__init__(self, model, device, precision, prefix, suffix, normalize_embeddings, token)
        self.meta_fields_to_embed = meta_fields_to_embed
        self.embedding_separator = embedding_separator
        self.progress_bar = progress_bar
        self._recent: LRUCache[str, tuple[array[float], bool]] = LRUCache(_RECENT)
        self._recent_lock = threading.Lock()

    @component.output_types(documents=list[Document], truncated=list[str])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """
        Embed passages.

        :param documents: passages; what is given stays as it is. A passage without content gets what its fields give.
        :returns: ``documents``: the same, in order, with embeddings; ``truncated``: ids of those that are longer than
            the model reads, whose vectors stand for their beginning only.
        :raises TypeError: not a list of Documents.
        """
        if not isinstance(documents, list) or any(not isinstance(each, Document) for each in documents):
            raise TypeError("PassageEmbedder takes a list of Documents. For a question, use QuestionEmbedder.")
        texts = [self._text(document) for document in documents]
        # Equal texts (licences, notices, the same attachment of many mails) once, also of batches before.
        embedded = self._remembered(texts)
        for portion in self._portions([text for text in dict.fromkeys(texts) if text not in embedded]):
            vectors, cut = self._vectors(portion)
            embedded |= zip(portion, zip(vectors, cut, strict=True), strict=True)
        self._remember(embedded)
        done = [replace(document, embedding=embedded[text][0]) for document, text in zip(documents, texts, strict=True)]
        truncated = [document.id for document, text in zip(documents, texts, strict=True) if embedded[text][1]]
        return {"documents": done, "truncated": truncated}

    @component.output_types(documents=list[Document], truncated=list[str])
    async def run_async(self, documents: list[Document]) -> dict[str, Any]:
        """``run`` in a thread of its own, so that the event loop goes on."""
        return await asyncio.to_thread(self.run, documents)

    def _remembered(self, texts: list[str]) -> dict[str, tuple[list[float], bool]]:
        with self._recent_lock:
            known = {text: self._recent[text] for text in dict.fromkeys(texts) if text in self._recent}
        return {text: (vector.tolist(), cut) for text, (vector, cut) in known.items()}

    def _remember(self, embedded: dict[str, tuple[list[float], bool]]) -> None:
        packed = {
            text: (array("f", vector), cut)  # the numbers are float32: nothing is lost
            for text, (vector, cut) in list(embedded.items())[-_RECENT:]
            if len(text) <= _RECENT_LENGTH
        }
        with self._recent_lock:
            self._recent.update(packed)

    def _portions(self, texts: list[str]) -> Any:
        # Texts of one portion are tokenised together: this bounds memory, not the batches of the encoder.
        portions = [texts[begin : begin + 1024] for begin in range(0, len(texts), 1024)]
        if not self.progress_bar:
            return portions
        from rich.console import Console
        from rich.progress import track

        return track(portions, "Embedding", console=Console(stderr=True))

    def _text(self, document: Document) -> str:
        fields = [str(document.meta[name]) for name in self.meta_fields_to_embed or () if document.meta.get(name)]
        return self.embedding_separator.join([*fields, document.content or ""])


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(
            f"QuestionEmbedder takes a string, got {type(text).__name__}. For passages, use PassageEmbedder."
        )
    return text
