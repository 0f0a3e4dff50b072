"""What the retrievers are given: SQuAD 1.1's paragraphs and dev questions with vectors; and what they found of it."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from haystack import Document

from benchmarks.reader.work import squad_file
from benchmarks.retrieval.sides import TOP_K, Finder
from evaluation.retrieval import mean_reciprocal_rank, rank_of, recall_at
from evaluation.squad import SquadQuestion, read_questions

BATCH = 32
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
Vectors = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Work:
    """Passages and questions, each with its vectors, (n, 384) float32, length 1."""

    passages: list[Document]
    vectors: Vectors
    questions: list[SquadQuestion]
    asked: Vectors

    def embedded(self, count: int | None = None) -> list[Document]:
        """The first so many passages, with their vectors."""
        some = zip(self.passages[:count], self.vectors[:count], strict=True)
        return [replace(one, embedding=vector.tolist()) for one, vector in some]


def squad_work(folder: Path, kept: Path, count: int) -> Work:
    """
    All distinct paragraphs, and the first `count` of a seeded sample of dev questions.

    :param folder: holds train-v1.1 and dev-v1.1.
    :param kept: folder to keep vectors in.
    """
    # A thousand at least are drawn, so that all benchmarks share one file of their vectors.
    passages, questions = _load(folder, max(1000, count))
    vectors = _embeddings("passages", [one.content or "" for one in passages], kept)
    asked = _embeddings("questions", [one.question for one in questions], kept)
    return Work(passages, vectors, questions[:count], asked[:count])


def _load(folder: Path, count: int) -> tuple[list[Document], list[SquadQuestion]]:
    """The distinct paragraphs of both files as passages, and a seeded sample of the dev questions."""
    both = [read_questions(squad_file(folder, name))[0] for name in ("train-v1.1", "dev-v1.1")]
    titles = {one.context: one.article.replace("_", " ") for questions in both for one in questions}
    passages = [
        Document(id=f"p{number:05}", content=text, meta={"title": title})
        for number, (text, title) in enumerate(titles.items())
    ]
    return passages, random.Random(0).sample(both[1], min(count, len(both[1])))


def _embeddings(name: str, texts: Sequence[str], folder: Path) -> Vectors:
    """Vectors of texts, (n, 384) float32, length 1; computed where the folder does not have them."""
    digest = hashlib.sha256("\0".join([MODEL, *texts]).encode()).hexdigest()[:12]
    file = folder / f"{name}-{digest}.npy"
    if not file.exists():
        from sentence_transformers import SentenceTransformer

        from components.models import resolve_model

        model = SentenceTransformer(str(resolve_model(MODEL)), device="cpu")
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, model.encode(list(texts), normalize_embeddings=True, show_progress_bar=True))
    return np.load(file)


def ranks(
    side: Finder, questions: Sequence[SquadQuestion], vectors: Sequence[list[float]], passages: Sequence[Document]
) -> list[int | None]:
    """The rank of each question's own paragraph."""
    gold = {passage.content: passage.id for passage in passages}
    found: list[list[str]] = []
    for start in range(0, len(questions), BATCH):
        texts = [one.question for one in questions[start : start + BATCH]]
        found += side.search(texts, vectors[start : start + len(texts)])
    return [rank_of(gold[one.context], ids) for one, ids in zip(questions, found, strict=True)]


def recall(found: Sequence[int | None]) -> dict[str, float]:
    """Recall at 1, 5 and 20, and the mean reciprocal rank."""
    row = {f"@{k}": round(recall_at(k, found), 4) for k in (1, 5, TOP_K)}
    return {**row, "MRR": round(mean_reciprocal_rank(found), 4)}
