"""What the readers are given: dev-v1.1 questions, each with the passages that the retriever finds for it."""

import json
from dataclasses import dataclass
from pathlib import Path

from haystack import Document

from evaluation.squad import SquadQuestion, read_questions

PASSAGES = 20
REST = 0.05  # seconds between two sides: threads that spin when their work is done would slow the next one


@dataclass(frozen=True)
class Task:
    """A question with its accepted answers and its passages, best first, scores as the retriever gave them."""

    question: str
    answers: tuple[str, ...]
    documents: tuple[Document, ...]


def retrieved_tasks(squad: Path, count: int, kept: Path) -> list[Task]:
    """
    The first `count` of a seeded sample of dev-v1.1's questions with their 20 best of all 20,958 paragraphs.

    Made by the embedded pipelines and kept in the file `kept`, because indexing takes minutes.

    :param squad: folder with train-v1.1 and dev-v1.1.
    """
    if not kept.is_file():
        _retrieve(squad, max(count, 200), kept)
    tasks = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    if len(tasks) < count:
        raise ValueError(f"{kept} holds {len(tasks)} questions, {count} are wanted: remove it, and it is made anew")
    return [
        Task(
            task["question"],
            tuple(task["answers"]),
            tuple(Document(id=one["id"], content=one["content"], score=one["score"]) for one in task["documents"]),
        )
        for task in tasks[:count]
    ]


def gold_tasks(squad: Path, limit: int | None) -> list[Task]:
    """dev-v1.1's questions with their own paragraphs, evenly spread when limited."""
    questions = read_questions(squad_file(squad, "dev-v1.1"))[0]
    chosen = questions if limit is None else spread(questions, limit)
    return [Task(one.question, one.answers, (Document(content=one.context),)) for one in chosen]


def _retrieve(squad: Path, count: int, kept: Path) -> None:
    import random

    from cli.terminal.progress import progress
    from evaluation.open_index import indexed, paragraphs_of
    from pipelines.loader import load_pipeline

    dev = read_questions(squad_file(squad, "dev-v1.1"))[0]
    both = [*dev, *read_questions(squad_file(squad, "train-v1.1"))[0]]
    environment = indexed(paragraphs_of(both), "embedded", Path("~/.cache/excerpt/evaluation").expanduser(), progress)
    loaded = load_pipeline("ask", "embedded", environment)
    embedder, retriever = loaded.component("QuestionEmbedder"), loaded.component("HybridRetriever")
    embedder.warm_up()
    lines = []
    for one in random.Random(0).sample(dev, count):
        vector = embedder.run(text=one.question)["embedding"]
        found = retriever.run(query=one.question, query_embedding=vector, top_k=PASSAGES)["documents"]
        documents = [{"id": each.id, "content": each.content, "score": each.score} for each in found]
        lines.append(json.dumps({"question": one.question, "answers": list(one.answers), "documents": documents}))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("\n".join(lines) + "\n", encoding="utf-8")


def spread(questions: list[SquadQuestion], limit: int) -> list[SquadQuestion]:
    """So many of them at most, evenly spread."""
    return questions[:: max(1, len(questions) // limit)][:limit]


def squad_file(squad: Path, name: str) -> Path:
    """
    A file of SQuAD, packed or not.

    :raises ValueError: When the folder holds none of that name.
    """
    found = sorted(squad.glob(f"{name}.json*"))
    if not found:
        raise ValueError(f"{squad} holds no {name}.json or {name}.json.gz")
    return found[0]
