"""`excerpt exam review`: an exam is read over, in the terminal or on a page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.exam.run import File, read_questions
from cli.terminal.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from evaluation.exam.file import ExamQuestion

_AROUND = 400  # characters of the passage that are shown on either side of the answer


def review(
    file: File,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="PAGE", help="Write a page to read and mend them on, and ask nothing."),
    ] = None,
) -> None:
    """
    Read an exam over: each question with its answer marked in its passage; keep it, drop it, or put it in other words.

    What you decide is written into FILE at once; the next review goes on with what you have not seen.
    """
    from rich.console import Console

    from evaluation.exam.file import write_exam
    from evaluation.exam.review import drop, keep, reword, unread

    exam = read_questions(file)
    if html is not None:
        from evaluation.exam.page import exam_page

        html.write_text(exam_page(exam), encoding="utf-8")
        print(f"{len(exam.questions):,} questions, written to {html}: open it in a browser, and save what you mended.")
        return
    console = Console(highlight=False, soft_wrap=True)
    waiting = unread(exam)
    for number, question in enumerate(waiting, start=1):
        console.print(f"\n{number} of {len(waiting)}", style="dim")
        _show(console, question)
        answer = _choice()
        if answer == "q":
            break
        if answer == "k":
            exam = keep(exam, question)
        elif answer == "d":
            exam = drop(exam, question)
        else:
            exam = reword(exam, question, answer)
        write_exam(file, exam)
    left = len(unread(exam))
    print(f"{len(exam.questions):,} questions are in {file}; {left:,} of them not looked at yet.")


def _choice() -> str:
    while True:
        try:
            said = input("k keep, d drop, q stop, or the question in other words: ").strip()
        except EOFError:
            return "q"
        if said in ("k", "d", "q") or len(said.split()) > 1:
            return said


def _show(console: "Console", one: "ExamQuestion") -> None:
    from rich.text import Text

    console.print(Text(printable(one.question), style="bold"))
    if one.answerable:
        end = one.start + len(one.answer)
        before, after = one.context[max(0, one.start - _AROUND) : one.start], one.context[end : end + _AROUND]
        shown = Text(printable(before))
        shown.append(printable(one.answer), style="reverse")
        shown.append(printable(after))
        console.print(shown)
    else:
        console.print(f"No answer in the documents ({one.kind}).", style="italic")
        console.print(Text(printable(one.context[: 2 * _AROUND])))
    console.print(Text(f"{printable(one.source)}, {one.kind}, difficulty {one.difficulty:.2f}", style="dim"))
