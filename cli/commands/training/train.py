"""`excerpt train`: fine-tune a reader on questions with marked answers."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.training.options import Data, Fresh, Official, Out, Recipe, Set, StopAfter, finish, settings
from cli.terminal.progress import progress


def train(
    data: Data,
    model: Annotated[
        str | None, typer.Option("--model", help="Model to start from: a folder, or a name; any span model or encoder.")
    ] = None,
    out: Out = None,
    recipe: Recipe = None,
    pairs: Set = None,
    labels_only: Annotated[
        bool, typer.Option("--labels-only", help="Leave out the teacher that the recipe names.")
    ] = False,
    stop_after: StopAfter = None,
    official: Official = None,
    fresh: Fresh = False,
) -> None:
    """
    Fine-tune a reader, or go on with the run that is in the folder.

    A killed run goes on where its last checkpoint was. Exit code 3: stopped before its end, run it again.
    """
    wanted = settings(data, recipe, pairs, labels_only, model=model, out=out, stop_after_minutes=stop_after)
    from training.distillation.distil import distil
    from training.run.finetune import finetune

    folder: Path | None = (
        finetune(wanted, fresh=fresh, progress=progress)
        if wanted.distillation is None
        else distil(wanted, fresh, progress)
    )
    finish(folder, official)
