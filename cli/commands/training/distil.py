"""`excerpt distil`: train a student from a teacher's outputs."""

from typing import Annotated

import typer

from cli.commands.training.options import Data, Fresh, Official, Out, Recipe, Set, StopAfter, finish, settings
from cli.terminal.progress import progress


def distil(
    data: Data,
    teacher: Annotated[str | None, typer.Option("--teacher", help="A trained reader: a folder, or a name.")] = None,
    student: Annotated[
        str | None,
        typer.Option("--student", help="Model to be trained, with the teacher's tokenizer (excerpt shrink)."),
    ] = None,
    stages: Annotated[
        str | None, typer.Option("--stages", help="prediction, intermediate, or intermediate,prediction.")
    ] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", help="Softens both distributions.")] = None,
    weight: Annotated[float | None, typer.Option("--weight", help="The teacher's share of the loss, 0 to 1.")] = None,
    out: Out = None,
    recipe: Recipe = None,
    pairs: Set = None,
    stop_after: StopAfter = None,
    official: Official = None,
    fresh: Fresh = False,
) -> None:
    """
    Distil a teacher into a student, or go on with the run that is in the folder.

    Exit code 3: stopped before its end, run it again.
    """
    import json

    taught = {
        "teacher": teacher,
        "stages": stages.split(",") if stages else None,
        "temperature": temperature,
        "weight": weight,
    }
    given = [f"distillation.{name}={json.dumps(value)}" for name, value in taught.items() if value is not None]
    wanted = settings(data, recipe, [*given, *(pairs or [])], model=student, out=out, stop_after_minutes=stop_after)
    from training.distillation.distil import distil as run

    finish(run(wanted, fresh, progress), official)
