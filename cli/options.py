"""The options every command shares, and how they become a pipeline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import CommandError

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline

Pipelines = Annotated[
    str,
    typer.Option(
        "--pipelines",
        envvar="EXCERPT_PIPELINES",
        metavar="SET|FOLDER",
        help="A set that comes with Excerpt (embedded, elasticsearch), or a folder of your own with index.yaml and "
        "ask.yaml.",
    ),
]
Store = Annotated[
    Path,
    typer.Option(
        "--store", envvar="EXCERPT_STORE", metavar="FOLDER", help="Where the index lies (with the embedded pipelines)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of text; docs/json.md tells its fields.")]


def load(name: str, pipelines: str, store: Path) -> "LoadedPipeline":
    """Load the pipeline `name` of the chosen set; `--store` reaches its YAML as EXCERPT_STORE."""
    from pipelines.loader import load_pipeline

    return load_pipeline(name, pipelines, {**os.environ, "EXCERPT_STORE": str(store)})


def require_index(pipelines: str, store: Path) -> None:
    """
    :raises CommandError: when the embedded store has never been written; said before anything slow is loaded.
    """
    if pipelines == "embedded" and not store.is_dir():
        raise CommandError(
            f"there is no index at `{store}`. Make one: excerpt index PATH (or name another with --store)"
        )
