"""
Does early stop keep its promise on other kinds of text than it was fitted on? Questions over encyclopedia articles that
the reader has not seen, over informal posts, and over tables; each with its 20 best passages from the retriever, read
whole and with `early_stop: safe`.

    python -m benchmarks.reader.early_stop --squad train-v1.1.json.gz --posts reddit.json.gz --tables wtq-train.jsonl.gz

Told for each kind: how many questions stopped, share of the passages that were read, best answers that changed, with
the upper bound of their share at 95 % (Clopper and Pearson 1934), and by how much the best answer's probability moved.
"""

import argparse
import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haystack import Document

from benchmarks.common.hardware import hardware
from benchmarks.reader.work import PASSAGES
from cli.terminal.progress import progress
from components.models import resolve_model
from components.reader import ExtractiveReader
from evaluation.open_index import indexed
from evaluation.squad_data import read_squad
from pipelines.loader import load_pipeline

MODEL = "models/minilm-squad"
Kind = tuple[dict[str, str], list[str]]
"""Texts with their titles, and questions that they answer."""


def articles(file: Path, count: int, rng: random.Random) -> Kind:
    """Questions over the articles that the reader was not trained on (named in its calibration's split)."""
    from training.card import held_out_articles

    unseen = held_out_articles(resolve_model(MODEL))
    data = read_squad([file])
    held = data.select([article for article in data.articles if article in unseen])
    texts = {paragraph.text: paragraph.article.replace("_", " ") for paragraph in held.paragraphs}
    return texts, [question.text for question in rng.sample(list(held.questions), min(count, len(held.questions)))]


def posts(file: Path, count: int, rng: random.Random) -> Kind:
    """SQuADShifts' Reddit part: every second post, the half for choosing."""
    with gzip.open(file, "rt", encoding="utf-8") as opened:
        paragraphs = json.load(opened)["data"][0]["paragraphs"][::2]
    questions = [entry["question"] for paragraph in paragraphs for entry in paragraph["qas"]]
    return {paragraph["context"]: "post" for paragraph in paragraphs}, rng.sample(questions, count)


def tables(file: Path, count: int, rng: random.Random) -> Kind:
    """WikiTableQuestions' training split, as our converters write tables."""
    from indexing.convert.table_text import write_table

    texts: dict[str, str] = {}
    questions: list[str] = []
    with gzip.open(file, "rt", encoding="utf-8") as opened:
        for line in opened:
            table = json.loads(line)
            texts[write_table([table["header"]], table["rows"])] = "table"
            questions += [entry["question"] for entry in table["questions"]]
    return texts, rng.sample(questions, count)


def compare(kind: Kind, cache: Path) -> dict[str, Any]:
    """Read every question's passages whole and with early stop."""
    texts, questions = kind
    asking = load_pipeline("ask", "embedded", indexed(texts, "embedded", cache, progress))
    embedder, retriever = asking.component("QuestionEmbedder"), asking.component("HybridRetriever")
    whole, stopping = (ExtractiveReader(model=MODEL, top_k=3, early_stop=mode) for mode in ("off", "safe"))
    engine, read = stopping.span_reader.engine, 0
    plain = engine.logits

    def counted(batch: Any) -> Any:
        nonlocal read
        read += len(batch)
        return plain(batch)

    stopped = changed = windows = 0
    moved: list[float] = []
    with progress("Reading", len(questions), "questions") as advance:
        for question in questions:
            vector = embedder.run(text=question)["embedding"]
            found = retriever.run(query=question, query_embedding=vector, top_k=PASSAGES)["documents"]
            before = read
            engine.logits = counted
            first = _best(stopping, question, found)
            engine.logits = plain
            everything = _windows(whole, question, found)
            windows += everything
            if read - before < everything:
                stopped += 1
                second = _best(whole, question, found)
                changed += first[0] != second[0]
                moved.append(abs(first[1] - second[1]))
            advance(1)
    moved.sort()
    return {
        "questions": len(questions),
        "texts": len(texts),
        "stopped": stopped,
        "windows_read": round(read / max(windows, 1), 3),
        "changed": changed,
        "changed_at_most_95": round(upper_bound(changed, len(questions)), 4),
        "probability_moved": {"median": _at(moved, 0.5), "90 %": _at(moved, 0.9), "max": _at(moved, 1.0)},
    }


def upper_bound(changed: int, questions: int) -> float:
    """The largest share under which so few changes are seen in 5 % of the cases."""
    from scipy.stats import beta

    return 1.0 if changed >= questions else float(beta.ppf(0.95, changed + 1, questions - changed))


def _best(reader: ExtractiveReader, question: str, found: Sequence[Document]) -> tuple[str | None, float]:
    best = reader.run(query=question, documents=list(found))["answers"][0]
    return best.data, best.score


def _windows(reader: ExtractiveReader, question: str, found: Sequence[Document]) -> int:
    from components.reader.request import Request
    from components.reader.request_texts import RequestTexts

    return len(reader.span_reader.cut([RequestTexts.of(Request(question, found))], reader.read_settings)[1])


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 4) if ordered else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("squad", "posts", "tables"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--questions", type=int, default=1500, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/excerpt/evaluation").expanduser())
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    results: dict[str, Any] = {}
    for name, make, file in (
        ("posts", posts, given.posts),
        ("tables", tables, given.tables),
        ("articles", articles, given.squad),
    ):
        if file is None:
            continue
        results[name] = compare(make(file, given.questions, random.Random(given.seed)), given.cache)
        print(name, json.dumps(results[name]), flush=True)
        if given.out:
            told = {"hardware": hardware(["torch"]), "kinds": results}
            given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
