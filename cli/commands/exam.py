"""`excerpt exam`: a test set made from one's own index, and pipelines held against it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.progress import progress

exam = typer.Typer(
    help="Make a test set from your own documents, and hold pipelines against it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="An exam that `excerpt exam make` wrote.")]


@exam.command(epilog=exits.HELP)
def make(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the exam is written.")] = Path("exam.json"),
    questions: Annotated[int, typer.Option("--questions", min=1, help="How many to make.")] = 200,
    unanswerable: Annotated[
        float, typer.Option("--unanswerable", min=0, max=0.9, help="Which share has no answer in the documents.")
    ] = 0.25,
    seed: Annotated[int, typer.Option("--seed", help="The same index and seed make the same exam.")] = 0,
    round_trip: Annotated[
        bool, typer.Option(help="Keep only questions whose answer the reader finds in their own passage.")
    ] = True,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page to read the questions over on.")
    ] = None,
    pipelines: Pipelines = "embedded",
    store: Store = Path(".excerpt"),
    json: Json = False,
) -> None:
    """
    Make an exam from the index: questions with their answers' places, and questions without an answer.

    The questions come from rules: dates, people, places and counts of sentences, and the names and values of tables.
    """
    from evaluation.exam.file import write_exam
    from evaluation.exam.make import make_exam

    require_index(pipelines, store)
    loaded = load("ask", pipelines, store)
    with progress("Making questions", None, "questions") as advance:
        made = make_exam(loaded, questions, unanswerable, seed, round_trip, advance=advance)
    write_exam(out, made)
    if html is not None:
        from evaluation.exam.page import exam_page

        html.write_text(exam_page(made), encoding="utf-8")
    if json:
        _print_json({"file": str(out), **made.about})
        return
    without = made.about["unanswerable"]
    print(f"{len(made.questions):,} questions, {without:,} of them without an answer, written to {out}.")
    if len(made.questions) < questions:
        print(f"Fewer than {questions:,}: the rules make no more of these documents that the reader finds again.")


@exam.command(epilog=exits.HELP)
def run(
    file: File,
    pipelines: Pipelines = "embedded",
    against: Annotated[
        str | None, typer.Option("--against", metavar="SET|FOLDER", help="Other pipelines, told as a difference.")
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", metavar="FIGURE=PERCENT", help="Exit with 1 unless it is reached; repeatable."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE.png", help="Also draw the figures with their intervals.")
    ] = None,
    store: Store = Path(".excerpt"),
    json: Json = False,
) -> None:
    """
    Let pipelines take an exam: figures with 95 % intervals, by format and by file, and the time a question takes.

    excerpt exam run exam.json --against ranked --require f1=60
    """
    from evaluation.exam.figures import NAMES
    from evaluation.exam.file import read_exam
    from evaluation.exam.report import exam_lines, report

    wanted = _requirements(require or [], NAMES)
    read = read_exam(file)
    if not read.questions:
        raise exits.CommandError(f"{file}: holds no questions")
    sat = {name: _take(read, name, store) for name in dict.fromkeys([pipelines, *([against] if against else [])])}
    told = report(sat)
    if picture is not None:
        from evaluation.exam.picture import draw

        draw(told, picture)
    if json:
        _print_json(told)
    else:
        for line in exam_lines(told):
            print(line)
    found = told["pipelines"][pipelines]["figures"]
    missed = [
        f"{name} is {found[name]['value']:.1f}, not {bound:g}"
        for name, bound in wanted.items()
        if _fails(found, name, bound)
    ]
    if missed:
        raise exits.CommandError(f"the exam asks for more: {'; '.join(missed)}")


def _take(read: Any, pipelines: str, store: Path) -> Any:
    from evaluation.exam.run import take

    require_index(pipelines, store)
    loaded = load("ask", pipelines, store)
    with progress(f"Asking {pipelines}", len(read.questions), "questions") as advance:
        return take(read, loaded, advance)


def _requirements(given: list[str], names: tuple[str, ...]) -> dict[str, float]:
    wanted = {}
    for one in given:
        name, _, bound = one.partition("=")
        try:
            wanted[name] = float(bound)
        except ValueError:
            name = ""
        if name not in names:
            raise typer.BadParameter(f"write FIGURE=PERCENT with one of {', '.join(names)}", param_hint="--require")
    return wanted


def _fails(found: dict[str, dict[str, float]], name: str, bound: float) -> bool:
    if name not in found:
        raise exits.CommandError(f"the exam cannot tell {name}: no question of it bears on that")
    value = found[name]["value"]
    return value > bound if name in ("abstained_wrong", "calibration_error") else value < bound


def _print_json(value: dict[str, Any]) -> None:
    from json import dumps

    print(dumps(value, ensure_ascii=False))
