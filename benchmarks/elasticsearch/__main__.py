"""
Elasticsearch side by side, interleaved in one run: loading, searching, recall; ours and elasticsearch-haystack's.

    python -m benchmarks.elasticsearch SQUAD_FOLDER --vectors VECTORS_FOLDER --out benchmarks/results/elasticsearch.json

The server is the one of the tests (ELASTICSEARCH_URL, else Maven and Java). Besides the time on the clock, which other
programs on the machine lengthen for all sides alike, the processor time of server and client is given.
"""

import argparse
import gc
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from haystack import Document

from benchmarks.common.hardware import summary
from benchmarks.elasticsearch.recall import recalls
from benchmarks.elasticsearch.sides import BenchServer, Haystack, Ours, about, server
from benchmarks.elasticsearch.where import where
from benchmarks.retrieval.__main__ import setting
from benchmarks.retrieval.work import BATCH, squad_work

WARMING = {BATCH: 20, 1: 64}  # steps that do not count: a server that has just started compiles what it does often

LIKE_THEIRS = "excerpt, int8_hnsw"  # the vectors as Elasticsearch keeps them for elasticsearch-haystack by itself


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--vectors", type=Path, required=True, help="folder to keep vectors in between runs")
    parser.add_argument("--passages", type=int, default=30_000, help="at most")
    parser.add_argument("--questions", type=int, default=1000, help="for recall")
    parser.add_argument("--timed", type=int, default=320, help="questions whose time is taken, the first so many")
    parser.add_argument("--loaded", type=int, default=30_000, help="passages of each round of loading, at most")
    parser.add_argument("--rounds", type=int, default=2, help="of loading")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()

    work = squad_work(given.squad, given.vectors, given.questions)
    everything, questions, passages = work.passages, work.questions, work.embedded(given.passages)
    texts, lists = [one.question for one in questions], work.asked.tolist()
    with server() as bench:
        result: dict[str, Any] = {"loading": loading(bench, passages, given.loaded, given.rounds)}
        ours, like = Ours(bench.url), Ours(bench.url, LIKE_THEIRS, "int8_hnsw")
        theirs = Haystack(bench.url, "haystack", None)
        plain = Haystack(bench.url, "haystack, fuzziness 0", "0", of=theirs)
        for side in (ours, like, theirs):
            began = time.perf_counter()
            side.index(passages)
            print(f"{side.name}: {len(passages):,} passages in {time.perf_counter() - began:.1f} s", flush=True)
        # Eight million floats of Python would be walked through by its garbage collector in the middle of a search.
        count = len(passages)
        del passages
        gc.collect()
        gc.freeze()
        result["searching"] = searching(bench, [ours, like, theirs, plain], texts, lists, given.timed)
        result["where the time goes"] = {
            name: where(ours, bench, texts[: given.timed], lists[: given.timed], step)
            for name, step in ((f"{BATCH} at a time", BATCH), ("one", 1))
        }
        print(json.dumps(result["where the time goes"], indent=1), flush=True)
        result["recall"] = recalls(bench.url, ours, [theirs, plain], questions, lists, everything)
        result["setting"] = {**setting(count, given.timed), "server": about(ours)}
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def loading(bench: BenchServer, passages: Sequence[Document], count: int, rounds: int) -> dict[str, Any]:
    """Documents a second, in turns: each round loads the same passages into a fresh index of each side."""
    makers: dict[str, Callable[[], Ours | Haystack]] = {
        "excerpt": lambda: Ours(bench.url),
        LIKE_THEIRS: lambda: Ours(bench.url, LIKE_THEIRS, "int8_hnsw"),
        "excerpt, no graph": lambda: Ours(bench.url, "excerpt, no graph", "int8_flat"),
        "haystack": lambda: Haystack(bench.url, "haystack", None),
    }
    speeds: dict[str, list[float]] = {name: [] for name in makers}
    processor: dict[str, list[float]] = {name: [] for name in makers}
    for number in range(rounds + 1):  # the first one warms up and does not count
        chosen = random.Random(number).sample(list(passages), min(count if number else 2000, len(passages)))
        for name, make in makers.items():
            side = make()
            began, used = time.perf_counter(), bench.seconds() + time.process_time()
            side.index(chosen)
            if number:
                speeds[name].append(len(chosen) / (time.perf_counter() - began))
                processor[name].append((bench.seconds() + time.process_time() - used) * 1000 / len(chosen))
            side.drop()
    result: dict[str, Any] = {}
    for name, values in speeds.items():
        result[name] = {"documents a second": summary(values), "processor ms a document": summary(processor[name])}
        result[name]["times haystack"] = summary([a / b for a, b in zip(values, speeds["haystack"], strict=True)])
        print(f"loading {name:<20} {result[name]}", flush=True)
    return result


def searching(
    bench: BenchServer,
    sides: Sequence[Ours | Haystack],
    texts: Sequence[str],
    vectors: Sequence[list[float]],
    count: int,
) -> dict[str, Any]:
    """Milliseconds a question on the clock and of processors, one at a time and many at a time; sides take turns."""
    result: dict[str, Any] = {}
    for mode, step in ((f"{BATCH} at a time", BATCH), ("one", 1)):
        clock: dict[str, list[float]] = {side.name: [] for side in sides}
        processor = dict.fromkeys(clock, 0.0)
        for turn in range(-WARMING[step], max(1, count // step)):
            first = turn % (len(texts) // step) * step
            chosen = slice(first, first + step)
            for side in sides:
                began, used = time.perf_counter(), bench.seconds() + time.process_time()
                side.search(texts[chosen], vectors[chosen])
                if turn >= 0:
                    clock[side.name].append((time.perf_counter() - began) * 1000 / step)
                    processor[side.name] += (bench.seconds() + time.process_time() - used) * 1000 / step
        ours = clock[sides[0].name]
        for name, times in clock.items():
            row: dict[str, Any] = {
                "milliseconds": summary(times),
                "processor ms": round(processor[name] / len(times), 2),
            }
            row["times ours"] = summary([a / b for a, b in zip(times, ours, strict=True)])
            row["times our processor ms"] = round(processor[name] / processor[sides[0].name], 2)
            result.setdefault(mode, {})[name] = row
            print(f"searching, {mode:<14} {name:<24} {row}", flush=True)
    return result


if __name__ == "__main__":
    main()
