"""
How the Elasticsearch store's recall depends on quantisation, and how its times grow with the number of passages.

    python -m benchmarks.elasticsearch_growth SQUAD_FOLDER --vectors VECTORS_FOLDER --out FILE.json
    python -m benchmarks.elasticsearch_growth SQUAD_FOLDER --vectors VECTORS_FOLDER --sizes 10000 100000 --out FILE.json

Without sizes: the paragraphs of SQuAD as they are, by each quantisation. With sizes: synthetic passages, each three
sentences of different paragraphs (seeded); their vectors are the mean of those paragraphs' vectors with a little noise,
because embedding a million passages would take hours: times are true, recall is against an exact search.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from benchmarks.elasticsearch_sides import TOP_K, BenchServer, Ours, server
from benchmarks.hardware import summary
from benchmarks.retrieval import BATCH, embeddings, load, ranks, setting
from components.stores.fusion import Fusion
from evaluation.retrieval import recall_at

QUANTISATIONS = ("hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw", "int8_flat")
MEANING = Fusion(words_weight=0.0, candidates=100)
_A_WRITE = 5_000
Vectors = np.ndarray[Any, np.dtype[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--vectors", type=Path, required=True, help="folder to keep vectors in between runs")
    parser.add_argument("--sizes", nargs="*", type=int, default=[], help="synthetic passages")
    parser.add_argument("--quantisations", nargs="+", default=list(QUANTISATIONS))
    parser.add_argument("--questions", type=int, default=320)
    parser.add_argument("--heap", type=int, default=1024, help="MB, of the server started here")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()

    # All thousand questions, so that the file of their vectors is the one of the other benchmarks.
    passages, questions = load(given.squad, 1000)
    vectors = embeddings("passages", [one.content or "" for one in passages], given.vectors)
    asked = embeddings("questions", [one.question for one in questions], given.vectors)[: given.questions]
    questions = questions[: given.questions]
    texts = [one.question for one in questions]
    rows: list[dict[str, Any]] = []
    with server(given.heap) as bench:
        for size in given.sizes or [len(passages)]:
            for quantisation in given.quantisations if not given.sizes else given.quantisations[:1]:
                side = Ours(bench.url, quantisation, quantisation)
                row: dict[str, Any] = {"passages": size, "quantisation": quantisation}
                made = synthetic(passages, vectors, size) if given.sizes else real(passages, vectors)
                all_vectors = fill(side, made, row)
                measure(side, bench, texts, asked, row)
                row["kNN recall at 20 against exact"] = knn_recall(side, texts, asked, all_vectors)
                if not given.sizes:
                    found = ranks(side, questions, asked.tolist(), passages)  # type: ignore[arg-type]
                    row["own paragraph in 20"] = round(recall_at(TOP_K, found), 4)
                print(json.dumps(row), flush=True)
                rows.append(row)
                side.drop()
    if given.out is not None:
        result = {"rows": rows, "setting": setting(max(row["passages"] for row in rows), given.questions)}
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def real(passages: Sequence[Document], vectors: Vectors) -> Iterator[tuple[list[Document], Vectors]]:
    for first in range(0, len(passages), _A_WRITE):
        part = vectors[first : first + _A_WRITE]
        yield [_with(one, vector) for one, vector in zip(passages[first : first + _A_WRITE], part, strict=True)], part


def _with(passage: Document, vector: Vectors) -> Document:
    return Document(id=passage.id, content=passage.content, meta=passage.meta, embedding=vector.tolist())


def synthetic(passages: Sequence[Document], vectors: Vectors, size: int) -> Iterator[tuple[list[Document], Vectors]]:
    chance, noise = random.Random(0), np.random.default_rng(0)
    sentences = [re.split(r"(?<=[.!?])\s+", one.content or "") for one in passages]
    for first in range(0, size, _A_WRITE):
        count = min(_A_WRITE, size - first)
        chosen = noise.integers(0, len(passages), (count, 3))
        part = vectors[chosen].mean(axis=1) + noise.normal(0, 0.02, (count, vectors.shape[1])).astype(np.float32)
        part = (part / np.linalg.norm(part, axis=1, keepdims=True)).astype(np.float32)
        yield (
            [
                Document(
                    id=f"s{first + number:08}",
                    content=" ".join(chance.choice(sentences[place]) for place in places),
                    meta={"title": passages[places[0]].meta["title"]},
                    embedding=part[number].tolist(),
                )
                for number, places in enumerate(chosen)
            ],
            part,
        )


def fill(side: Ours, made: Iterator[tuple[list[Document], Vectors]], row: dict[str, Any]) -> tuple[list[str], Vectors]:
    """Loads, and keeps the ids and vectors for the exact search."""
    ids: list[str] = []
    parts: list[Vectors] = []
    seconds = 0.0
    with side.store.loading():
        for documents, part in made:
            began = time.perf_counter()
            side.store.write_documents(documents, DuplicatePolicy.OVERWRITE)
            seconds += time.perf_counter() - began
            ids += [one.id for one in documents]
            parts.append(part)
        began = time.perf_counter()
    row["documents a second"] = round(len(ids) / (seconds + time.perf_counter() - began))
    place = side.store.place()
    assert place is not None
    stats = side.store.request("GET", f"/{place.index}/_stats/store,segments", within=60)["_all"]["total"]
    row["segments"] = stats["segments"]["count"]
    row["MB on disk"] = round(stats["store"]["size_in_bytes"] / 1e6)
    return ids, np.concatenate(parts)


def measure(side: Ours, bench: BenchServer, texts: Sequence[str], asked: Vectors, row: dict[str, Any]) -> None:
    """Milliseconds a question, one and 32 at a time, and the processor's."""
    for mode, step, most in (("one", 1, 96), ("many", BATCH, len(texts))):
        times, used = [], 0.0
        for turn in range(-max(1, 32 // step), most // step):
            chosen = slice(abs(turn) % (len(texts) // step) * step, (abs(turn) % (len(texts) // step) + 1) * step)
            began, before = time.perf_counter(), bench.seconds() + time.process_time()
            side.search(texts[chosen], asked[chosen].tolist())
            if turn >= 0:
                times.append((time.perf_counter() - began) * 1000 / step)
                used += bench.seconds() + time.process_time() - before
        row[f"ms a question, {mode}"] = summary(times)
        row[f"processor ms a question, {mode}"] = round(used * 1000 / (len(times) * step), 2)


def knn_recall(side: Ours, texts: Sequence[str], asked: Vectors, exact: tuple[list[str], Vectors]) -> float:
    """Share of the exact 20 nearest that the meaning leg finds."""
    ids, vectors = exact
    hits = 0
    for first in range(0, len(texts), BATCH):
        part = asked[first : first + BATCH]
        best = np.argpartition(-(part @ vectors.T), TOP_K, axis=1)[:, :TOP_K]
        found = side.store.hybrid_search(list(texts[first : first + BATCH]), part.tolist(), TOP_K, None, MEANING)
        for true, got in zip(best, found, strict=True):
            hits += len({ids[place] for place in true} & {one.id for one in got})
    return round(hits / (TOP_K * len(texts)), 4)


if __name__ == "__main__":
    main()
