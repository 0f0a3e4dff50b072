"""`excerpt eval`: how good the reader is, and how good the whole is."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load
from cli.terminal.progress import progress

evaluate = typer.Typer(help="Measure how good the answers are.", no_args_is_help=True, rich_markup_mode=None)
QUESTIONS_AT_ONCE = 256

Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N questions.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="Questions in SQuAD's format, .json or .json.gz.")]


@evaluate.command(epilog=exits.HELP)
def squad(
    file: File,
    limit: Limit = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    json: Json = False,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", help="Also write what was predicted, as JSON.")
    ] = None,
) -> None:
    """
    The official figures of SQuAD 1.1 or 2.0 for the pipeline's reader, the gold paragraph given.

    What is needed of the pipeline is its reader alone: no index is asked.
    """
    from evaluation.reading import official
    from evaluation.squad import read_questions

    questions, version = read_questions(file)
    questions = questions[:limit]
    loaded = load("ask", pipelines, store)
    reader = loaded.component("ExtractiveReader")
    if reader is None:
        raise exits.CommandError(f"{loaded.path}: has no ExtractiveReader, and that is what this evaluates")
    reader.warm_up()
    with progress("Reading", len(questions), "questions") as advance:
        figures, found = official(reader, questions, version, QUESTIONS_AT_ONCE, advance)
    if predictions is not None:
        from json import dumps

        predictions.write_text(dumps(found.answers, ensure_ascii=False), encoding="utf-8")
    _tell({"version": version, **figures}.items(), json)


@evaluate.command("open", epilog=exits.HELP)
def open_domain(
    file: File,
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", metavar="FILE", help="Index the paragraphs of this file too; repeatable."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask only a sample of N questions.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the sample.")] = 0,
    passages: Annotated[int, typer.Option("--passages", min=1, help="How many passages are read for a question.")] = 20,
    compare: Annotated[
        int,
        typer.Option(
            "--compare", min=0, help="Read N questions with Haystack's TransformersExtractiveReader too (slow)."
        ),
    ] = 0,
    pipelines: Pipelines = "embedded",
    json: Json = False,
) -> None:
    """
    Index all paragraphs of FILE and ask its questions over the whole collection.

    Tells recall at k, exact match and F1, how far the probabilities can be trusted, time, and where each lost answer
    was lost. The index is kept under ~/.cache/excerpt for the next run.
    """
    from evaluation.open_domain import evaluate_open
    from evaluation.report import open_lines

    result = evaluate_open(
        file, progress, corpus or (), pipelines, limit=limit, seed=seed, passages=passages, compare=compare
    )
    if json:
        _tell(result.items(), json)
        return
    for line in open_lines(result):
        print(line)


def _tell(figures: Iterable[tuple[str, object]], json: bool) -> None:
    if json:
        from json import dumps

        print(dumps(dict(figures), ensure_ascii=False))
        return
    for name, value in figures:
        print(f"{name:<20} {value:.4f}" if isinstance(value, float) else f"{name:<20} {value}")
