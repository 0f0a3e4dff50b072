"""
The same work done by another checkout of this project and by this one, in turns: what a change cost or gained.

    python -m benchmarks.versions OTHER_CHECKOUT SQUAD_FOLDER --parts reader retrieval elasticsearch --out FILE

A worker of each checkout holds its reader or its index and works when told to, so that both see the same machine. Both
read with this checkout's model; passages are SQuAD's paragraphs, vectors are drawn by a seed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

PARTS = ("reader", "retrieval", "elasticsearch")
MODES = {"one": 1, "many": 32}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a checkout to compare with, for example of the last release")
    parser.add_argument("squad", type=Path, help="folder with dev-v1.1")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--passages", type=int, default=10_000, help="in the index")
    parser.add_argument("--rounds", type=int, default=15, help="counted turns of each checkout, in each mode")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()

    from benchmarks.common.hardware import hardware, summary, three

    here = Path(__file__).resolve().parent.parent
    result: dict[str, Any] = {"setting": {**hardware(("haystack-ai",)), "passages": given.passages}}
    for part in given.parts:
        with ExitStack() as held:
            url = held.enter_context(_server()) if part == "elasticsearch" else ""
            told = [part, str(given.squad.resolve()), str(given.passages), url, str(here / "models" / "minilm-squad")]
            other, ours = [held.enter_context(_worker(each, told)) for each in (given.other.resolve(), here)]
            result[part] = {"same_results": other("results") == ours("results")}
            for mode in MODES:
                times = [(float(other(mode)), float(ours(mode))) for _ in range(given.rounds + 2)][2:]
                before, after = (summary([pair[side] for pair in times]) for side in (0, 1))
                ratio = summary([pair[1] / pair[0] for pair in times])
                result[part][mode] = {"before_ms": before, "after_ms": after, "after / before": ratio}
                print(f"{part:<14}{mode:<6} ms {three(before, 2)}   now {three(after, 2)}   ratio {three(ratio, 3)}")
            print(f"{part:<14}same results: {result[part]['same_results']}", flush=True)
        if given.out is not None:  # after each part: the next may not start here
            given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _server() -> Iterator[str]:
    from benchmarks.elasticsearch.sides import server

    with server() as running:
        yield running.url


@contextmanager
def _worker(checkout: Path, told: list[str]) -> Iterator[Callable[[str], str]]:
    """A process that imports that checkout alone, and what it says to a word."""
    code = f"import sys; sys.path.insert(0, {str(checkout)!r}); exec(compile(open({__file__!r}).read(), 'w', 'exec'))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "worker", *told],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def say(word: str) -> str:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(word + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith("= "):
                return line[2:].strip()
        raise RuntimeError(f"the worker of {checkout} ended with {process.wait()}: see its messages above")

    try:
        yield say
    finally:
        process.terminate()
        process.wait(30)


def _work(part: str, squad: str, passages: str, url: str, model: str) -> None:
    """What a worker does: make ready, then for each line on standard input do one turn and say its milliseconds."""
    texts, questions = _load(Path(squad))
    with tempfile.TemporaryDirectory() as folder:
        ask = _reading(texts, questions, model) if part == "reader" else _finding(texts, int(passages), url, folder)
        turn = 0
        for line in sys.stdin:
            if line.strip() == "results":
                print("=", json.dumps(ask(list(range(MODES["many"])))), flush=True)
                continue
            count = MODES[line.strip()]
            chosen = [(turn + each) % len(questions) for each in range(count)]
            turn += count
            began = time.perf_counter()
            ask(chosen)
            print("=", (time.perf_counter() - began) * 1000 / count, flush=True)


def _load(squad: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """All paragraphs, and 64 questions with their paragraphs."""
    from evaluation.squad import read_questions

    file = next(file for file in sorted(squad.glob("dev-v1.1.json*")))
    every = read_questions(file)[0]
    texts = list(dict.fromkeys(one.context for one in every))
    return texts, [(one.question, one.context) for one in random.Random(0).sample(every, 64)]


def _reading(texts: list[str], questions: list[tuple[str, str]], model: str) -> Callable[[list[int]], Any]:
    """Reading 20 passages a question, its own and its neighbours."""
    from haystack import Document

    from components.reader import ExtractiveReader

    reader = ExtractiveReader(model=model, top_k=1, device="cpu")
    reader.warm_up()
    tasks = []
    for question, context in questions:
        first = max(0, min(texts.index(context) - 10, len(texts) - 20))
        tasks.append((question, [Document(content=text) for text in texts[first : first + 20]]))
    return lambda chosen: [answers[0].data for answers in reader.read([tasks[each] for each in chosen])]


def _finding(texts: list[str], passages: int, url: str, folder: str) -> Callable[[list[int]], Any]:
    """Hybrid search over so many passages; a question's vector lies near its own passage's."""
    from haystack import Document
    from haystack.document_stores.types import DuplicatePolicy

    from components.retriever import HybridRetriever

    noise = np.random.default_rng(0)
    vectors = noise.standard_normal((passages, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store: Any
    if url:
        from components.stores.elasticsearch import ElasticsearchDocumentStore

        store = ElasticsearchDocumentStore(hosts=url, index=f"versions-{time.time_ns()}", replicas=0, timeout=60.0)
    else:
        from components.stores.lancedb import LanceDBDocumentStore

        store = LanceDBDocumentStore(Path(folder) / "store")
    documents = [
        Document(id=f"p{each}", content=texts[each % len(texts)], embedding=vectors[each].tolist())
        for each in range(passages)
    ]
    if url:
        with store.loading():
            store.write_documents(documents, DuplicatePolicy.OVERWRITE)
    else:  # that of an older checkout has no `loading`
        store.write_documents(documents, DuplicatePolicy.OVERWRITE)
        store.optimise()
    retriever = HybridRetriever(store, top_k=20)
    retriever.warm_up()
    near = vectors[:64] + 0.02 * noise.standard_normal((64, 384)).astype(np.float32)
    asked = [" ".join(texts[each % len(texts)].split()[3:12]) for each in range(64)]

    def find(chosen: list[int]) -> Any:
        found = retriever.search([asked[each] for each in chosen], [near[each].tolist() for each in chosen])
        return [[document.id for document in documents] for documents in found]

    return find


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        _work(*sys.argv[2:])
    else:
        main()
