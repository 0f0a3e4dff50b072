"""
How fast documents come in, beside an index pipeline of Haystack's own components: same files, same weights, in turns.

    python -m benchmarks.indexing train-v1.1.json.gz --out benchmarks/results/indexing.json

Each round takes files of its own: into an empty store; again with nothing changed; again with a tenth changed, a tenth
renamed and a tenth deleted. The embedders alone are timed on equal passages. Then many small files, which only ours
takes (for how long a run takes that has nothing to do, and for its memory). Loading the models is not part of any time.

Haystack's converters need what it names: pip install pypdf trafilatura markdown-it-py mdit_plain.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common.hardware import hardware, summary, three
from benchmarks.common.stopwatch import timed
from benchmarks.indexing.files import write_file, write_files
from benchmarks.indexing.sides import Excerpt, Haystack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="train-v1.1.json or .json.gz")
    parser.add_argument("--files", type=int, default=50, help="of a round")
    parser.add_argument("--rounds", type=int, default=5, help="0: only the many small files")
    parser.add_argument("--many", type=int, default=10_000, help="small files, for ours alone; 0: none")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    ours, theirs = Excerpt(), Haystack()
    result: dict[str, Any] = {"files": given.files, "rounds": given.rounds}
    with tempfile.TemporaryDirectory() as folder:
        if given.rounds:
            result |= compare(Path(folder), given.squad, given.files, given.rounds, ours, theirs)
        if given.many:
            result["many"] = many(Path(folder), given.squad, given.many, ours)
    packages = ("haystack-ai", "lancedb", "torch", "sentence-transformers")
    result["setting"] = hardware((*packages, "pypdf", "trafilatura") if given.rounds else packages)
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def compare(folder: Path, squad: Path, files: int, rounds: int, ours: Excerpt, theirs: Haystack) -> dict[str, Any]:
    """Seconds of each side and step, round by round, and theirs to ours."""
    seconds: dict[str, dict[str, list[float]]] = {}
    passages: dict[str, list[int]] = {side.name: [] for side in (ours, theirs)}
    parts: dict[str, float] = {}
    for number in range(-1, rounds):  # the first one warms up and does not count
        copies = [folder / f"round-{number}-{side.name}" for side in (ours, theirs)]
        write_files(squad, copies[0], files, seed=number)
        shutil.copytree(copies[0], copies[1])
        embedded = None
        for step in ("fresh", "unchanged", "changed", "embed"):
            for side, copy in zip((ours, theirs), copies, strict=True):
                if step == "fresh":
                    side.open(folder / f"store-{number}")
                if step == "changed":
                    change(copy)
                if step == "embed":
                    embedded = embedded or without_vectors(ours)
                    spent, _ = take(partial(side.embed, embedded))
                elif side is ours and step == "fresh" and number >= 0:
                    spent, written = take(partial(with_parts, ours, copy, parts))
                else:
                    spent, written = take(partial(side.run, copy))
                if number >= 0:
                    seconds.setdefault(step, {}).setdefault(side.name, []).append(spent)
                    if step == "fresh":
                        passages[side.name].append(written)
    told: dict[str, Any] = {"passages": passages, "seconds": {}, "times_as_fast": {}}
    for step, sides in seconds.items():
        told["seconds"][step] = {name: summary(values) for name, values in sides.items()}
        ratios = [b / a for a, b in zip(sides[ours.name], sides[theirs.name], strict=True)]
        told["times_as_fast"][step] = summary(ratios)
        print(f"{step:<10} {three(summary(ratios), 1)} times as fast", told["seconds"][step], flush=True)
    told["parts_of_a_fresh_run"] = {name: round(value / rounds, 3) for name, value in parts.items()}
    print(told["parts_of_a_fresh_run"], passages, flush=True)
    return told


def with_parts(ours: Excerpt, folder: Path, parts: dict[str, float]) -> int:
    """A run of ours in which the parts are timed."""
    inner = ours.pipeline.pipeline
    with (
        timed(inner.get_component("converter"), "run", "convert", parts),
        timed(inner.get_component("splitter"), "run", "split", parts),
        timed(inner.get_component("embedder"), "run", "embed", parts),
        timed(inner.get_component("writer"), "run", "write", parts),
    ):
        return ours.run(folder)


def change(folder: Path) -> None:
    """A tenth of the files gets other content, a tenth another name, a tenth goes."""
    files = sorted(folder.iterdir())
    for path in files[0::10]:
        write_file(path, "Changed", [f"This paragraph of {path.name} was written anew. " * 8])
    for path in files[1::10]:
        path.rename(path.with_name(f"renamed-{path.name}"))
    for path in files[2::10]:
        path.unlink()


def without_vectors(ours: Excerpt) -> list[Any]:
    from dataclasses import replace

    embedder = ours.pipeline.pipeline.get_component("embedder")
    embedder._recent.clear()  # else it would remember them
    return [replace(one, embedding=None) for one in ours.pipeline.document_store.filter_documents()]


def many(folder: Path, squad: Path, count: int, ours: Excerpt) -> dict[str, Any]:
    """A curve of time and memory over many small files, and how long a run takes that has nothing to do."""
    place = folder / "many"
    place.mkdir()
    for number in range(count):
        path = place / f"{number % 100:02}" / f"{number:06}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Note {number}. The lighthouse number {number * 7} stands {number % 97} miles off.\n")
    ours.open(folder / "store-many")
    curve: list[dict[str, float]] = []
    from indexing.run import index

    began = time.perf_counter()

    def on_progress(now: Any) -> None:
        if not curve or now.files - curve[-1]["files"] >= count // 20 or now.files == now.files_total:
            spent = round(time.perf_counter() - began, 1)
            curve.append({"files": now.files, "seconds": spent, "resident_mb": resident_mb()})
            print(curve[-1], flush=True)

    index(ours.pipeline, [place], progress=on_progress)
    again = [take(lambda: ours.run(place))[0] for _ in range(3)]
    print(f"nothing changed, {count:,} files: {three(summary(again), 2)} s", flush=True)
    return {"files": count, "curve": curve, "second_run_seconds": summary(again)}


def resident_mb() -> float:
    with open("/proc/self/status", encoding="ascii") as lines:
        return round(int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024)


def take(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


if __name__ == "__main__":
    main()
