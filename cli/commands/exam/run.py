"""`excerpt exam run`: pipelines held against an exam."""

from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.progress import progress

if TYPE_CHECKING:
    from evaluation.exam.file import Exam

File = Annotated[Path, typer.Argument(metavar="FILE", help="An exam that `excerpt exam make` wrote.")]


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
    from evaluation.exam.report import exam_lines, report

    wanted = _requirements(require or [], NAMES)
    read = read_questions(file)
    sat = {name: _take(read, name, store) for name in dict.fromkeys([pipelines, *([against] if against else [])])}
    told = report(sat)
    if picture is not None:
        from evaluation.exam.picture import draw

        draw(told, picture)
    if json:
        print(dumps(told, ensure_ascii=False))
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


def read_questions(file: Path) -> "Exam":
    """The exam in the file; CommandError where it has no questions."""
    from evaluation.exam.file import read_exam

    read = read_exam(file)
    if not read.questions:
        raise exits.CommandError(f"{file}: holds no questions")
    return read


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
