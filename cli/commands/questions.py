"""`excerpt questions`: pairs of question and answer from files, as JSON lines."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import exits
from cli.options import Pipelines, Store, load
from cli.terminal.text import printable

PASSAGES_AT_ONCE = 16


def questions(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to ask about.")],
    model: Annotated[
        str | None,
        typer.Option("--model", envvar="EXCERPT_GENERATOR", help="What asks, as distilt5-qa-qg: a folder, or a name."),
    ] = None,
    round_trip: Annotated[
        str, typer.Option("--round-trip", help="self, reader or off: whether a question must lead back to its answer.")
    ] = "self",
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
) -> None:
    """
    Make questions that files answer, one JSON object a line: question, answer, file, start and end in the file's text,
    and whether a model or a rule made it.

    Nothing is indexed. A file that cannot be read is told with its reason, and the exit code is then 3.
    """
    from components.question_generator import QuestionGenerator

    if model is None:
        raise exits.CommandError(
            "no model was given: name one that extracts answers and asks for them, with --model or EXCERPT_GENERATOR, "
            "such as valhalla/distilt5-qa-qg-hl-6-4 or a folder"
        )
    maker = QuestionGenerator(model=model, round_trip=round_trip)  # type: ignore[arg-type]
    maker.warm_up()
    loaded = load("index", pipelines, store)
    converter, splitter = loaded.component("FileConverter"), loaded.component("PassageSplitter")
    if converter is None or splitter is None:
        raise exits.CommandError(f"{loaded.name}: has no FileConverter and PassageSplitter, which read the files")
    try:
        converted = converter.run(sources=[str(file) for file in files])
    finally:
        converter.close()
    passages = splitter.run(documents=converted["documents"])["documents"]
    for begin in range(0, len(passages), PASSAGES_AT_ONCE):
        for pair in maker.run(documents=passages[begin : begin + PASSAGES_AT_ONCE])["pairs"]:
            meta, shift = pair.document.meta, pair.document.meta.get("split_idx_start", 0)
            place = {"start": shift + pair.document_offset.start, "end": shift + pair.document_offset.end}
            row = {"question": pair.query, "answer": pair.data, "file": meta.get("file_path"), **place}
            row["made_by"] = pair.meta["made_by"]
            if "page_number" in meta:
                row["page"] = meta["page_number"]
            print(json.dumps(row, ensure_ascii=False), flush=True)
    for refused in converted["failures"]:
        print(f"refused: {printable(refused.path)}: {printable(refused.reason)}", file=sys.stderr)
    if converted["failures"]:
        raise typer.Exit(exits.SOME_REFUSED)
