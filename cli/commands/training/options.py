"""The options of the training commands, and how recipe and options become settings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import SOME_REFUSED, CommandError

if TYPE_CHECKING:
    from training.run.settings import TrainSettings

STOPPED = SOME_REFUSED  # not everything was done; scripts run the command again

Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="SQuAD-format files, .json or .json.gz.")]
Recipe = Annotated[
    str | None,
    typer.Option(
        "--recipe", metavar="NAME|FILE", help="Settings to start from: one of training/recipes, or a TOML file."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Folder of the run; the finished model lies in its model/. Two stages have a folder each beside it.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any setting of docs/training.md, as epochs=3 or mixture.passages=2."
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew, and remove the run that is in the folder.")]
StopAfter = Annotated[
    float | None, typer.Option("--stop-after", metavar="MINUTES", help="Leave with a checkpoint after so long.")
]
Official = Annotated[
    list[Path] | None,
    typer.Option("--official", metavar="FILE", help="Afterwards, the official figures for this file, into the card."),
]


def settings(
    data: list[Path], recipe: str | None, pairs: list[str] | None, labels_only: bool = False, **given: Any
) -> "TrainSettings":
    """Recipe, then options, then `--set`: what comes later wins. Options that are None were not given."""
    from training.run.settings import combine_settings

    options = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    try:
        return combine_settings([str(path) for path in data], recipe, options, pairs or (), labels_only)
    except ValueError as error:
        # The settings know no command line: what is missing is told with the option that gives it.
        for name, option in (("model", "--model (in distil: --student)"), ("out", "--out")):
            if str(error) == f"{name} must be given":
                raise CommandError(
                    f"no {name} was given: name it with {option}, or choose a --recipe that has one"
                ) from error
        raise CommandError(str(error)) from error


def finish(folder: Path | None, official: list[Path] | None) -> None:
    """Say where the model is, with its official figures; leave with code 3 when the run is not at its end."""
    from cli.terminal.progress import progress
    from training.official_figures import measure_official

    if folder is None:
        raise typer.Exit(STOPPED)
    for file in official or []:
        typer.echo(json.dumps({file.name: measure_official(folder, file, progress)}), err=True)
    typer.echo(str(folder))
