"""
Hybrid retrieval side by side, interleaved in one run: how long a search takes, and what it finds.

    python -m benchmarks.retrieval SQUAD_FOLDER --vectors VECTORS_FOLDER --out benchmarks/results/retrieval.json

All paragraphs of SQuAD 1.1 (train-v1.1 and dev-v1.1, .json or .json.gz) are the passages; questions of dev-v1.1 are
asked.
Vectors of passages and questions are computed once and kept in the vectors folder; embedding is not part of any time.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haystack import Document

from benchmarks.common.hardware import hardware, summary, three
from benchmarks.retrieval.sides import SIDES, TOP_K, Side
from benchmarks.retrieval.work import BATCH, ranks, recall, squad_work
from evaluation.squad import SquadQuestion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--vectors", type=Path, required=True, help="folder to keep vectors in between runs")
    parser.add_argument("--sides", nargs="+", choices=sorted(SIDES), default=list(SIDES), help="the first one is ours")
    parser.add_argument("--questions", type=int, default=1000, help="for our recall")
    parser.add_argument("--others", type=int, default=100, help="the first so many, for the recall of all sides")
    parser.add_argument("--timed", type=int, default=192, help="questions whose time is taken")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()

    work = squad_work(given.squad, given.vectors, given.questions)
    questions, lists, passages = work.questions, work.asked.tolist(), work.embedded()
    with tempfile.TemporaryDirectory() as folder:
        sides: list[Side] = [SIDES[name](Path(folder)) for name in given.sides]
        for side in sides:
            began = time.perf_counter()
            side.index(passages)
            print(f"{side.name}: {len(passages):,} passages in {time.perf_counter() - began:.1f} s", flush=True)
        times = take_times(sides, [one.question for one in questions], lists, given.timed)
        result = {"setting": setting(len(passages), given.timed), **report_times(sides, times)}
        result["recall"] = [report_recall(sides[:1], questions, lists, passages)]
        if len(sides) > 1:
            result["recall"].append(report_recall(sides, questions[: given.others], lists, passages))
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def take_times(
    sides: Sequence[Side], questions: Sequence[str], vectors: Sequence[list[float]], count: int
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds a question, by side: `one` at a time, and `many` in batches of 32. Sides take turns at each step."""
    times: dict[str, dict[str, list[float]]] = {side.name: {"one": [], "many": []} for side in sides}
    for mode, step in (("one", 1), ("many", BATCH)):
        for start in range(-step, min(count, len(questions)), step):  # the first step warms up and does not count
            chosen = slice(max(start, 0), max(start, 0) + step)
            for side in sides:
                began = time.perf_counter()
                side.search(questions[chosen], vectors[chosen])
                spent = (time.perf_counter() - began) * 1000 / len(questions[chosen])
                if start >= 0:
                    times[side.name][mode].append(spent)
    return times


def report_times(sides: Sequence[Side], times: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Print min, median and max by side, and of the ratio of ours to theirs step by step; return them."""
    result: dict[str, Any] = {"milliseconds": {}, "ratio": {}}
    for mode, what in (("one", "one question at a time"), ("many", f"{BATCH} at a time")):
        print(f"\nms a question, {what}: min / median / max")
        ours = times[sides[0].name][mode]
        for side in sides:
            theirs = times[side.name][mode]
            result["milliseconds"].setdefault(side.name, {})[mode] = summary(theirs)
            line = ""
            if side is not sides[0]:
                ratios = summary([a / b for a, b in zip(ours, theirs, strict=True)])
                result["ratio"].setdefault(f"{sides[0].name} / {side.name}", {})[mode] = ratios
                line = f"   ours is {three(ratios, 3)} of it"
            print(f"  {side.name:<20} {three(summary(theirs), 1)}{line}", flush=True)
    return result


def report_recall(
    sides: Sequence[Side],
    questions: Sequence[SquadQuestion],
    vectors: Sequence[list[float]],
    passages: Sequence[Document],
) -> dict[str, Any]:
    """Print recall and mean reciprocal rank of each side over the questions, and return them."""
    print(f"\n{f'{len(questions):,} questions, recall at':<30} 1     5     {TOP_K}    MRR")
    result: dict[str, Any] = {"questions": len(questions)}
    for side in sides:
        result[side.name] = row = recall(ranks(side, questions, vectors, passages))
        print(f"  {side.name:<28} " + " ".join(f"{value:.3f}" for value in row.values()), flush=True)
    return result


def setting(passages: int, timed: int) -> dict[str, Any]:
    """What was measured where."""
    measured = {"passages": passages, "timed_questions": timed, "top_k": TOP_K}
    return {**hardware(("haystack-ai", "lancedb", "numpy")), **measured}


if __name__ == "__main__":
    main()
