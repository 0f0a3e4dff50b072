"""Answers on a terminal: the words highlighted in their context, the file and page, how probable it is."""

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cli.terminal.text import clip, printable, visible_lines
from cli.terminal.words import near, percent

CONTEXT = 260  # characters around the first answer; the others get half


def show_answers(found: dict[str, Any], console: Console | None = None) -> None:
    """
    Print what a question found, best answer first. Document text is made harmless for the terminal.

    :param found: as `pipelines.answers.answers_json` describes it; its `state` decides what is said.
    """
    console = console or Console(highlight=False, soft_wrap=False)
    state, none = found["state"], found["no_answer_probability"]
    if state == "not_in_documents":
        sure = f" ({percent(none)})" if none is not None else ""
        console.print(Text(f"Not in the documents{sure}.", style="bold yellow"))
        if found["answers"]:
            console.print(Text("The nearest passages:", style="dim"))
    if written := found.get("written"):
        _show_written(written, console)
    for number, answer in enumerate(found["answers"], start=1):
        if number > 1 or state == "not_in_documents":
            console.print()
        console.print(_headline(answer, state if number == 1 else "other"))
        context = _context(answer, CONTEXT if number == 1 else CONTEXT // 2)
        console.print(Padding(context, (0, 0, 0, 2)), Padding(_place(answer), (0, 0, 0, 2)), sep="")


def _show_written(written: dict[str, Any], console: Console) -> None:
    """What a language model wrote, then the quotations under their own heading."""
    for sentence in written["sentences"]:
        line = Text(printable(sentence["text"]))
        if not sentence["supported"]:
            line.append(f"  not supported: {sentence['problem']}", style="yellow")
        console.print(line)
    if written["removed"]:
        count = written["removed"]
        console.print(Text(f"({count} sentence{'s' if count > 1 else ''} left out: not supported)", style="dim"))
    console.print(Text("It quotes:", style="dim"))


def _headline(answer: dict[str, Any], state: str) -> Text:
    line = Text()
    if state == "not_sure":
        line.append("Not sure: ", style="bold yellow")
    line.append(printable(answer["answer"] or ""), style="bold green" if state == "answer" else "bold")
    return line.append(f"  {percent(answer['probability'])}", style="cyan")


def _context(answer: dict[str, Any], width: int) -> Text:
    if answer["context"] is None or answer["start_in_context"] is None:
        return Text()
    cut, start, end = clip(answer["context"], answer["start_in_context"], answer["end_in_context"], width)
    text = Text(visible_lines(cut))
    text.stylize("bold black on yellow", start, end)
    return text


def _place(answer: dict[str, Any]) -> Text:
    parts = [printable(near(str(answer["file"] or answer["document_id"])))]
    if answer["page"] is not None:
        parts.append(_page(answer))
    if answer["headings"]:
        parts.append(printable(str(answer["headings"])))
    others = len(answer["places"]) - 1
    if others > 0:
        parts.append(f"and {others} other place{'s' if others > 1 else ''}")
    return Text(" · ".join(parts), style="dim")


def _page(answer: dict[str, Any]) -> str:
    """What the format calls its pages: a sheet by its name, a slide by its number, a printed page by its label."""
    kind, label = answer.get("page_kind") or "page", answer.get("page_label")
    return f"{kind} {printable(str(label)) if label else answer['page']}"
