"""`excerpt shrink`: a student by copying chosen layers of a model."""

from pathlib import Path
from typing import Annotated

import typer

from cli.exits import CommandError


def shrink(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model to copy from: a folder, or a name.")],
    layers: Annotated[str, typer.Option("--layers", help="Layers to keep, counted from 1, as 2,4,6.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the student; must not exist.")],
    keep_words_of: Annotated[
        list[Path] | None,
        typer.Option("--keep-words-of", metavar="DATA", help="Keep only tokens of these SQuAD-format files."),
    ] = None,
    min_count: Annotated[int, typer.Option("--min-count", min=1, help="How often a token must occur there.")] = 1,
) -> None:
    """Copy chosen layers into a new, smaller model; it wants training afterwards."""
    try:
        chosen = [int(layer) for layer in layers.split(",")]
    except ValueError:
        raise CommandError(f"--layers wants numbers separated by commas, as 2,4,6; got {layers!r}") from None
    from evaluation.squad_data import read_squad
    from training.shrink import shrink as run

    texts: list[str] = []
    if keep_words_of:
        data = read_squad(keep_words_of, drop_malformed=True)
        texts = [paragraph.text for paragraph in data.paragraphs] + [question.text for question in data.questions]
    typer.echo(str(run(model, chosen, out, texts, min_count)))
