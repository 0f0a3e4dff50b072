"""`excerpt verify`: does the index hold what its record says, and is it true to the files?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import exits
from cli.commands.store.counting import counting
from cli.options import Json, Pipelines, Store, Wait, load, require_index
from cli.terminal.text import printable
from cli.terminal.words import near, plural

if TYPE_CHECKING:
    from components.stores.contract import Source
    from indexing.maintenance.verify import Findings

SHOWN = 20  # files named for each kind of difference


def verify(
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend what is not whole: delete what is of no file, index the rest again."),
    ] = False,
    rehash: Annotated[bool, typer.Option("--rehash", help="Read every file to compare its content.")] = False,
    private: Annotated[
        bool, typer.Option("--private-addresses", help="Also ask web servers of this machine and its network.")
    ] = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """
    Hold passages, record and files against each other.

    Exit code 0: the index holds what its record says. 1: it does not; --repair mends that. Files that have changed or
    are gone since are told too; `excerpt index` brings them up to date.

    excerpt verify --repair
    """
    require_index(pipelines, store)
    from indexing.maintenance.verify import repair as repair_store
    from indexing.maintenance.verify import verify as verify_store

    loaded = load("index", pipelines, store)
    documents = loaded.document_store
    with counting("Verifying") as on_progress:
        findings = verify_store(documents, rehash, on_progress)
    mended: list[str] = []
    if repair and not findings.is_whole:
        from indexing.remote.addresses import is_address, open_again
        from indexing.run import index

        with documents.one_writer(wait) as held:
            paths = repair_store(documents, findings)
            torn = [*findings.incomplete, *findings.unfinished]
            elsewhere = open_again(documents.sources, [one for one in torn if is_address(one.path)], private)
            if paths:
                index(loaded, [path for path in paths if not is_address(path)], origins=elsewhere, held=held)
        mended = paths
    if json:
        from cli.terminal.text import json_line

        print(json_line(_to_json(findings, mended, repair)))
    else:
        _tell(findings, repair)
    if not findings.is_whole and not repair:
        raise typer.Exit(exits.ERROR)


def _to_json(findings: "Findings", mended: list[str], repaired: bool) -> dict[str, object]:
    return {
        "whole": findings.is_whole,
        "current": findings.is_current,
        "sources": findings.sources,
        "passages": findings.passages,
        "incomplete": [source.path for source in findings.incomplete],
        "unfinished": [source.path for source in findings.unfinished],
        "strays": len(findings.strays),
        "gone": [source.path for source in findings.gone],
        "changed": [source.path for source in findings.changed],
        "repaired": repaired and not findings.is_whole,
        "indexed_again": mended,
    }


def _tell(findings: "Findings", repaired: bool) -> None:
    print(f"{plural(findings.sources, 'file')} and {plural(findings.passages, 'passage')} looked at.")
    _tell_kind("not whole", findings.incomplete)
    _tell_kind("unfinished", findings.unfinished)
    if findings.strays:
        print(f"{plural(len(findings.strays), 'passage')} belong to no file.")
    if findings.is_whole:
        print("The index holds what its record says.")
    elif repaired:
        print("Mended.")
    else:
        print("Mend it: excerpt verify --repair")
    _tell_kind("changed since", findings.changed)
    _tell_kind("gone since", findings.gone)
    if not findings.is_current:
        print("Bring it up to date: excerpt index PATH")


def _tell_kind(what: str, sources: "list[Source]") -> None:
    for source in sources[:SHOWN]:
        print(f"{what}: {printable(near(source.path))}")
    if len(sources) > SHOWN:
        print(f"{what}: {plural(len(sources) - SHOWN, 'file')} more")
