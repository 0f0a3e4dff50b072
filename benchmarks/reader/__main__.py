"""
Reading side by side, interleaved in one run: passages a second, and whether the answers are right.

    python -m benchmarks.reader SQUAD_FOLDER --work FILE --out benchmarks/results/reader.json

All sides read the same dev-v1.1 questions with the same 20 passages, the retriever's best, with the same weights. The
passages' tokens are kept from the first time they are seen, as when a service runs; the first time is told as well.
With a GPU, `--device cuda` gives the GPU's table.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.hardware import hardware, matmul_peak, summary, three
from benchmarks.reader.cost import breakdown, growth, memory, plot
from benchmarks.reader.sides import Side, sides
from benchmarks.reader.work import PASSAGES, REST, Task, gold_tasks, retrieved_tasks
from components.models import resolve_model
from evaluation.squad import score_question

AT_ONCE = 32
# Published figures to stand beside, passages or samples a second; not measured here.
ANCHORS = {
    "deepset reader benchmark, V100, 384 tokens: RoBERTa-base": 126,
    "deepset reader benchmark, V100, 384 tokens: MiniLM": 261,
    "deepset reader benchmark, V100, 384 tokens: DistilBERT": 223,
    "MLPerf Inference, SQuAD, MiniLM-L12 int8, one AVX512-VNNI core": 28,
    "MLPerf Inference, SQuAD, BERT-large int8, H200": 9164,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--work", type=Path, required=True, help="file to keep questions and passages in")
    parser.add_argument("--model", default="models/minilm-squad")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--questions", type=int, default=64, help="whose time is taken, and which are judged")
    parser.add_argument("--gold", type=int, default=0, help="gold paragraphs to judge our engines by; 0: none, -1: all")
    parser.add_argument("--only-first", action="store_true", help="leave our other engines out of the timing")
    parser.add_argument("--only-gold", action="store_true", help="no timing: the machine may do other work meanwhile")
    parser.add_argument("--out", type=Path, help="JSON file to write; plots go beside it")
    given = parser.parse_args()

    model = resolve_model(given.model)
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        every = sides(model, given.device, Path(folder))
        if not given.only_gold:
            tasks = retrieved_tasks(given.squad, given.questions, given.work)
            timed = every[:5] if given.only_first else every
            result["reading"] = race(timed, tasks)
            report(result["reading"], [side.name for side in timed])
            result["cost"] = {"where": breakdown(model, given.device, tasks), **growth(model, given.device, tasks)}
            result["memory_mb_1000_passages"] = memory(given.model, given.device)
            result["peak_gflops"] = peaks(given.device)
            print(json.dumps({name: result[name] for name in ("memory_mb_1000_passages", "peak_gflops")}, indent=1))
            print(json.dumps(result["cost"]["where"], indent=1))
        if given.gold:
            result["gold"] = gold(every, given.squad, None if given.gold < 0 else given.gold)
    result["anchors"] = ANCHORS
    result["setting"] = hardware(("torch", "transformers", "openvino", "onnxruntime", "transformers-haystack"))
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        if "cost" in result:
            plot(result["cost"], given.out)


def race(every: Sequence[Side], tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
    """
    Passages a second by side, `one` question at a time and `many` (32) at once, and exact match and F1 in percent.

    Sides take turns at each question, and at each batch. `first` is the very first pass over eight questions.
    """
    table: dict[str, dict[str, Any]] = {side.name: {"one": [], "many": [], "answers": []} for side in every}
    for side in every:
        began = time.perf_counter()
        side.read(tasks[:8])
        table[side.name]["first"] = round(_passages(tasks[:8]) / (time.perf_counter() - began), 1)
        table[side.name]["answers"] = side.read(tasks)  # everybody has seen everything once
    for mode, step in (("one", 1), ("many", AT_ONCE)):
        for begin in range(0, len(tasks), step):
            part = tasks[begin : begin + step]
            for side in every:
                time.sleep(REST)
                began = time.perf_counter()
                side.read(part)
                table[side.name][mode].append(_passages(part) / (time.perf_counter() - began))
    for row in table.values():
        scores = [
            score_question(said, task.answers, "1.1") for said, task in zip(row.pop("answers"), tasks, strict=True)
        ]
        row["exact"] = round(100 * sum(exact for exact, _ in scores) / len(scores), 2)
        row["f1"] = round(100 * sum(f1 for _, f1 in scores) / len(scores), 2)
    return table


def report(table: dict[str, dict[str, Any]], names: Sequence[str]) -> None:
    """Print what `race` found and put summaries, and the ratio to the first peer, in the place of single times."""
    ours, peer = table[names[0]], table[names[1]]
    for mode, what in (("one", "one question at a time"), ("many", f"{AT_ONCE} questions at once")):
        print(f"\npassages a second, {what}, {PASSAGES} passages each: min / median / max, and over {names[1]}'s")
        for name in names:
            row = table[name]
            ratios = [mine / theirs for mine, theirs in zip(row[mode], peer[mode], strict=True)]
            row[f"{mode}_ratio"] = summary(ratios)
            row[f"{mode}_ours_over_it"] = summary([a / b for a, b in zip(ours[mode], row[mode], strict=True)])
            told = f"exact {row['exact']:.1f}, F1 {row['f1']:.1f}"
            print(f"  {name:<46} {three(summary(row[mode]), 0):<20} {three(row[f'{mode}_ratio'], 1):<20} {told}")
    for row in table.values():
        for mode in ("one", "many"):
            row[mode] = summary(row[mode])


def gold(every: Sequence[Side], squad: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """Exact match and F1 of our engines on gold paragraphs: what a faster precision costs."""
    tasks = gold_tasks(squad, limit)
    table = {}
    for side in every:
        if not side.name.startswith("excerpt") or "early" in side.name or "auto" in side.name:
            continue
        said = [answer for begin in range(0, len(tasks), 256) for answer in side.read(tasks[begin : begin + 256])]
        table[side.name] = {"questions": len(tasks), **judged(said, tasks)}
        print(f"gold paragraphs: {side.name}: {table[side.name]}", flush=True)
    return table


def judged(said: Sequence[str], tasks: Sequence[Task]) -> dict[str, float]:
    """Exact match and F1 in percent."""
    scores = [score_question(each, task.answers, "1.1") for each, task in zip(said, tasks, strict=True)]
    exact, f1 = (100 * sum(column) / len(scores) for column in zip(*scores, strict=True))
    return {"exact": round(exact, 2), "f1": round(f1, 2)}


def peaks(device: str) -> dict[str, float]:
    """GFLOP/s of large matrix products."""
    import torch

    return {
        str(dtype).removeprefix("torch."): round(matmul_peak(device, dtype), 1)
        for dtype in (torch.float32, torch.bfloat16)
    }


def _passages(tasks: Sequence[Task]) -> int:
    return sum(len(task.documents) for task in tasks)


if __name__ == "__main__":
    main()
