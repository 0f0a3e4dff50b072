"""
Reader and embedder in somebody's process, alone and where others want the cores too; ours and theirs side by side.

Each side is a plain Python program of its own that sets no variable (those that steer OpenMP are taken away). All are
loaded first; then, in each condition, they are asked in turn, round by round, for the same work: the reader one
question over 20 passages, the embedder 64 passages. A busy neighbour is a process that computes without end; a quota is
a control group's (CPU controller, version 1 or 2; needs the right to make one).

    python -m benchmarks.shared_cores --out benchmarks/results/shared_cores.json
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common.hardware import hardware, summary, three

STEERING = ("GOMP_", "OMP_", "KMP_", "MKL_")
PAIRS = {
    "reader": ("excerpt reader", "TransformersExtractiveReader"),
    "embedder": ("excerpt embedder", "SentenceTransformer"),
}
PASSAGES = {"reader": 20, "embedder": 64}
CONDITIONS = ("idle", "one busy neighbour", "two busy neighbours", "quota 1.5 cores", "quota 1 core")
GROUPS = Path("/sys/fs/cgroup")


def serve(side: str) -> None:
    """The program of one side: loads, then does its work once for each line it is sent and tells the seconds."""
    work = _load(side)
    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        began, used = time.perf_counter(), time.process_time()
        work()
        print(time.perf_counter() - began, time.process_time() - used, flush=True)


def _load(side: str) -> Callable[[], Any]:
    samples = Path(__file__).parents[1] / "components" / "reader" / "engines" / "int8_samples.jsonl"
    rows = [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()[1:]]
    texts, question = [row["passage"] for row in rows], rows[0]["question"]
    from haystack import Document

    from components.models import MINILM, resolve_model

    documents = [Document(content=text, score=-float(rank)) for rank, text in enumerate(texts)]
    if side == "excerpt reader":
        from components.reader import ExtractiveReader

        reader = ExtractiveReader(device="cpu", top_k=3, early_stop="off")
        return lambda: reader.run(query=question, documents=documents[: PASSAGES["reader"]])
    if side == "TransformersExtractiveReader":
        from benchmarks.reader.sides import haystack_reader

        theirs = haystack_reader(resolve_model("models/minilm-squad"), "cpu")
        return lambda: theirs.run(query=question, documents=documents[: PASSAGES["reader"]], top_k=3)
    if side == "excerpt embedder":
        from components.embedder import PassageEmbedder

        embedder = PassageEmbedder(device="cpu")
        return lambda: embedder.run(documents[: PASSAGES["embedder"]])
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(resolve_model(MINILM)), device="cpu")
    return lambda: model.encode(texts[: PASSAGES["embedder"]], normalize_embeddings=True)


class Side:
    """A side's process, asked from here."""

    def __init__(self, name: str, nice: int) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(STEERING)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.shared_cores", "--serve", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
            preexec_fn=lambda: os.nice(nice) and None,
        )  # fmt: skip
        if self._line() != "ready":
            raise RuntimeError(
                f"{name} did not start: run python -m benchmarks.shared_cores --serve '{name}' to see why."
            )

    def seconds(self) -> tuple[float, float]:
        """Wall and processor seconds of one piece of work."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        wall, used = self._line().split()
        return float(wall), float(used)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def neighbours(count: int, nice: int) -> Iterator[None]:
    """So many processes that compute without end."""
    busy = [
        subprocess.Popen([sys.executable, "-c", f"import os\nos.nice({nice})\nwhile True: sum(range(10000))"])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@contextmanager
def quota(cores: float, process: int) -> Iterator[None]:
    """Put a process and its threads into a control group of its own with so many cores, and take it out again."""
    second = (GROUPS / "cgroup.controllers").is_file()
    parent = GROUPS if second else GROUPS / "cpu"
    folder = parent / f"excerpt-benchmark-{process}"
    folder.mkdir()
    try:
        if second:
            (folder / "cpu.max").write_text(f"{int(cores * 100_000)} 100000")
        else:
            (folder / "cpu.cfs_period_us").write_text("100000")
            (folder / "cpu.cfs_quota_us").write_text(str(int(cores * 100_000)))
        (folder / "cgroup.procs").write_text(str(process))
        yield
    finally:
        (parent / "cgroup.procs").write_text(str(process))
        folder.rmdir()


def measure(condition: str, sides: dict[str, Side], rounds: int, nice: int) -> dict[str, Any]:
    """Passages a second of each side, and ours to theirs in the same round: min, median, max."""
    with ExitStack() as stack:
        if condition.startswith("quota"):
            for side in sides.values():
                stack.enter_context(quota(float(condition.split()[1]), side.process.pid))
        stack.enter_context(neighbours({"one": 1, "two": 2}.get(condition.split()[0], 0), nice))
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                times[name].append(side.seconds())
    result: dict[str, Any] = {}
    for kind, (ours, theirs) in PAIRS.items():
        for name in (ours, theirs):
            paces = [PASSAGES[kind] / wall for wall, _ in times[name]]
            used = summary([1000 * seconds / PASSAGES[kind] for _, seconds in times[name]])
            result[name] = {"passages_per_second": summary(paces), "processor_ms_per_passage": used}
        ratios = [other[0] / mine[0] for mine, other in zip(times[ours], times[theirs], strict=True)]
        result[f"{kind}: ours to theirs"] = summary(ratios)
    return result


def plot(results: dict[str, dict[str, Any]], machine: dict[str, Any], out: Path) -> None:
    """Both sides' pace by condition, with the spread of the rounds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(12, 4.2), layout="constrained")
    for axis, (kind, names) in zip(axes, PAIRS.items(), strict=True):
        for offset, name in enumerate(names):
            paces = [results[condition][name]["passages_per_second"] for condition in results]
            middle = [pace["median"] for pace in paces]
            spread = [
                [pace["median"] - pace["min"] for pace in paces],
                [pace["max"] - pace["median"] for pace in paces],
            ]
            places = [number + 0.4 * offset for number in range(len(results))]
            axis.bar(places, middle, 0.38, yerr=spread, capsize=3, label=name)
        for number, condition in enumerate(results):
            ratio = results[condition][f"{kind}: ours to theirs"]["median"]
            top = max(results[condition][name]["passages_per_second"]["max"] for name in names)
            axis.text(number + 0.2, top * 1.02, f"{ratio:.1f} times", ha="center", fontsize=8)
        axis.set_xticks(
            [number + 0.2 for number in range(len(results))], [name.replace(" ", "\n", 1) for name in results]
        )
        axis.set(ylabel="passages a second (median, min to max)", title=f"{kind}, {machine['cores']} cores")
        axis.legend(fontsize=8)
    figure.suptitle(f"In a process that sets no variable: {machine['processor']}", fontsize=10)
    figure.savefig(out.with_suffix(".png"), dpi=110)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--conditions", nargs="*", default=CONDITIONS, choices=CONDITIONS)
    parser.add_argument("--nice", type=int, default=0, help="of sides and neighbours alike; below 0 needs root")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    sides: dict[str, Side] = {}
    results: dict[str, dict[str, Any]] = {}
    try:
        for name in (name for pair in PAIRS.values() for name in pair):
            sides[name] = Side(name, given.nice)
        load = round(os.getloadavg()[0], 1)
        for condition in given.conditions:
            try:
                results[condition] = measure(condition, sides, given.rounds, given.nice)
            except OSError as error:
                print(f"left out: {condition}: no control group can be made here ({error.strerror})")
                continue
            for kind in PAIRS:
                print(
                    f"{condition}: {kind} {three(results[condition][f'{kind}: ours to theirs'], 2)} times", flush=True
                )
            if given.out:  # after each condition: a long run may be cut short
                _write(given.out, {"load_average_at_begin": load, "rounds": given.rounds, "conditions": results})
    finally:
        for side in sides.values():
            side.close()


def _write(out: Path, told: dict[str, Any]) -> None:
    machine = hardware(["torch", "transformers", "transformers-haystack", "sentence-transformers", "haystack-ai"])
    out.write_text(json.dumps({"hardware": machine, **told}, indent=1) + "\n", encoding="utf-8")
    plot(told["conditions"], machine, out)


if __name__ == "__main__":
    main()
