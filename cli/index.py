"""`excerpt index`: bring files into the index, and what is gone out of it."""

from pathlib import Path
from typing import Annotated

import typer

from cli import exits
from cli.options import Pipelines, Store, load


def index(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")],
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
) -> None:
    """
    Index files and folders: only what is new or changed is done, and what is gone is removed.
    """
    load("index", pipelines, store)
    raise exits.CommandError("not yet")
