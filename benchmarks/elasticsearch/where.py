"""Measures where the time of a question goes over Elasticsearch: client, wire, and each phase on the server."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from benchmarks.common.hardware import summary
from benchmarks.common.stopwatch import timed
from benchmarks.elasticsearch.sides import TOP_K, BenchServer, Ours
from components.stores.elasticsearch.query import HybridQuery, Leg
from components.stores.fusion import Fusion

Seen = Callable[[Any], None]


def where(
    side: Ours, bench: BenchServer, texts: Sequence[str], vectors: Sequence[list[float]], step: int
) -> dict[str, Any]:
    """
    Milliseconds a question, asked `step` at a time: what the client does, what the wire takes, what the server says.

    The server's `took` is in whole milliseconds and counts a leg's waiting for its turn; beside it stand the profile
    API's times of each phase, in nanoseconds, and the processor time of each leg asked without the other. That is the
    server's whole process: collecting garbage, compiling too.
    """
    batches = [slice(first, first + step) for first in range(0, len(texts) - step + 1, step)]
    if not batches:
        raise ValueError(f"{len(texts)} questions were given, but {step} at least are asked at a time")
    asked = len(batches) * step
    for part in batches[:64]:
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
    waiting = spent.pop("waiting")
    client = whole - waiting
    told = {name: _ms(value, asked) for name, value in spent.items()}
    told["rest of the client"] = _ms(client - sum(spent.values()), asked)
    served = (took["_msearch of all legs"] + took["the winners' texts"]) / 1000
    legs = {kind: _one_leg(side, bench, kind, texts, vectors, batches) for kind in ("words", "meaning")}
    rest = _ms(server, asked) - sum(one["processor ms"] for one in legs.values())
    return {
        "a question": _ms(whole, asked),
        "client": told,
        "client, in all": _ms(client, asked),
        "waiting for the server": _ms(waiting, asked),
        "wire (waiting less the server's took)": _ms(waiting - served, asked),
        "server, took": {name: round(value / asked, 3) for name, value in took.items()},
        "server, phases by its profile": profile(side, texts, vectors),
        "server, processor": _ms(server, asked),
        "server, leg by leg": legs,
        "server, processor, the winners' texts": round(rest, 3),
    }


@contextmanager
def watching(spent: dict[str, float], took: dict[str, float]) -> Iterator[None]:
    """While the block runs, adds up seconds by part of the client and the server's `took`, in milliseconds."""
    from elasticsearch.serializer import OrjsonSerializer

    from components.retriever import HybridRetriever
    from components.stores.elasticsearch import fetch, search, store
    from components.stores.elasticsearch.client.deadline import DeadlineNode

    kinds: list[str] = []

    def keep_kinds(legs: Any) -> None:
        kinds[:] = [leg.kind for leg in legs]

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
        (store, "to_matrix", "building", None),
        (HybridQuery, "legs", "building", keep_kinds),
        (HybridQuery, "body", "building", None),
        (DeadlineNode, "perform_request", "waiting", None),
        (OrjsonSerializer, "loads", "parsing", keep_took),
        (search, "check_searches", "checking", None),
        (fetch, "check_search", "checking", None),
        (HybridQuery, "fuse", "fusing", None),
        (search, "to_document", "Documents", None),
    ]
    plain = search.FILTER_PATH
    with ExitStack() as stack:
        for owner, name, part, seen in watched:
            stack.enter_context(timed(owner, name, part, spent, seen))
        search.FILTER_PATH = f"took,{plain}"
        try:
            yield
        finally:
            search.FILTER_PATH = plain


def profile(side: Ours, texts: Sequence[str], vectors: Sequence[list[float]]) -> dict[str, float]:
    """
    Milliseconds a question by leg and phase, as Elasticsearch's profile API counts them; one question at a time.

    Profiling slows what it counts, collecting above all: the figures say what weighs, not what a question takes.
    """
    query = _query(side)
    nanoseconds: dict[str, int] = defaultdict(int)
    for text, vector in zip(texts, vectors, strict=True):
        for leg in query.legs([text], np.asarray([vector], dtype=np.float32)):
            asked = Leg(leg.question, leg.kind, {**leg.body, "profile": True})
            [reply] = _send(side, query.body([asked], "benchmark"), "responses.profile")
            for shard in reply["profile"]["shards"]:
                for phase, value in _phases(shard):
                    nanoseconds[f"{leg.kind}: {phase}"] += value
    return {name: round(value / 1e6 / len(texts), 3) for name, value in nanoseconds.items()}


def _phases(shard: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for part in shard.get("searches", []):
        yield "query phase, matching and scoring", sum(one["time_in_nanos"] for one in part["query"])
        yield "query phase, rewriting (of vectors: the walk through the graph)", part["rewrite_time"]
        yield "query phase, collecting (with what it collects)", _collecting(part)
    if "fetch" in shard:
        yield "fetch phase, ids", shard["fetch"]["time_in_nanos"]


def _collecting(part: dict[str, Any]) -> int:
    return sum(one["time_in_nanos"] for one in part.get("collector", []))


def _query(side: Ours) -> HybridQuery:
    return HybridQuery(side.store.indices.design, TOP_K, None, Fusion(), 1.0, 30_000)


def _send(side: Ours, body: bytes, filter_path: str) -> list[dict[str, Any]]:
    target = side.store.active.find()
    assert target is not None
    params = {"filter_path": filter_path}
    reply = side.store.request(
        "POST", f"/{target.name}/_msearch", body, timeout=60.0, params=params, content_type="application/x-ndjson"
    )
    return list(reply["responses"])


def _one_leg(
    side: Ours,
    bench: BenchServer,
    kind: str,
    texts: Sequence[str],
    vectors: Sequence[list[float]],
    batches: Sequence[slice],
) -> dict[str, Any]:
    """One kind of leg alone, without the winners' texts."""
    query = _query(side)
    bodies = []
    for part in batches:
        legs = query.legs(texts[part], np.asarray(vectors[part], dtype=np.float32))
        bodies.append(query.body([leg for leg in legs if leg.kind == kind], "benchmark"))
    step = batches[0].stop - batches[0].start
    clock, took = [], 0
    before = bench.seconds()
    for body in bodies:
        began = time.perf_counter()
        replies = _send(side, body, "responses.took,responses.hits.hits.fields,responses.hits.hits._score")
        clock.append((time.perf_counter() - began) * 1000 / step)
        took += sum(one["took"] for one in replies)
    asked = len(batches) * step
    return {
        "milliseconds": summary(clock),
        "took": round(took / asked, 3),
        "processor ms": _ms(bench.seconds() - before, asked),
    }


def _ms(seconds: float, asked: int) -> float:
    return round(seconds * 1000 / asked, 3)
