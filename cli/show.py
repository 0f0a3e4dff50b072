"""Answers on a terminal: the words highlighted in their context, the file and page, how probable it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cli.text import clip, printable
from pipelines.answers import abstained, answer_json

if TYPE_CHECKING:
    from haystack import ExtractedAnswer

CONTEXT = 260  # characters around the first answer; the others get half


def show_answers(question: str, answers: Sequence["ExtractedAnswer"], console: Console | None = None) -> None:
    """Print the answers to one question, best first. Document text is made harmless for the terminal."""
    console = console or Console(highlight=False, soft_wrap=False)
    found = [answer for answer in answers if answer.data is not None]
    none = next((answer for answer in answers if answer.data is None), None)
    if abstained(answers):
        sure = f" (probability {_percent(none.score)})" if none else ""
        console.print(Text(f"No answer found{sure}.", style="bold yellow"))
        if found:
            console.print(Text("The nearest passages:", style="dim"))
    for number, answer in enumerate(found, start=1):
        if number > 1 or abstained(answers):
            console.print()
        console.print(_headline(answer, first=number == 1 and not abstained(answers)))
        context = _context(answer, CONTEXT if number == 1 else CONTEXT // 2)
        console.print(Padding(context, (0, 0, 0, 2)), Padding(_place(answer), (0, 0, 0, 2)), sep="")


def _headline(answer: "ExtractedAnswer", first: bool) -> Text:
    line = Text(printable(answer.data or ""), style="bold green" if first else "bold")
    return line.append(f"  {_percent(answer.score)}", style="cyan")


def _context(answer: "ExtractedAnswer", width: int) -> Text:
    if answer.context is None or answer.context_offset is None:
        return Text()
    cut, start, end = clip(answer.context, answer.context_offset.start, answer.context_offset.end, width)
    text = Text(printable(cut))
    text.stylize("bold black on yellow", start, end)
    return text


def _place(answer: "ExtractedAnswer") -> Text:
    data = answer_json(answer)
    parts = [printable(_near(str(data["file"] or data["document_id"])))]
    if data["page"] is not None:
        parts.append(f"page {data['page']}")
    if data["headings"]:
        parts.append(printable(str(data["headings"])))
    others = len(data["places"]) - 1
    if others > 0:
        parts.append(f"and {others} other place{'s' if others > 1 else ''}")
    return Text(" · ".join(parts), style="dim")


def _near(path: str) -> str:
    """A path under the current folder, as one would type it there."""
    return path.removeprefix(f"{Path.cwd().as_posix()}/")


def _percent(probability: float) -> str:
    """Never "100 %" nor "0 %" for what is only nearly so."""
    percent = probability * 100
    return f"{percent:.0f} %" if 10 <= percent <= 99 else f"{min(max(percent, 0.1), 99.9):.1f} %"
