"""`excerpt exam make`: a test set from one's own index."""

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.progress import progress


def make(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the exam is written.")] = Path("exam.json"),
    questions: Annotated[int, typer.Option("--questions", min=1, help="How many to make.")] = 200,
    unanswerable: Annotated[
        float, typer.Option("--unanswerable", min=0, max=0.9, help="Which share has no answer in the documents.")
    ] = 0.25,
    seed: Annotated[int, typer.Option("--seed", help="The same index and seed make the same exam.")] = 0,
    round_trip: Annotated[
        bool, typer.Option(help="Keep only questions whose answer the reader finds in their own passage.")
    ] = True,
    generator: Annotated[
        str | None,
        typer.Option(
            "--generator",
            envvar="EXCERPT_GENERATOR",
            metavar="MODEL",
            help="A model that writes more questions, as distilt5-qa-qg: a folder, or a name on a hub.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page to read and mend the questions on.")
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    json: Json = False,
) -> None:
    """
    Make an exam from the index: questions with their answers' places, and questions without an answer.

    The questions come from rules: dates, people, places and counts of sentences, and the names and values of tables;
    and from a model that writes them, where one is given.
    """
    from evaluation.exam.file import write_exam
    from evaluation.exam.make import make_exam

    require_index(pipelines, store)
    loaded = load("ask", pipelines, store)
    generate = None
    if generator is not None:
        from evaluation.exam.generated import generate_with

        generate = generate_with(generator)
    with progress("Making questions", None, "questions") as advance:
        made = make_exam(loaded, questions, unanswerable, seed, round_trip, generate, advance)
    write_exam(out, made)
    if html is not None:
        from evaluation.exam.page import exam_page

        html.write_text(exam_page(made), encoding="utf-8")
    if json:
        print(dumps({"file": str(out), **made.about}, ensure_ascii=False))
        return
    without = made.about["unanswerable"]
    print(f"{len(made.questions):,} questions, {without:,} of them without an answer, written to {out}.")
    if len(made.questions) < questions:
        print(f"Fewer than {questions:,}: no more can be made of these documents that the reader finds again.")
