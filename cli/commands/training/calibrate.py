"""`excerpt calibrate`: fit the ranking's weights, temperature and threshold on held-out questions."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.training.options import Data
from cli.options import Pipelines
from cli.terminal.progress import progress


def calibrate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder of the reader; the calibration is written there.")
    ],
    data: Data,
    held_out: Annotated[
        int,
        typer.Option(
            "--held-out",
            min=0,
            help="Articles to fit on, where training.json does not name those it was not trained on. 0 takes all.",
        ),
    ] = 12,
    questions: Annotated[int, typer.Option("--questions", min=1, help="At most so many questions.")] = 1500,
    passages: Annotated[int, typer.Option("--passages", min=1, help="Retrieved passages read for each.")] = 20,
    pipelines: Pipelines = "embedded",
    cache: Annotated[Path, typer.Option("--cache", help="Where the index of the paragraphs is kept.")] = Path(
        "runs/cache"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Which questions, when there are more.")] = 0,
) -> None:
    """
    Make a reader's probabilities mean something.

    All paragraphs of the files are indexed, the questions of held-out articles asked over the whole, and the weights
    fitted on what the reader finds; others for a passage by itself, half of the time one without an answer. The
    figures told are cross-validated over articles.
    """
    from training.calibration.calibrate import figures
    from training.calibration.run_calibration import run_calibration

    outcome = run_calibration(model, data, progress, held_out, questions, passages, pipelines, cache, seed)
    typer.echo(json.dumps(figures(outcome), indent=1))
