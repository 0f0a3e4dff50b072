"""
Does an exam made by rule rank pipelines as people's questions do?

    python -m benchmarks.exam_agreement SQUAD_FILE [--articles 16] [--out benchmarks/results/exam_agreement.json]

SQuAD's articles are indexed as text files, one a file. `excerpt exam make` makes an exam of them; people's own
questions about the same articles are a second one. Five pipelines, alike but for their settings, take both, and so
does the set `routed`. Told are their F1 in both, and Kendall's tau-b between the two rankings of the five; of all 120
orders of five, 12 in 100 reach a tau of .6 by chance. Nothing is chosen by it.
"""

import argparse
import gzip
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau

from benchmarks.common.hardware import hardware
from cli.options import load
from evaluation.exam.figures import figures, paired_difference
from evaluation.exam.file import Exam, ExamQuestion
from evaluation.exam.make import make_exam
from evaluation.exam.run import Sat, take
from evaluation.exam.tune import with_settings
from indexing.run import index
from pipelines.loader import pipeline_file

ROOT = Path(__file__).resolve().parents[1]
FAST = "models/minilm-squad-fast"
PIPELINES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "half the layers": {"reader.model": FAST},
    "words alone": {"retriever.words_weight": 1.0, "retriever.phrase_weight": 0.0},
    "one passage": {"retriever.top_k": 1},
    "meaning alone, 3 passages, half the layers": {
        "retriever.words_weight": 0.0, "retriever.phrase_weight": 0.0, "retriever.top_k": 3, "reader.model": FAST,
    },
}  # fmt: skip


def write_articles(articles: list[dict[str, Any]], folder: Path) -> list[ExamQuestion]:
    """Each article as a text file, and people's questions about it."""
    asked = []
    for article in articles:
        file = folder / f"{article['title']}.txt"
        file.write_text("\n\n".join(one["context"] for one in article["paragraphs"]), encoding="utf-8")
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answer = qa["answers"][0]
                asked.append(
                    ExamQuestion(
                        id=qa["id"], question=qa["question"], context=paragraph["context"], document_id="",
                        source=str(file), format="txt", answer=answer["text"], start=answer["answer_start"],
                        kind="people", difficulty=0.0,
                    )
                )  # fmt: skip
    return asked


def _agreement(told: dict[str, Any], figure: str) -> float:
    """Kendall's tau-b between the rankings of the five by the exam and by people's questions."""
    ours, theirs = (
        [told[name][whose]["figures"][figure]["value"] for name in PIPELINES] for whose in ("exam", "people")
    )  # fmt: skip
    return float(kendalltau(ours, theirs).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--articles", type=int, default=16)
    parser.add_argument("--questions", type=int, default=200, help="of the exam, and as many of people's")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "exam_agreement.json")
    given = parser.parse_args()
    opened = gzip.open if given.file.suffix == ".gz" else open
    with opened(given.file, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"][: given.articles]
    with tempfile.TemporaryDirectory() as place:
        documents, store = Path(place) / "documents", Path(place) / "store"
        documents.mkdir()
        asked = write_articles(articles, documents)
        people = Exam(tuple(random.Random(0).sample(asked, min(given.questions, len(asked)))))
        os.environ["EXCERPT_STORE"] = str(store)
        index(load("index", "embedded", store), [documents])
        exams = {
            "people": people,
            "exam": make_exam(load("ask", "embedded", store), given.questions),
        }
        yaml = pipeline_file("ask", "embedded")
        sat: dict[str, dict[str, list[Sat]]] = {}
        for name, settings in [*PIPELINES.items(), ("routed", None)]:
            loaded = (
                load("ask", "routed", store)
                if settings is None
                else with_settings(yaml, settings, lambda folder: load("ask", folder, store))
            )
            sat[name] = {whose: take(one, loaded) for whose, one in exams.items()}
            print(name, {whose: round(figures(one)["f1"]["value"], 1) for whose, one in sat[name].items()}, flush=True)
    told = {
        name: {
            whose: {"figures": figures(one), "seconds_a_question": sum(each.seconds for each in one) / len(one) / 16}
            for whose, one in both.items()
        }
        for name, both in sat.items()
    }
    tau = {figure: _agreement(told, figure) for figure in ("f1", "answered_f1")}
    routed = paired_difference(sat["as it comes"]["people"], sat["routed"]["people"])
    result = {
        "articles": len(articles), "questions": {whose: len(one.questions) for whose, one in exams.items()},
        "kendall_tau": tau, "pipelines": told, "routed_less_as_it_comes": routed,
        "machine": hardware(("torch", "haystack-ai")),
    }  # fmt: skip
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(tau)


if __name__ == "__main__":
    main()
