"""
The Elasticsearch store by quantisation: recall, exactness, bytes, loading and times on the paragraphs of SQuAD 1.1.

    python -m benchmarks.elasticsearch.quantisation SQUAD_FOLDER --vectors VECTORS_FOLDER --out FILE.json

Each is an index of its own over the same passages. A table that is there is added to: `--quantisations` given again are
measured again, the others stay.
"""

import argparse
import json
from pathlib import Path
from typing import Any, get_args

from benchmarks.elasticsearch.measures import Exact, by_meaning, fill, measure, real
from benchmarks.elasticsearch.sides import Ours, about, server
from benchmarks.retrieval.__main__ import setting
from benchmarks.retrieval.work import ranks, recall, squad_work
from components.stores.elasticsearch.index.mapping import Quantisation
from evaluation.retrieval import rank_of

QUANTISATIONS: tuple[str, ...] = get_args(Quantisation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="folder with train-v1.1 and dev-v1.1")
    parser.add_argument("--vectors", type=Path, required=True, help="folder to keep vectors in between runs")
    parser.add_argument("--quantisations", nargs="+", choices=QUANTISATIONS, default=list(QUANTISATIONS))
    parser.add_argument("--passages", type=int, default=30_000, help="at most")
    parser.add_argument("--questions", type=int, default=1000, help="for recall")
    parser.add_argument("--timed", type=int, default=320, help="questions whose time is taken, the first so many")
    parser.add_argument("--out", type=Path, help="JSON file to write, or to add to")
    given = parser.parse_args()

    work = squad_work(given.squad, given.vectors, given.questions)
    passages, vectors, questions, asked = work.passages, work.vectors, work.questions, work.asked
    own = {one.content: one.id for one in passages}
    texts, lists = [one.question for one in questions], asked.tolist()
    rows: dict[str, Any] = {}
    if given.out is not None and given.out.exists():
        rows = json.loads(given.out.read_text(encoding="utf-8"))["rows"]
    with server() as bench:
        for name in given.quantisations:
            side, exact = Ours(bench.url, name, name), Exact(asked)
            row: dict[str, Any] = {}
            fill(side, real(passages[: given.passages], vectors), row, exact)
            measure(side, bench, texts[: given.timed], lists[: given.timed], row)
            found = by_meaning(side, texts, lists)
            row["share of the exact 20 found"] = exact.share(found)
            row["recall, meaning alone"] = recall(
                [rank_of(own[one.context], ids) for one, ids in zip(questions, found, strict=True)]
            )
            row["recall"] = recall(ranks(side, questions, lists, passages))
            print(name, json.dumps(row), flush=True)
            rows[name] = row
            if given.out is not None:
                told = {**setting(row["passages"], given.timed), "server": about(side)}
                given.out.write_text(json.dumps({"rows": rows, "setting": told}, indent=2) + "\n", encoding="utf-8")
            side.drop()


if __name__ == "__main__":
    main()
