"""An engine with a real store, index pipeline and queues, but a reader that costs nothing and obeys words."""

import asyncio
import dataclasses
import hashlib
import re
import threading
import time
from pathlib import Path
from typing import Any

from haystack import Document, ExtractedAnswer, Pipeline, component

from components.batching import DynamicBatcher
from components.named_pipeline import NamedPipeline
from components.retriever import HybridRetriever
from components.stores.lancedb import LanceDBDocumentStore
from indexing.converter import FileConverter
from indexing.passages import PassageSplitter
from indexing.writer import SourceWriter
from service.engine import Engine

DIMENSION = 8
CHARACTERS = 18_000  # what each question is said to read: 4,000 tokens, which the service takes to begin with
_NAME = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")


def vector_of(text: str) -> list[float]:
    return [byte / 255 + 0.01 for byte in hashlib.sha256(text.encode()).digest()[:DIMENSION]]


@component
class FakeQuestionEmbedder:
    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, Any]:
        return {"embedding": vector_of(text)}

    @component.output_types(embedding=list[float])
    async def run_async(self, text: str) -> dict[str, Any]:
        return {"embedding": vector_of(text)}


@component
class PassageEmbedder:
    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        return {"documents": [dataclasses.replace(one, embedding=vector_of(one.content or "")) for one in documents]}


@component
class FakeReader:
    """
    Answers with the first name ("Ada Brunner") in the passages. In a question, `sleep=1.5` makes its batch take that
    long, `crash` makes the batch fail, `hang` blocks for ever.

    :param seconds: that a question takes, one after the other.
    :param log: a file that gets every question which is computed, for tests in another process.
    """

    def __init__(self, seconds: float = 0.0, batch: int = 8, log: Path | None = None) -> None:
        self.seconds, self.log = seconds, log
        self.seen: list[str] = []
        self.read: list[tuple[str, Document]] = []
        self.never = threading.Event()
        self._batcher: DynamicBatcher[Any, Any] = DynamicBatcher(
            self._compute,
            cost=lambda asked: CHARACTERS,
            batch_cost=batch * CHARACTERS,
            queue_cost=100_000 * CHARACTERS,
            linger=0.0,
            name="reader",
        )

    @component.output_types(answers=list[ExtractedAnswer])
    def run(self, query: str, documents: list[Document], top_k: int | None = None) -> dict[str, Any]:
        return {"answers": self._compute([(query, documents, top_k)])[0]}

    @component.output_types(answers=list[ExtractedAnswer])
    async def run_async(self, query: str, documents: list[Document], top_k: int | None = None) -> dict[str, Any]:
        return {"answers": await self._batcher.ask((query, documents, top_k))}

    def close(self) -> None:
        self.never.set()
        self._batcher.close(grace=0.2)

    def _compute(self, asked: list[Any]) -> list[list[ExtractedAnswer]]:
        for query, documents, _ in asked:
            self.seen.append(query)
            if self.log is not None:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(f"{query}\n")
            self.read += [(query, document) for document in documents]
            del self.read[:-1000]
            if "hang" in query:
                self.never.wait()
            if "crash" in query:
                raise RuntimeError(f"the engine fell over {query}")
            if match := re.search(r"sleep=([\d.]+)", query):
                time.sleep(float(match[1]))
            time.sleep(self.seconds)
        return [self._answers(*one) for one in asked]

    def _answers(self, query: str, documents: list[Document], top_k: int | None) -> list[ExtractedAnswer]:
        answers = []
        for document in documents:
            if match := _NAME.search(document.content or ""):
                begin = document.meta.get("split_idx_start", 0)
                place = {
                    "document_id": document.id,
                    "source_id": document.meta.get("source_id"),
                    "file_path": document.meta.get("file_path"),
                    "page_number": document.meta.get("page_number"),
                    "start": match.start(),
                    "end": match.end(),
                    "start_in_file": begin + match.start(),
                    "end_in_file": begin + match.end(),
                }
                meta = {"places": [place], "start_in_file": place["start_in_file"], "end_in_file": place["end_in_file"]}
                if document.meta.get("page_number"):
                    meta["answer_page_number"] = document.meta["page_number"]
                span = ExtractedAnswer.Span(match.start(), match.end())
                score = 0.9 / (1 + len(answers))
                answers.append(ExtractedAnswer(query, score, match[0], document, document.content, span, span, meta))
        answers = answers[: 3 if top_k is None else top_k]
        none = ExtractedAnswer(query, 0.05 if answers else 0.95, meta={"abstain": not answers})
        return [*answers, none]


def build_engine(store: Path, reader: FakeReader | None = None, document_store: Any = None) -> Engine:
    """
    :param document_store: a store in place of the embedded one at `store`.
    """
    made = document_store or LanceDBDocumentStore(path=store, durable=False, embedding_dimension=DIMENSION)
    ask = Pipeline()
    ask.add_component("embedder", FakeQuestionEmbedder())
    ask.add_component("retriever", HybridRetriever(made, words_weight=0.9))
    ask.add_component("reader", reader or FakeReader())
    ask.connect("embedder.embedding", "retriever.query_embedding")
    ask.connect("retriever.documents", "reader.documents")
    index = Pipeline()
    index.add_component("converter", FileConverter(workers=1))
    index.add_component("splitter", PassageSplitter(max_tokens=64))
    index.add_component("embedder", PassageEmbedder())
    index.add_component("writer", SourceWriter(made))
    for sender, receiver in (
        ("converter.documents", "splitter.documents"),
        ("splitter.documents", "embedder.documents"),
        ("embedder.documents", "writer.documents"),
        ("converter.documents", "writer.sources"),
        ("converter.failures", "writer.failures"),
    ):
        index.connect(sender, receiver)
    inputs = {
        "query": ["embedder.text", "retriever.query", "reader.query"],
        "filters": ["retriever.filters"],
        "top_k": ["reader.top_k"],
    }
    asking = NamedPipeline(ask, inputs, {"answers": "reader.answers"}, "ask.yaml")
    return Engine(asking, NamedPipeline(index, {}, {}, "index.yaml"))


def reader_of(engine: Engine) -> FakeReader:
    return engine.ask.pipeline.get_component("reader")  # type: ignore[no-any-return]


async def eventually(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.01)
