"""`excerpt exam tune`: which settings answer one's own questions best?"""

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.exam.run import File, read_questions
from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.progress import progress

# Not the number of passages: an exam made by rule is fondest of one (docs/exam.md).
GRID = ("retriever.words_weight=0.3,0.5,0.7", "retriever.phrase_weight=0,0.5")


def tune(
    file: File,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COMPONENT.SETTING=A,B", help="Values to try; repeatable."),
    ] = None,
    figure: Annotated[str, typer.Option("--figure", help="What the best is best in: f1, exact, recall ...")] = "f1",
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    json: Json = False,
) -> None:
    """
    Try settings of the ask pipeline on one half of an exam, and judge the best on the other half.

    Without --set: retriever.words_weight 0.3, 0.5, 0.7 and phrase_weight 0, 0.5. Nothing is written; what is best is
    for you to put into the YAML.
    """
    from evaluation.exam.figures import NAMES
    from evaluation.exam.tune import halves, read_grid, tune_lines, with_settings
    from evaluation.exam.tune import tune as try_settings
    from pipelines.loader import pipeline_file

    if figure not in NAMES:
        raise typer.BadParameter(f"must be one of {', '.join(NAMES)}", param_hint="--figure")
    try:
        grid = read_grid(settings or GRID)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from error
    exam = read_questions(file)
    require_index(pipelines, store)
    yaml = pipeline_file("ask", pipelines)
    tries = 1
    for values in grid.values():
        tries *= len(values)
    first, other = (len(half.questions) for half in halves(exam))
    with progress("Trying settings", (tries + 1) * first + 2 * other, "questions") as advance:
        told = try_settings(
            exam,
            lambda chosen: with_settings(yaml, chosen, lambda folder: load("ask", folder, store)),
            grid,
            figure,
            advance,
        )
    if json:
        print(dumps(told, ensure_ascii=False))
        return
    for line in tune_lines(told):
        print(line)
