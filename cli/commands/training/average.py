"""`excerpt average`: one model out of several runs that share a beginning."""

from pathlib import Path
from typing import Annotated

import typer


def average(
    models: Annotated[list[str], typer.Argument(metavar="MODEL MODEL...", help="Trained models: folders, or names.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the new model; must not exist.")],
) -> None:
    """Write the mean of the weights of models that were trained from one beginning; calibrate it afterwards."""
    from training.average import average as run

    typer.echo(str(run(models, out)))
