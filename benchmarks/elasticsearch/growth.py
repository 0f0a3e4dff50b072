"""
How the Elasticsearch store grows: loading, times, bytes and exactness by the number of passages, a curve, a picture.

    python -m benchmarks.elasticsearch.growth SQUAD_FOLDER --vectors VECTORS_FOLDER --out benchmarks/results/FILE.json

Passages are synthetic: sentences of different paragraphs of SQuAD 1.1, seeded. Their vectors are stand-ins, the mean of
those paragraphs' vectors with noise, because embedding a million passages takes a processor many hours. So the words
leg meets natural words at natural frequencies, but a vocabulary that does not grow; the meaning leg is compared with an
exact search over the stand-ins. The questions are real.

Each size is an index of its own. A size that is not loaded after `--minutes` of writing ends there, and is told with
the number of passages it reached; larger ones are left out. After each size the JSON and the picture beside it are
written, and a run with the same `--out` goes on after the sizes that are there.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.elasticsearch.curve import curves, plot, told
from benchmarks.elasticsearch.measures import Exact, by_meaning, fill, measure, synthetic
from benchmarks.elasticsearch.sides import Ours, about, server
from benchmarks.elasticsearch.where import where
from benchmarks.retrieval.__main__ import setting
from benchmarks.retrieval.work import BATCH, squad_work

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--vectors", type=Path, required=True, help="folder to keep vectors in between runs")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--minutes", type=float, default=20.0, help="of writing, for each size")
    parser.add_argument("--quantisation", default="auto")
    parser.add_argument("--questions", type=int, default=320)
    parser.add_argument("--heap", type=int, default=2048, help="MB, of the server started here")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write, or to go on with")
    given = parser.parse_args()

    rows: list[dict[str, Any]] = []
    if given.out.exists():
        rows = json.loads(given.out.read_text(encoding="utf-8"))["rows"]
        if others := {row["quantisation"] for row in rows} - {given.quantisation}:
            parser.error(f"{given.out} holds {', '.join(others)}, not {given.quantisation}: give another file")
    there = {row["wanted"] for row in rows}
    work = squad_work(given.squad, given.vectors, given.questions)
    passages, vectors, asked = work.passages, work.vectors, work.asked
    texts, lists = [one.question for one in work.questions], asked.tolist()
    with server(given.heap) as bench:
        warm = Ours(bench.url)  # a server that has just started compiles what it does often
        fill(warm, synthetic(passages, vectors, 2000), {}, Exact(asked))
        measure(warm, bench, texts, lists, {})
        warm.drop()
        for size in sorted(set(given.sizes) - there):
            if any(row["passages"] < row["wanted"] < size for row in rows):
                print(f"{size:,} passages left out: a smaller size took all its time", flush=True)
                break
            side, exact = Ours(bench.url, given.quantisation, given.quantisation), Exact(asked)
            row: dict[str, Any] = {"wanted": size, "quantisation": given.quantisation}
            fill(side, synthetic(passages, vectors, size), row, exact, given.minutes * 60)
            measure(side, bench, texts, lists, row)
            row["share of the exact 20 found"] = exact.share(by_meaning(side, texts, lists))
            row["where the time goes"] = where(side, bench, texts, lists, BATCH)
            row["load average"] = round(os.getloadavg()[0], 1)
            print(json.dumps(row), flush=True)
            rows = sorted([*rows, row], key=lambda one: one["passages"])
            measured = {"heap MB": given.heap, "minutes": given.minutes, "server": about(side)}
            write(given.out, rows, {**setting(row["passages"], len(texts)), **measured})
            side.drop()
    if not rows:
        parser.error("no size was measured")
    print(json.dumps(told(curves(rows)), indent=1))


def write(out: Path, rows: Sequence[dict[str, Any]], measured: dict[str, Any]) -> None:
    result = {"rows": list(rows), "curves": told(curves(rows)), "setting": measured}
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    plot(rows, out)


if __name__ == "__main__":
    main()
