"""`excerpt dump`: a whole collection into one file."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.store.counting import counting
from cli.options import Pipelines, Store, Wait, load, require_index
from cli.terminal.words import plural


def dump(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, such as collection.jsonl.gz.")],
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    wait: Wait = 0.0,
) -> None:
    """
    Write the whole index into one file: texts, passages, vectors, what was refused.

    `excerpt load` brings it into another store, of another kind or on another machine, without converting or embedding
    anything again. The file comes into being whole or not at all.

    excerpt dump collection.jsonl.gz
    """
    require_index(pipelines, store)
    from indexing.maintenance.dump import dump as write_dump

    documents = load("index", pipelines, store).document_store
    with documents.one_writer(wait), counting("Dumping") as on_progress:
        amount = write_dump(documents, file, on_progress)
    print(f"{plural(amount.sources, 'file')} and {plural(amount.passages, 'passage')} written to {file}.")
