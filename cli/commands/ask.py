"""`excerpt ask`: one question, many from a file, or a prompt."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.machine import require_descriptors
from cli.options import Json, Pipelines, Reader, Store, load, require_index
from cli.terminal.output import Quiet, Verbose, tell
from cli.terminal.progress import waiting

if TYPE_CHECKING:
    from cli.asking import Asker


def ask(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[QUESTION]...", help="The question, in quotes or not. Without it, a prompt asks."),
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    reader: Reader = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=1, envvar="EXCERPT_TOP_K", help="How many answers to show at most.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="FILTER",
            help="Only passages with field=value (also !=, >, >=, <, <=), or a filter in Haystack's JSON syntax. file= "
            "takes a name, a path, a folder or a pattern; page= a number. Several must all hold.",
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="Ask every line of a file; - answers lines of standard input as they come. Needs --json.",
        ),
    ] = None,
    keep_warm: Annotated[
        float,
        typer.Option(
            "--keep-warm",
            min=0,
            metavar="MINUTES",
            envvar="EXCERPT_KEEP_WARM",
            help="Keep the reader loaded so long after a question, for your next ones: they are answered at once. "
            "Nobody but you can use it. 0 keeps nothing.",
        ),
    ] = 0,
    show: Annotated[
        bool, typer.Option("--show", help="Draw the best answer on its page too (PDF): in the terminal, or as a file.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """
    Answer a question with the exact words of your documents.

    Each answer comes with the probability that it is right, its file and its page. One of three things is said: an
    answer; "Not sure:" with the best one there is; or that it is not in the documents. The exit code is 4 in the last
    two cases.

    excerpt ask "Who was named MVP?" --filter file=super-bowl-50.pdf --top-k 1
    """
    question = None if words is None else " ".join(words)
    _check(question, filters or [], file, json, show)
    require_descriptors()
    require_index(pipelines, store)
    if keep_warm and file is None and question is not None:
        from cli.warm.client import ask_warm

        tell("asking the warm reader")
        with waiting("Loading the reader"):
            found = ask_warm(question, pipelines, store, reader, filters or [], top_k, keep_warm)
        code = _print(found, json)
        if show:
            _draw(found, load("ask", pipelines, store).document_store)
        raise typer.Exit(code)

    asker = open_asker(pipelines, store, reader, filters or [], top_k)
    if file is not None:
        from cli.commands.ask_many import ask_file

        raise typer.Exit(ask_file(asker, file))
    if question is not None:
        found = asker.ask(question)
        tell("answered")
        code = _print(found, json)
        if show:
            _draw(found, asker.store)
        raise typer.Exit(code)
    _prompt(asker, json, show)


def open_asker(pipelines: str, store: Path, reader: str | None, filters: list[str], top_k: int | None) -> "Asker":
    """Load the ask pipeline, ready for its first question."""
    from cli.asking import Asker
    from cli.start import warm

    with waiting("Loading the reader"):
        loaded = warm(lambda on_built: load("ask", pipelines, store, on_built, reader))
        tell("the pipeline is loaded")
        return Asker(loaded, filters, top_k)


def _check(question: str | None, filters: list[str], file: str | None, json: bool, show: bool) -> None:
    """What can be told to be wrong before anything is loaded."""
    from cli.filters import parse_filters

    if file is not None and not json:
        raise typer.BadParameter("give --json too: --file writes one JSON object a line", param_hint="--file")
    if file is not None and question is not None:
        raise typer.BadParameter("give a question or --file, not both", param_hint="--file")
    if show and json:
        raise typer.BadParameter("give --show or --json: its `rectangles` say where to draw", param_hint="--show")
    if question is not None and not question.strip():
        raise typer.BadParameter("the question is empty", param_hint="QUESTION")
    if question is not None and any("\ud800" <= char <= "\udfff" for char in question):
        raise typer.BadParameter("the question is not UTF-8; set your terminal to UTF-8", param_hint="QUESTION")
    try:
        parse_filters(filters)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--filter") from error


def _print(found: dict[str, Any], json: bool) -> int:
    from cli.commands.files.last_answers import keep_places

    keep_places(found)
    if json:
        from cli.terminal.text import json_line

        print(json_line(found))
    else:
        from cli.terminal.show import show_answers

        show_answers(found)
    return exits.OK if found["state"] == "answer" else exits.NO_ANSWER


def _draw(found: dict[str, Any], store: Any) -> None:
    from cli.commands.files.page import show_answer_page

    show_answer_page(found, getattr(store, "sources", None))


def _prompt(asker: "Asker", json: bool, show: bool) -> None:
    """Ask until the end of input; a question that fails is told and the next one goes on."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 gives the prompt its history and editing

        print("Ask a question; an empty line or Ctrl-D ends.")
    while True:
        try:
            question = input("\n? " if interactive else "").strip()
        except EOFError:
            return
        except UnicodeDecodeError:
            print("excerpt: a question that is not UTF-8 was left out", file=sys.stderr)
            continue
        if not question:
            if interactive:
                return
            continue
        try:
            found = asker.ask(question)
            _print(found, json)
            if show:
                _draw(found, asker.store)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:
            print(f"excerpt: {exits.describe(error)}", file=sys.stderr)
        sys.stdout.flush()
