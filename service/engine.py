"""The pipelines behind the service: loaded by the one loader, warmed, asked and searched."""

import asyncio
import gc
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import networkx
from haystack import Document, ExtractedAnswer

from components.batching import caller_deadline
from components.named_pipeline import NamedPipeline
from components.places import add_places
from components.retriever import HybridRetriever
from pipelines.loader import load_pipeline
from service.settings import SettingsError
from service.stages import Stages, current_stages, install_tracer


@dataclass(frozen=True)
class Answered:
    """
    :param answers: as the reader gives them, the no-answer last.
    :param documents: the passages that were read, when they were asked for.
    :param seconds: by component.
    """

    answers: list[ExtractedAnswer]
    documents: list[Document] | None
    seconds: dict[str, float]


@dataclass
class Engine:
    """
    :param ask: the pipeline that answers; its retriever is found by its class, and asked alone for a search.
    :param index: the pipeline that documents come in by.
    """

    ask: NamedPipeline
    index: NamedPipeline
    retriever_name: str = ""
    retriever: Any = None
    _search_path: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("query", "filters", "top_k"):
            if name not in self.ask.inputs:
                raise SettingsError(f"{self.ask.name}: the service needs an input `{name}`; declare it under `inputs`")
        if "answers" not in self.ask.outputs:
            raise SettingsError(f"{self.ask.name}: the service needs an output `answers`; declare it under `outputs`")
        retrievers = [name for name, part in self.ask.pipeline.walk() if isinstance(part, HybridRetriever)]
        if not retrievers:
            raise SettingsError(f"{self.ask.name}: the service needs a components.retriever.HybridRetriever in it")
        self.retriever_name = retrievers[0]
        self.retriever = self.ask.pipeline.get_component(self.retriever_name)
        self._search_path = self._before(self.retriever_name)
        install_tracer()

    @property
    def store(self) -> Any:
        return self.retriever.document_store

    def warm_up(self) -> None:
        """Load all models side by side and open the store; raises the first error of a component."""
        gc.disable()
        try:
            parts = [part for _, part in self.ask.pipeline.walk() if hasattr(part, "warm_up")]
            with ThreadPoolExecutor(max(1, len(parts))) as pool:
                for done in [pool.submit(part.warm_up) for part in parts]:
                    done.result()
        finally:
            gc.enable()
        gc.collect()
        gc.freeze()  # models and modules stay: looking for garbage among them would only pause questions

    async def answer(
        self,
        question: str,
        *,
        filters: dict[str, Any] | None,
        top_k: int | None,
        deadline: float,
        documents: bool = False,
        passages: int | None = None,
    ) -> Answered:
        """
        :param deadline: on the monotonic clock; nothing is computed for the question after it.
        :param documents: whether the passages are wanted, too.
        :param passages: how many are read; None: the retriever's setting.
        """
        stages = Stages()
        data = self.ask.data({"query": question, "filters": filters, "top_k": top_k})
        if passages is not None:
            data.setdefault(self.retriever_name, {})["top_k"] = passages
        wanted = {self.ask.outputs["answers"].partition(".")[0]} | ({self.retriever_name} if documents else set())
        tokens = caller_deadline.set(deadline), current_stages.set(stages)
        try:
            result = await self.ask.pipeline.run_async(data, include_outputs_from=wanted)
        finally:
            caller_deadline.reset(tokens[0])
            current_stages.reset(tokens[1])
        answers = self.ask.results(result).get("answers", [])
        if any(answer.data is not None for answer in answers):
            await asyncio.to_thread(add_places, answers, self.store)
        found = result.get(self.retriever_name, {}).get("documents") if documents else None
        return Answered(answers, found, stages.seconds)

    async def search(
        self, question: str, *, filters: dict[str, Any] | None, top_k: int, deadline: float
    ) -> tuple[list[Document], dict[str, float]]:
        """The passages for a question, best first, without reading them; and the seconds by component."""
        seconds: dict[str, float] = {}
        token = caller_deadline.set(deadline)
        try:
            given = self.ask.data({"query": question, "filters": filters})
            found: dict[str, dict[str, Any]] = {}
            for name, part in self._search_path:
                inputs = {**given.get(name, {}), **self._connected(name, found)}
                if name == self.retriever_name:
                    inputs["top_k"] = top_k
                begin = time.perf_counter()
                found[name] = await _run(part, inputs)
                seconds[name] = time.perf_counter() - begin
        finally:
            caller_deadline.reset(token)
        return found[self.retriever_name]["documents"], seconds

    def close(self) -> None:
        for loaded in (self.ask, self.index):
            for _, part in loaded.pipeline.walk():
                if hasattr(part, "close"):
                    part.close()

    def _before(self, name: str) -> list[tuple[str, Any]]:
        """A component and all that feeds it, in the order in which they run."""
        graph = self.ask.pipeline.graph
        needed = networkx.ancestors(graph, name) | {name}
        return [
            (each, self.ask.pipeline.get_component(each)) for each in networkx.topological_sort(graph.subgraph(needed))
        ]

    def _connected(self, name: str, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
        edges = self.ask.pipeline.graph.in_edges(name, data=True)
        return {
            edge["to_socket"].name: found[sender][edge["from_socket"].name]
            for sender, _, edge in edges
            if edge["from_socket"].name in found.get(sender, {})
        }


async def _run(part: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    if hasattr(part, "run_async"):
        return dict(await part.run_async(**inputs))
    return dict(await asyncio.to_thread(part.run, **inputs))


def load_engine(pipelines: str, environment: dict[str, str] | None = None) -> Engine:
    """
    Both pipelines of a set or folder.

    :raises pipelines.loader.BrokenPipelineError: naming file, line and setting.
    :raises SettingsError: when the ask pipeline lacks what the service needs.
    """
    return Engine(load_pipeline("ask", pipelines, environment), load_pipeline("index", pipelines, environment))
