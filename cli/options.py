"""The options every command shares, and how they become a pipeline."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
        help="A set that comes with Excerpt (embedded, elasticsearch; over an embedded index also ranked, routed, "
        "generative and cited), or a folder of your own with index.yaml and ask.yaml.",
    ),
]
Store = Annotated[
    Path,
    typer.Option(
        "--store", envvar="EXCERPT_STORE", metavar="FOLDER", help="Where the index lies (with the embedded pipelines)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of text; docs/json.md tells its fields.")]

Reader = Annotated[
    str | None,
    typer.Option(
        "--reader", envvar="EXCERPT_READER", metavar="MODEL", help="The model that reads: a folder, or a name on a hub."
    ),
]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, envvar="EXCERPT_WAIT", help="Seconds to wait for another index run to end."),
]


def load(
    name: str,
    pipelines: str,
    store: Path,
    on_built: Callable[[Any], None] | None = None,
    reader: str | None = None,
) -> "LoadedPipeline":
    """Load the pipeline `name` of the chosen set; `--store` and `--reader` reach its YAML as EXCERPT_STORE, _READER."""
    from pipelines.loader import load_pipeline

    environment = _environment(store)
    if reader is not None:
        environment["EXCERPT_READER"] = reader
    return load_pipeline(name, pipelines, environment, on_built)


def require_index(pipelines: str, store: Path) -> None:
    """
    Look for the folders of the stores that ask.yaml names, before anything slow is loaded. Servers are not looked for.

    :raises CommandError: when one has never been written.
    """
    from pipelines.loader import store_folders

    for folder in store_folders("ask", pipelines, _environment(store)):
        if not folder.is_dir():
            raise CommandError(
                f"there is no index at `{folder}`. Make one: excerpt index PATH (or name another with --store)"
            )


def _environment(store: Path) -> dict[str, str]:
    return {**os.environ, "EXCERPT_STORE": str(store)}
