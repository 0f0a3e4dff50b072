"""`excerpt ask`: one question, many from a file, or a prompt."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load, require_index

if TYPE_CHECKING:
    from pipelines.loader import LoadedPipeline


def ask(
    question: Annotated[
        str | None, typer.Argument(help="The question. Without it, a prompt asks for questions.")
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="How many answers to show at most.")] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="FILTER",
            help="Only passages with field=value (also !=, >, >=, <, <=; file, path and page are fields), "
            "or a filter in Haystack's JSON syntax. Several must all hold.",
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE", help="Ask every line of a file (- for standard input); needs --json."),
    ] = None,
    json: Json = False,
) -> None:
    """
    Answer a question with the exact words of the indexed documents.

    Each answer comes with the probability that it is right, its file and its page. Where "no answer" is more probable
    than every answer, that is said, and the exit code is 4.

    excerpt ask "Who was named MVP?" --filter file=super-bowl-50.pdf --top-k 1
    """
    from cli.filters import parse_filters

    if file is not None and not json:
        raise typer.BadParameter("give --json too: --file writes one JSON object a line", param_hint="--file")
    if file is not None and question is not None:
        raise typer.BadParameter("give a question or --file, not both", param_hint="--file")
    if question is not None and not question.strip():
        raise typer.BadParameter("the question is empty", param_hint="QUESTION")
    try:
        conditions = parse_filters(filters or [])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--filter") from error
    require_index(pipelines, store)

    from cli.start import warm

    loaded = warm(lambda: load("ask", pipelines, store), embedded=pipelines == "embedded")
    require_passages(loaded)
    asked: dict[str, Any] = {"filters": conditions, "top_k": top_k}
    if file is not None:
        from cli.commands.ask_many import ask_file

        raise typer.Exit(ask_file(loaded, file, asked))
    if question is not None:
        raise typer.Exit(_one(loaded, question, asked, json))
    _prompt(loaded, asked, json)


def require_passages(loaded: "LoadedPipeline") -> None:
    """:raises CommandError: when there is nothing to search."""
    store = loaded.document_store
    if store is not None and store.count_documents() == 0:
        raise exits.CommandError("the index is empty. Fill it: excerpt index PATH")


def _one(loaded: "LoadedPipeline", question: str, asked: dict[str, Any], json: bool) -> int:
    from components.places import add_places
    from pipelines.answers import abstained, answers_json

    answers = loaded.run(query=question, **asked)["answers"]
    add_places(answers, loaded.document_store)
    if json:
        from json import dumps

        print(dumps(answers_json(question, answers), ensure_ascii=False))
    else:
        from cli.show import show_answers

        show_answers(question, answers)
    return exits.NO_ANSWER if abstained(answers) else exits.OK


def _prompt(loaded: "LoadedPipeline", asked: dict[str, Any], json: bool) -> None:
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
        if not question:
            if interactive:
                return
            continue
        try:
            _one(loaded, question, asked, json)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:
            print(f"excerpt: {exits.describe(error)}", file=sys.stderr)
        sys.stdout.flush()
