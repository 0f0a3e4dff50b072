"""`excerpt index`: bring files into the index, and what is gone out of it."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.machine import require_descriptors, writes_to
from cli.options import Json, Pipelines, Store, Wait, load
from cli.terminal.output import Quiet, Verbose, is_quiet, tell
from cli.terminal.progress import progress
from cli.terminal.text import printable
from cli.terminal.words import near, plural

if TYPE_CHECKING:
    from components.named_pipeline import NamedPipeline
    from indexing.run import IndexReport, Progress

SHOWN = 20  # refused files told one by one; `excerpt status` tells all
FILES_AT_ONCE = 8  # progress is told after so many


def index(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...", help="Files and folders; https://HOST/PATH, s3://BUCKET/FOLDER and the like."
        ),
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    rehash: Annotated[
        bool, typer.Option("--rehash", help="Read every file again, however unchanged it looks.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try refused files again, although they are unchanged.")
    ] = False,
    rebuild: Annotated[
        bool | None,
        typer.Option(
            "--rebuild/--no-rebuild",
            help="Make the whole index again, while questions go on over the old one. It is done by itself when the "
            "pipeline is another than the index was made with; --no-rebuild then only does PATH.",
            show_default=False,
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: index what changes under the paths, until interrupted.")
    ] = False,
    files_from: Annotated[
        str | None,
        typer.Option("--files-from", metavar="FILE", help="A list of more paths, one a line; - reads it from input."),
    ] = None,
    json_lines: Annotated[
        str | None,
        typer.Option(
            "--json-lines",
            metavar="FILE",
            help="Documents as JSON lines, each with id and text (and title, type, meta); - reads them from input.",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Of the --json-lines: the list is the whole of NAME.")
    ] = "input",
    pages: Annotated[
        int, typer.Option("--pages", min=1, metavar="N", help="Most pages of a web site that are looked at.")
    ] = 1_000,
    private: Annotated[
        bool,
        typer.Option("--private-addresses", help="Also ask web servers of this machine and its network."),
    ] = False,
    wait: Wait = 0.0,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """
    Index files and folders: what is new, changed or gone.

    Only new and changed files are read, and what is gone is removed. Reads txt, md, html, pdf, docx, pptx, xlsx, csv,
    json, jsonl, eml and msg. A file that cannot be read is told with its reason and the others go on; the exit code is
    then 3. A run can be stopped and started again at any time.

    With --watch it goes on: what changes is indexed within seconds, one report (or line of JSON) a run.

    When the pipeline has changed (its model, its passages), the whole index is made again beside the old one, and put
    in its place in one step; --rebuild asks for that. Files of the index that lie elsewhere are done too; what fails or
    is interrupted changes nothing.

    Of a web site, an address that ends in / means all that is linked below it, a sitemap the pages it names; its
    robots.txt holds, and what has not changed is not fetched again.

    excerpt index ~/Documents report.pdf; git ls-files docs | excerpt index --files-from -
    """
    if watch and rebuild:
        raise typer.BadParameter("give --watch or --rebuild, not both", param_hint="--watch")
    if files_from == json_lines == "-":
        raise typer.BadParameter("only one of --files-from and --json-lines can read from input", param_hint="-")
    from cli.sources import listed, open_sources

    places = [*(paths or []), *(listed(files_from) if files_from is not None else [])]
    if not places and json_lines is None:
        raise typer.BadParameter("name files or folders, or a list of them with --files-from", param_hint="PATH...")
    files, origins = open_sources(places, json_lines, name, pages, private)
    if watch and origins:
        raise typer.BadParameter("only files and folders can be watched", param_hint="--watch")
    require_descriptors()
    writes_to(store)
    if not quiet:
        print("Loading the index pipeline ...", file=sys.stderr, flush=True)
    loaded = load("index", pipelines, store)

    from indexing.maintenance.rebuild import bring_up_to_date
    from indexing.maintenance.rebuild import rebuild as run_rebuild
    from indexing.run import index as run_index

    if watch:
        _watch(loaded, files, json, rehash=rehash, retry_refused=retry, lock_wait=wait, batch_files=FILES_AT_ONCE)
        return
    latest = _Latest()
    run: Callable[..., IndexReport] = run_index
    if rebuild is None:
        run = partial(bring_up_to_date, on_changes=latest.tell_rebuild, private_addresses=private)
    elif rebuild:
        run, latest.is_rebuild = partial(run_rebuild, private_addresses=private), True
    try:
        with progress("Indexing", None, "files") as advance:
            tell("the pipeline is loaded")
            report = run(
                loaded,
                files,
                origins=origins,
                rehash=rehash,
                retry_refused=retry,
                lock_wait=wait,
                batch_files=FILES_AT_ONCE,
                progress=latest.advancing(advance),
            )
    except KeyboardInterrupt:
        print(_what_is_kept(latest.now, latest.is_rebuild), file=sys.stderr)
        raise
    if json:
        from cli.terminal.text import json_line

        print(json_line(report.to_json()))
    else:
        _tell(report)
    if any(refused.is_new for refused in report.refused):
        raise typer.Exit(exits.SOME_REFUSED)


def _watch(loaded: "NamedPipeline", paths: list[Path], json: bool, **settings: Any) -> None:
    from cli.terminal.text import json_line
    from indexing.maintenance.watch import watch

    def on_report(report: "IndexReport") -> None:
        if json:
            print(json_line(report.to_json()), flush=True)
        else:
            _tell(report)
            sys.stdout.flush()

    watch(loaded, paths, on_report, on_changes=_Latest().tell_rebuild, **settings)


class _Latest:
    """How far the run has come, for the progress shown and for who interrupts it."""

    def __init__(self) -> None:
        self.now: Progress | None = None
        self.is_rebuild = False

    def tell_rebuild(self, changes: list[str]) -> None:
        self.is_rebuild = True
        print(
            f"The pipeline is another than the index was made with: {printable('; '.join(changes))}. The whole index "
            "is made again beside the old one, which answers until the new one does.",
            file=sys.stderr,
            flush=True,
        )

    def advancing(self, advance: Callable[[int, int | None], None]) -> Callable[["Progress"], None]:
        def on_progress(now: "Progress") -> None:
            advance(now.files - (self.now.files if self.now else 0), now.files_total)
            self.now = now

        return on_progress


def _what_is_kept(now: "Progress | None", rebuild: bool) -> str:
    if rebuild:
        return "Interrupted: the index is as it was."
    if now is None:
        return "Interrupted: nothing was changed yet, or only a first few files; run it again for the rest."
    return (
        f"Interrupted: {now.files:,} of {plural(now.files_total, 'new or changed file')} are done and kept. Run it "
        "again for the rest."
    )


def _tell(report: "IndexReport") -> None:
    print(
        f"{plural(len(report.indexed), 'file')} indexed ({plural(report.passages, 'passage')}), "
        f"{report.unchanged:,} unchanged, {len(report.removed):,} removed, {len(report.refused):,} refused."
    )
    if is_quiet():
        return
    if report.taken_over:
        print(f"{plural(report.taken_over, 'file')} of these were renamed, moved or copied: known by their content.")
    for path, note in report.notes:
        print(f"note: {printable(near(path))}: {printable(note)}")
    if report.truncated:
        print(
            f"note: {plural(report.truncated, 'passage is', 'passages are')} longer than the embedding model reads: "
            "search by meaning knows only the beginning; lower max_tokens of the splitter"
        )
    new = [refused for refused in report.refused if refused.is_new]
    for refused in new[:SHOWN]:
        detail = f" ({printable(refused.detail)})" if refused.detail else ""
        print(f"refused: {printable(near(refused.path))}: {printable(refused.reason)}{detail}", file=sys.stderr)
    if len(new) > SHOWN:
        print(f"... and {len(new) - SHOWN:,} more; excerpt status lists them all", file=sys.stderr)
    if before := len(report.refused) - len(new):
        print(
            f"{plural(before, 'file was', 'files were')} refused before and not changed since; excerpt status lists "
            "them, --retry tries again",
            file=sys.stderr,
        )
