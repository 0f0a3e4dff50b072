"""
How soon does a watched folder answer? From a file's last byte until a question finds what is new in it.

    python -m benchmarks.indexing.watch --out benchmarks/results/watch.json

The real index pipeline watches in a thread; single changes, then a burst of many files at once.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.common.hardware import hardware, summary, three
from benchmarks.indexing.sides import Excerpt
from components.stores.lancedb import LanceDBDocumentStore
from indexing.maintenance.watch import watch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=10, help="single ones")
    parser.add_argument("--burst", type=int, default=1_000, help="files at once")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    side = Excerpt()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "documents")
        folder.mkdir()
        for number in range(50):
            (folder / f"{number}.txt").write_text(f"Note {number}. The lighthouse stands {number} miles off.")
        side.open(Path(place, "store"))
        stop, begun = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=watch, args=(side.pipeline, [folder], lambda report: begun.set()), kwargs={"stop": stop}
        )
        thread.start()
        begun.wait()
        asking = LanceDBDocumentStore(Path(place, "store"))
        single = [take(asking, folder, [f"changed{number}"]) for number in range(given.changes)]
        burst = take(asking, folder, [f"burst{number}" for number in range(given.burst)])
        stop.set()
        thread.join()
    print(f"a change answers after {three(summary(single), 2)} s; the last of {given.burst:,} after {burst:.1f} s")
    result = {"seconds": summary(single), "burst": given.burst, "burst_seconds": round(burst, 2)}
    result["setting"] = hardware(("haystack-ai", "lancedb", "watchfiles"))
    if given.out is not None:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def take(store: LanceDBDocumentStore, folder: Path, words: list[str]) -> float:
    """Seconds from when the files of these words are written until a question finds the last of them."""
    for word in words:
        (folder / f"{word}.txt").write_text(f"The new word is {word}.")
    began = time.perf_counter()
    wanted = {"field": "meta.file_name", "operator": "in", "value": [f"{word}.txt" for word in words]}
    while store.count_documents_by_filter(wanted) < len(words) or not store.hybrid_search([words[-1]], None, 1)[0]:
        if time.perf_counter() - began > 600:
            raise TimeoutError("the watched folder does not answer")
        time.sleep(0.02)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
