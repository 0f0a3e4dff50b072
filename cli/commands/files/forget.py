"""`excerpt forget`: take files out of the index, without touching the files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, Wait, load, require_index
from cli.terminal.text import printable
from cli.terminal.words import near, plural


def forget(
    name: Annotated[str, typer.Argument(metavar="PATH|GLOB", help="A file of the index, a folder, or a pattern.")],
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """
    Take files out of the index, and leave the files alone.

    Nothing is found in them any more.

    excerpt forget ~/contracts/draft.docx
    """
    require_index(pipelines, store)
    from cli.commands.files.find import matching
    from indexing.index_writer import IndexWriter

    documents = load("index", pipelines, store).document_store
    with documents.one_writer(wait):
        found = matching(documents.sources.all(), name)
        if not found:
            raise exits.CommandError(
                f"no file of the index is meant by `{name}`; excerpt list shows all of them", exits.NOTHING_MATCHES
            )
        IndexWriter(documents).remove([source.source_id for source in found])
    if json:
        from json import dumps

        print(dumps({"forgotten": [source.path for source in found]}, ensure_ascii=False))
        return
    for source in found:
        print(f"forgotten: {printable(near(source.path))}")
    if there := [source for source in found if os.path.lexists(source.path)]:
        print(
            f"{plural(len(there), 'of these files is', 'of these files are')} still there: `excerpt index` on a folder "
            "that holds them brings them back."
        )
