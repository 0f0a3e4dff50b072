"""Where the time of a question goes over Elasticsearch: client, waiting, and each leg on the server."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from benchmarks.common.hardware import summary
from benchmarks.common.stopwatch import timed
from benchmarks.elasticsearch.sides import TOP_K, BenchServer, Ours
from benchmarks.retrieval.work import BATCH
from components.stores.elasticsearch.search import HybridSearch
from components.stores.fusion import Fusion

Seen = Callable[[Any], None]


def where(side: Ours, bench: BenchServer, texts: Sequence[str], vectors: Sequence[list[float]]) -> dict[str, Any]:
    """
    Milliseconds a question, asked 32 at a time: what the client does, how long it waits, and what the server says.

    The server's `took` is in whole milliseconds and counts a leg's waiting for its turn; beside it stands the processor
    time of each leg, asked without the other. It is the server's whole process: collecting garbage, compiling too.
    """
    batches = [slice(first, first + BATCH) for first in range(0, len(texts) - BATCH + 1, BATCH)]
    if not batches:
        raise ValueError(f"{len(texts)} questions were given, but {BATCH} at least are asked at a time")
    asked = len(batches) * BATCH
    for part in batches[:2]:
        side.search(texts[part], vectors[part])
    spent: dict[str, float] = {}
    took: dict[str, float] = {}
    before = bench.seconds()
    with watching(spent, took):
        began = time.perf_counter()
        for part in batches:
            side.search(texts[part], vectors[part])
        whole = time.perf_counter() - began
    server = bench.seconds() - before
    client = whole - spent.pop("waiting")
    told = {name: _ms(value, asked) for name, value in spent.items()}
    told["rest of the client"] = _ms(client - sum(spent.values()), asked)
    legs = {kind: _one_leg(side, bench, kind, texts, vectors, batches) for kind in ("words", "meaning")}
    rest = _ms(server, asked) - sum(one["processor ms"] for one in legs.values())
    return {
        "a question": _ms(whole, asked),
        "client": told,
        "waiting for the server": _ms(whole - client, asked),
        "server, took": {name: round(value / asked, 3) for name, value in took.items()},
        "server, processor": _ms(server, asked),
        "server, leg by leg": legs,
        "server, processor, the winners' texts": round(rest, 3),
    }


@contextmanager
def watching(spent: dict[str, float], took: dict[str, float]) -> Iterator[None]:
    """While the block runs, adds up seconds by part of the client and the server's `took`, in milliseconds."""
    from elasticsearch.serializer import OrjsonSerializer

    from components.retriever import HybridRetriever
    from components.stores.elasticsearch import fetch as elasticsearch_answers
    from components.stores.elasticsearch import reading as elasticsearch_reading
    from components.stores.elasticsearch.client.deadline import DeadlineNode

    kinds: list[str] = []

    def keep_kinds(legs: Any) -> None:
        kinds[:] = [kind for _, kind, _ in legs]

    def keep_took(reply: Any) -> None:
        if "responses" not in reply:
            names = {"the winners' texts": reply["took"]}
        else:
            names = {"_msearch of all legs": reply["took"]}
            for kind, one in zip(kinds, reply["responses"], strict=True):
                names[f"{kind} legs, summed"] = names.get(f"{kind} legs, summed", 0) + one["took"]
        for name, value in names.items():
            took[name] = took.get(name, 0.0) + value

    watched: list[tuple[Any, str, str, Seen | None]] = [
        (HybridRetriever, "_request", "words that only ask", None),
        (HybridRetriever, "_finished", "phrases", None),
        (elasticsearch_reading, "checked_embeddings", "building", None),
        (HybridSearch, "legs", "building", keep_kinds),
        (HybridSearch, "body", "building", None),
        (DeadlineNode, "perform_request", "waiting", None),
        (OrjsonSerializer, "loads", "parsing", keep_took),
        (elasticsearch_answers, "check_whole", "checking", None),
        (HybridSearch, "fuse", "fusing", None),
        (elasticsearch_answers, "to_document", "Documents", None),
    ]
    plain = elasticsearch_answers.FILTER_PATH
    with ExitStack() as stack:
        for owner, name, part, seen in watched:
            stack.enter_context(timed(owner, name, part, spent, seen))
        elasticsearch_answers.FILTER_PATH = f"took,{plain}"
        try:
            yield
        finally:
            elasticsearch_answers.FILTER_PATH = plain


def _one_leg(
    side: Ours,
    bench: BenchServer,
    kind: str,
    texts: Sequence[str],
    vectors: Sequence[list[float]],
    batches: Sequence[slice],
) -> dict[str, Any]:
    """One kind of leg alone, without the winners' texts."""
    store = side.store
    place = store.place()
    assert place is not None
    search = HybridSearch(store.design, TOP_K, None, Fusion(), 1.0, 30_000)
    bodies = []
    for part in batches:
        legs = search.legs(texts[part], np.asarray(vectors[part], dtype=np.float32))
        bodies.append(search.body([leg for leg in legs if leg[1] == kind], "benchmark"))
    clock, took = [], 0
    before = bench.seconds()
    for body in bodies:
        began = time.perf_counter()
        reply = store.request(
            "POST",
            f"/{place.target}/_msearch",
            body,
            within=60.0,
            params={"filter_path": "responses.took,responses.hits.hits.fields,responses.hits.hits._score"},
            content_type="application/x-ndjson",
        )
        clock.append((time.perf_counter() - began) * 1000 / BATCH)
        took += sum(one["took"] for one in reply["responses"])
    asked = len(batches) * BATCH
    return {
        "milliseconds": summary(clock),
        "took": round(took / asked, 3),
        "processor ms": _ms(bench.seconds() - before, asked),
    }


def _ms(seconds: float, asked: int) -> float:
    return round(seconds * 1000 / asked, 3)
