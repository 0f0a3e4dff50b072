"""`excerpt index`: bring files into the index, and what is gone out of it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load
from cli.progress import progress
from cli.text import printable

if TYPE_CHECKING:
    from indexing.run import IndexReport, Progress

SHOWN = 20  # refused files told one by one; `excerpt status` tells all
FILES_AT_ONCE = 8  # progress is told after so many


def index(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")],
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    rehash: Annotated[
        bool, typer.Option("--rehash", help="Read every file again, however unchanged it looks.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try refused files again, although they are unchanged.")
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Make the whole index anew, for another embedder or mapping, while questions go on over the old one "
            "(Elasticsearch).",
        ),
    ] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for another index run to end.")] = 0.0,
    json: Json = False,
) -> None:
    """
    Index files and folders: only what is new or changed is done, and what is gone is removed.

    Reads txt, md, html, pdf, docx, pptx, xlsx, csv, json, jsonl, eml and msg. A file that cannot be read is told with
    its reason and the others go on; the exit code is then 3, and 0 again once nothing new is refused. A run can be
    killed and started again at any time.

    With --rebuild, files of the index that lie elsewhere are done too; what fails or is interrupted changes nothing.

    excerpt index ~/Documents report.pdf
    """
    loaded = load("index", pipelines, store)

    from indexing.rebuild import rebuild as run_rebuild
    from indexing.run import index as run_index

    run = run_rebuild if rebuild else run_index
    with progress("Indexing", None, "files") as advance:
        report = run(
            loaded,
            paths,
            rehash=rehash,
            retry_refused=retry,
            lock_wait=wait,
            batch_files=FILES_AT_ONCE,
            progress=_counted(advance),
        )
    if json:
        from json import dumps

        print(dumps(report.to_json(), ensure_ascii=False))
    else:
        _tell(report, store)
    if any(refused.is_new for refused in report.refused):
        raise typer.Exit(exits.SOME_REFUSED)


def _counted(advance: Callable[[int, int | None], None]) -> Callable[["Progress"], None]:
    done = 0

    def on_progress(now: "Progress") -> None:
        nonlocal done
        advance(now.files - done, now.files_total)
        done = now.files

    return on_progress


def _tell(report: "IndexReport", store: Path) -> None:
    print(
        f"{len(report.indexed):,} files indexed ({report.passages:,} passages), {report.unchanged:,} unchanged, "
        f"{len(report.removed):,} removed, {len(report.refused):,} refused."
    )
    if report.truncated:
        print(
            f"note: {report.truncated:,} passages are longer than the embedder reads: their ends are found by words "
            "alone. Give the splitter the embedder's model (setting 'model' in index.yaml), or a smaller max_tokens."
        )
    for path, note in report.notes:
        print(f"note: {printable(path)}: {printable(note)}")
    for refused in report.refused[:SHOWN]:
        detail = f" ({printable(refused.detail)})" if refused.detail else ""
        print(f"refused: {printable(refused.path)}: {printable(refused.reason)}{detail}", file=sys.stderr)
    if len(report.refused) > SHOWN:
        print(f"... and {len(report.refused) - SHOWN:,} more; excerpt status tells all", file=sys.stderr)
