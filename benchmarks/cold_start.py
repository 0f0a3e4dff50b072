"""
How long does a cold `excerpt ask` take, next to importing what it stands on?

    python benchmarks/cold_start.py [--rounds 9] [--out benchmarks/results/cold_start.json]

Both sides are fresh processes, run in turns so that a busy moment of the machine hits both:
`excerpt ask` of one question over an index of the examples (files in the page cache), and
`python -c "import torch, transformers, haystack"`. The reading itself is told beside: how long the pipeline's run takes
in a process in which all is loaded.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = [sys.executable, "-c", "import torch, transformers, haystack"]
QUESTION = "Who sang the national anthem at Super Bowl 50?"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def reading_seconds(store: Path, environment: dict[str, str]) -> float:
    """Seconds of one run of the warm ask pipeline: embed, retrieve, read."""
    code = (
        "import time; from pathlib import Path; from cli.start import warm; from cli.options import load;"
        f"loaded = warm(lambda on: load('ask', 'embedded', Path({str(store)!r}), on));"
        f"began = time.perf_counter(); loaded.run(query={QUESTION!r}); print(time.perf_counter() - began)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
    return float(run.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "cold_start.json")
    given = parser.parse_args()
    environment = {**os.environ, "HAYSTACK_TELEMETRY_ENABLED": "False"}
    excerpt = [sys.executable, "-m", "cli.main"]
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        environment["EXCERPT_STORE"] = str(store)
        subprocess.run([*excerpt, "index", str(ROOT / "examples" / "documents")], check=True, env=environment)
        ask = [*excerpt, "ask", QUESTION]
        for command in (ask, IMPORTS):  # once each, so that files are in the page cache and engines are chosen
            seconds(command, environment)
        asks, imports, readings = [], [], []
        for _ in range(given.rounds):
            imports.append(seconds(IMPORTS, environment))
            asks.append(seconds(ask, environment))
            readings.append(reading_seconds(store, environment))
    ratios = [(ask - reading) / base for ask, reading, base in zip(asks, readings, imports, strict=True)]
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rounds": given.rounds,
        "ask_seconds": _spread(asks),
        "imports_seconds": _spread(imports),
        "reading_seconds": _spread(readings),
        "ratio_without_reading": _spread(ratios),
        "ratio_with_reading": _spread([ask / base for ask, base in zip(asks, imports, strict=True)]),
        "allowed": 1.3,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "min": round(min(values), 3),
        "median": round(statistics.median(values), 3),
        "max": round(max(values), 3),
    }


if __name__ == "__main__":
    main()
