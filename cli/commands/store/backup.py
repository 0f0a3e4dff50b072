"""`excerpt backup`: the embedded index as it is now, into another folder."""

from pathlib import Path
from typing import Annotated

import typer

from cli.exits import CommandError
from cli.options import Pipelines, Store, load, require_index
from cli.terminal.words import size


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make; nothing may be there yet.")],
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
) -> None:
    """
    Copy the embedded index into a new folder, also while an index run writes to it.

    The copy is an index of its own: `excerpt ask --store FOLDER` asks it, and copied back to its place it is the index
    again. It comes into being whole or not at all.

    excerpt backup /media/disk/index-of-today
    """
    require_index(pipelines, store)
    from components.stores.lancedb import LanceDBDocumentStore
    from components.stores.lancedb.disk.backup import back_up

    documents = load("index", pipelines, store).document_store
    if not isinstance(documents, LanceDBDocumentStore):
        raise CommandError(
            "only the embedded index is copied by this command. Use snapshots of Elasticsearch, or `excerpt dump FILE`."
        )
    copied = back_up(documents, folder)
    print(f"{size(copied)} copied to {folder}. Ask it: excerpt ask --store {folder} QUESTION")
