"""What is taken of one index of the Elasticsearch store: how fast it loads, its bytes, its times, its exactness."""

import random
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from benchmarks.common.hardware import summary
from benchmarks.elasticsearch.sides import TOP_K, BenchServer, Ours
from benchmarks.retrieval.work import BATCH
from components.stores.fusion import Fusion

MEANING = Fusion(words_weight=0.0, candidates=100)
_A_WRITE = 5_000
_SENTENCES = (2, 2, 1)  # of the paragraphs that a synthetic passage is made of: five, as a paragraph of SQuAD has
_SETTLING = 600.0  # seconds that merges may go on after a load
WARMING = {BATCH: 10, 1: 64}  # steps that do not count
Vectors = np.ndarray[Any, np.dtype[np.float32]]
Blocks = Iterator[tuple[list[Document], Vectors]]


class Exact:
    """
    The exact nearest passages of some questions, kept up to date while passages go by: a million vectors need no room.

    :param asked: The questions' vectors, (n, dimensions), length 1.
    """

    def __init__(self, asked: Vectors, keep: int = TOP_K) -> None:
        self.asked, self.keep = asked, keep
        self.scores = np.full((len(asked), keep), -np.inf, dtype=np.float32)
        self.ids = np.full((len(asked), keep), "", dtype=object)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        scores = np.hstack([self.scores, self.asked @ vectors.T])
        names = np.empty(self.keep + len(ids), dtype=object)
        names[self.keep :] = ids
        best = np.argpartition(-scores, self.keep - 1, axis=1)[:, : self.keep]
        kept = np.take_along_axis(self.ids, np.minimum(best, self.keep - 1), axis=1)
        self.ids = np.where(best < self.keep, kept, names[best])
        self.scores = np.take_along_axis(scores, best, axis=1)

    def share(self, found: Sequence[Sequence[str]]) -> float:
        """Share of the exact nearest that were found."""
        hits = sum(len(set(true) & set(got)) for true, got in zip(self.ids.tolist(), found, strict=True))
        return round(hits / self.ids.size, 4)


def real(passages: Sequence[Document], vectors: Vectors) -> Blocks:
    """The passages as they are, in blocks of a write."""
    for first in range(0, len(passages), _A_WRITE):
        some = passages[first : first + _A_WRITE]
        part = vectors[first : first + len(some)]
        yield (
            [
                Document(id=one.id, content=one.content, meta=one.meta, embedding=vector.tolist())
                for one, vector in zip(some, part, strict=True)
            ],
            part,
        )


def synthetic(passages: Sequence[Document], vectors: Vectors, size: int) -> Blocks:
    """
    Passages of five sentences out of three paragraphs (2, 2 and 1 in a row), seeded, with a stand-in for their vector.

    The stand-in is the mean of those paragraphs' vectors, weighted by sentences, with noise (of .39 in all where the
    mean's length is some .65), to length 1. A larger one begins as a smaller one does.
    """
    chance, noise = random.Random(0), np.random.default_rng(0)
    sentences = [re.split(r"(?<=[.!?])\s+", one.content or "") for one in passages]
    shares = np.array(_SENTENCES, dtype=np.float32) / sum(_SENTENCES)
    for first in range(0, size, _A_WRITE):
        chosen = noise.integers(0, len(passages), (_A_WRITE, len(_SENTENCES)))[: size - first]
        drift = noise.normal(0, 0.02, (_A_WRITE, vectors.shape[1]))[: size - first]
        part = np.einsum("npd,p->nd", vectors[chosen], shares) + drift
        part = (part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32)
        made = []
        for number, places in enumerate(chosen.tolist()):
            texts = []
            for place, count in zip(places, _SENTENCES, strict=True):
                start = chance.randrange(max(1, len(sentences[place]) - count + 1))
                texts += sentences[place][start : start + count]
            title = {"title": passages[places[0]].meta["title"]}
            name = f"s{first + number:09}"
            made.append(Document(id=name, content=" ".join(texts), meta=title, embedding=part[number].tolist()))
        yield made, part


def fill(side: Ours, made: Blocks, row: dict[str, Any], exact: Exact, seconds: float = float("inf")) -> None:
    """
    Load, and keep the exact nearest beside it.

    :param seconds: Of writing, after which no more is written: `row["passages"]` tells how many there are.
    """
    spent, count = 0.0, 0
    with side.store.loading():
        for documents, part in made:
            began = time.perf_counter()
            side.store.write_documents(documents, DuplicatePolicy.OVERWRITE)
            spent += time.perf_counter() - began
            count += len(documents)
            exact.add([one.id for one in documents], part)
            if count % 50_000 == 0:
                print(f"  {count:,} passages after {spent:,.0f} s of writing", flush=True)
            if spent > seconds:
                break
        began = time.perf_counter()
    spent += time.perf_counter() - began
    target = side.store.active.find()
    assert target is not None
    began = time.perf_counter()
    settled = _settle(side, target.index)
    row["passages"] = count
    row["documents a second"] = round(count / spent)
    row["seconds of merging afterwards"] = round(time.perf_counter() - began, 1) if settled else None
    row["ms a passage, merging too"] = round((spent + time.perf_counter() - began) * 1000 / count, 4)
    sizes = {"include_segment_file_sizes": "true"}
    reply = side.store.request("GET", f"/{target.index}/_stats/store,segments", timeout=60, params=sizes)
    stats = reply["_all"]["primaries"]
    row["segments"] = stats["segments"]["count"]
    row["bytes on disk"] = stats["store"]["size_in_bytes"]
    # Where a segment is one compound file, its parts do not show.
    row["bytes by kind of file"] = {
        name: one["size_in_bytes"] for name, one in stats["segments"].get("file_sizes", {}).items()
    }
    row["bytes of codes and graph"] = in_memory(_kind(side, target.index), count, exact.asked.shape[1])


def in_memory(quantisation: str, passages: int, dims: int) -> int:
    """
    Bytes that a search of the vectors reads, and wants in memory: codes and graph.

    By Elastic's "Tune approximate kNN search", "Ensure data nodes have enough memory" (16 links a passage by default).
    """
    kind, _, graph = quantisation.rpartition("_")
    codes = {"": 4 * dims, "int8": dims + 4, "int4": dims // 2 + 4, "bbq": dims // 8 + 14}[kind]
    return passages * (codes + (4 * 16 if graph == "hnsw" else 0))


def _kind(side: Ours, index: str) -> str:
    """How the vectors lie there now: `auto` becomes one or the other."""
    reply = side.store.request("GET", f"/{index}/_mapping", timeout=60)
    return str(reply[index]["mappings"]["properties"]["embedding"]["index_options"]["type"])


def _settle(side: Ours, index: str) -> bool:
    """Wait for merges that go on in the background: they would slow the first questions. False: they still do."""
    quiet, deadline = 0, time.monotonic() + _SETTLING
    while quiet < 2:
        if time.monotonic() > deadline:
            return False
        reply = side.store.request("GET", f"/{index}/_stats/merge", timeout=60)
        quiet = quiet + 1 if reply["_all"]["primaries"]["merges"]["current"] == 0 else 0
        time.sleep(0.1)
    side.store.request("POST", f"/{index}/_refresh", timeout=60)
    return True


def measure(
    side: Ours, bench: BenchServer, texts: Sequence[str], vectors: Sequence[list[float]], row: dict[str, Any]
) -> None:
    """Milliseconds a question, 32 at a time and one, on the clock and of processors."""
    for mode, step, most in (("many", BATCH, len(texts)), ("one", 1, min(96, len(texts)))):
        times, used = [], 0.0
        for turn in range(-WARMING[step], most // step):
            first = turn % (len(texts) // step) * step
            began, before = time.perf_counter(), bench.seconds() + time.process_time()
            side.search(texts[first : first + step], vectors[first : first + step])
            if turn >= 0:
                times.append((time.perf_counter() - began) * 1000 / step)
                used += bench.seconds() + time.process_time() - before
        row[f"ms a question, {mode}"] = summary(times)
        row[f"processor ms a question, {mode}"] = round(used * 1000 / (len(times) * step), 2)


def by_meaning(side: Ours, texts: Sequence[str], vectors: Sequence[list[float]]) -> list[list[str]]:
    """Ids of the 20 that the meaning leg alone finds."""
    found: list[list[str]] = []
    for first in range(0, len(texts), BATCH):
        part = slice(first, first + BATCH)
        for documents in side.store.hybrid_search(list(texts[part]), list(vectors[part]), TOP_K, None, MEANING):
            found.append([one.id for one in documents])
    return found
