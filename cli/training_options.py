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
    from training.run.settings import read_recipe, settings_from

    values = read_recipe(recipe) if recipe else {}
    values |= {
        name: str(value) if isinstance(value, Path) else value for name, value in given.items() if value is not None
    }
    values["data"] = [str(path) for path in data]
    if labels_only:
        values.pop("distillation", None)
    for pair in pairs or []:
        name, equals, text = pair.partition("=")
        if not equals:
            raise CommandError(f"--set wants NAME=VALUE, got {pair!r}")
        _put(values, name.strip().split("."), _value(text.strip()))
    for name in ("model", "out"):
        if name not in values:
            option = "--model (in distil: --student)" if name == "model" else f"--{name}"
            raise CommandError(f"no {name} was given: name it with {option}, or choose a --recipe that has one")
    try:
        return settings_from(values)
    except ValueError as error:
        raise CommandError(str(error)) from error


def finish(folder: Path | None, official: list[Path] | None) -> None:
    """Say where the model is, with its official figures; leave with code 3 when the run is not at its end."""
    if folder is None:
        raise typer.Exit(STOPPED)
    for file in official or []:
        measure(folder, file)
    typer.echo(str(folder))


def measure(folder: Path, file: Path) -> None:
    """The official figures of the finished model for a file, by the reader itself, into the model's card."""
    from cli.progress import progress
    from components.reader import ExtractiveReader
    from evaluation.reading import official
    from evaluation.squad import read_questions
    from training.card import add_official

    questions, version = read_questions(file)
    reader = ExtractiveReader(model=str(folder))
    reader.warm_up()
    with progress(f"Reading {file.name}", len(questions), "questions") as advance:
        figures, _ = official(reader, questions, version, 256, advance)
    add_official(folder, file.name, figures)
    typer.echo(json.dumps({file.name: figures}), err=True)


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
