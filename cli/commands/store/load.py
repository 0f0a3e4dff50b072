"""`excerpt load`: a whole collection out of one file."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.store.counting import counting
from cli.exits import CommandError
from cli.options import Pipelines, Store, Wait
from cli.options import load as load_pipelines
from cli.terminal.words import plural


def load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `excerpt dump` has written.")
    ],
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    more: Annotated[
        bool, typer.Option("--more", help="Also into an index that holds something: files of one path are replaced.")
    ] = False,
    wait: Wait = 0.0,
) -> None:
    """
    Bring what `excerpt dump` has written into an empty index.

    Answers are then those of the index it came from. A run that was stopped can be started again with --more.

    excerpt load collection.jsonl.gz --store other
    """
    from indexing.maintenance.dump import load as read_dump

    documents = load_pipelines("index", pipelines, store).document_store
    if not more and documents.count_documents():
        raise CommandError("the index holds something already: name an empty one (--store), or add to it with --more")
    with documents.one_writer(wait), documents.loading(), counting("Loading") as on_progress:
        amount = read_dump(documents, file, on_progress)
    print(f"{plural(amount.sources, 'file')} and {plural(amount.passages, 'passage')} loaded.")
