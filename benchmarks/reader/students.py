"""
Does distillation help? A teacher and its students, which had one budget: what they answer, and how fast.

    python -m benchmarks.reader.students SQUAD_FOLDER --work FILE --models teacher=FOLDER copy=FOLDER ...

All read the same gold paragraphs of dev-v1.1 and dev-v2.0, evenly spread when limited, and in turns the same retrieved
passages, whose time is taken. Refusals follow each model's own calibration (`excerpt calibrate`), fitted before.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.hardware import hardware, summary, three
from benchmarks.reader.sides import Excerpt
from benchmarks.reader.work import REST, Task, retrieved_tasks, spread, squad_file
from components.models import resolve_model
from evaluation.reading import official
from evaluation.squad import read_questions

_COLUMNS = {
    "dev-v1.1": {"exact": "exact", "f1": "F1"},
    "dev-v2.0": {"f1": "F1 of 2.0", "HasAns_f1": "with an answer", "NoAns_f1": "without", "best_f1": "best threshold"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1, dev-v1.1 and dev-v2.0")
    parser.add_argument("--work", type=Path, required=True, help="file to keep questions and passages in")
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=FOLDER", help="the first is the teacher")
    parser.add_argument("--questions", type=int, default=4000, help="of each development set, at most")
    parser.add_argument("--timed", type=int, default=48, help="questions of 20 passages whose time is taken")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="bf16", help="of all of them")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()

    named = dict(entry.split("=", 1) for entry in given.models)
    readers = {
        name: Excerpt(resolve_model(folder), "torch", given.precision, given.device) for name, folder in named.items()
    }
    rows: dict[str, dict[str, Any]] = {name: {} for name in readers}
    race(readers, retrieved_tasks(given.squad, given.timed, given.work), rows)
    for name, reader in readers.items():
        for file in _COLUMNS:
            rows[name][file] = judged(reader, given.squad, file, given.questions)
    print("\n".join(table(rows)))
    if given.out is not None:
        told = {"rows": rows, "setting": hardware(("torch", "transformers"))}
        given.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def race(readers: dict[str, Excerpt], tasks: Sequence[Task], rows: dict[str, dict[str, Any]]) -> None:
    """Passages a second, question by question in turns, and the ratio of each turn to the first reader's."""
    speeds: dict[str, list[float]] = {name: [] for name in readers}
    for reader in readers.values():
        reader.read(tasks)  # everybody has seen everything once
    for task in tasks:
        for name, reader in readers.items():
            time.sleep(REST)
            began = time.perf_counter()
            reader.read([task])
            speeds[name].append(len(task.documents) / (time.perf_counter() - began))
    first = next(iter(speeds.values()))
    for name, values in speeds.items():
        rows[name]["passages a second"] = summary(values)
        rows[name]["times the first"] = summary([a / b for a, b in zip(values, first, strict=True)])


def judged(reader: Excerpt, squad: Path, name: str, limit: int) -> dict[str, float]:
    """The official figures on gold paragraphs."""
    questions, version = read_questions(squad_file(squad, name))
    figures, _ = official(reader.reader, spread(questions, limit), version, 256)
    return {key: round(float(figures[key]), 2) for key in ("total", *_COLUMNS[name])}


def table(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Markdown."""
    heads = ["", *(head for columns in _COLUMNS.values() for head in columns.values())]
    lines = [[*heads, "passages/s", "times the first: min / median / max"], ["---"] * (len(heads) + 2)]
    for name, row in rows.items():
        figures = [f"{row[file][key]:.1f}" for file, columns in _COLUMNS.items() for key in columns]
        lines.append([name, *figures, f"{row['passages a second']['median']:.0f}", three(row["times the first"], 2)])
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    main()
