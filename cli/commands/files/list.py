"""`excerpt list`: the files of the index."""

from pathlib import Path
from typing import Annotated

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.text import printable
from cli.terminal.words import columns, near, shorten, size


def list_files(
    name: Annotated[
        str | None, typer.Argument(metavar="PATH|GLOB", help="Only these: a file, a folder, a pattern such as '*.pdf'.")
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    json: Json = False,
) -> None:
    """
    List the files of the index.

    Of each: how many passages there are, how large it is, and the reason if it was refused.

    excerpt list '*.pdf'
    """
    require_index(pipelines, store)
    from cli.commands.files.find import matching

    sources = list(load("ask", pipelines, store).document_store.sources.all())
    found = sources if name is None else matching(sources, name)
    if json:
        from json import dumps

        keys = ("path", "state", "reason", "passages", "size", "title", "mime_type", "content_hash")
        for source in found:
            print(dumps({key: getattr(source, key) for key in keys}, ensure_ascii=False))
    else:
        width = columns()
        for source in found:
            state = f"{source.passages:>7,}" if source.state == "indexed" else f"{source.state:>7}"
            reason = f"  {printable(source.reason or '')}" if source.state == "refused" else ""
            print(shorten(f"{state}  {size(source.size):>9}  {printable(near(source.path))}{reason}", width))
    if name is not None and not found:
        raise exits.CommandError(
            f"no file of the index is meant by `{name}`; excerpt list shows all of them", exits.NOTHING_MATCHES
        )
