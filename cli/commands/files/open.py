"""`excerpt open`: the file of an answer, at its page, in the system's viewer."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import exits
from cli.commands.files.last_answers import read_places
from cli.terminal.text import printable
from cli.terminal.words import near
from indexing.remote.links import is_web_address

# Viewers that can be told a page; the first one that is installed opens a PDF.
_PDF_VIEWERS = (
    "evince --page-index={page} {file}",
    "okular --page {page} {file}",
    "zathura --page={page} {file}",
    "xreader --page-index={page} {file}",
    "mupdf {file} {page}",
)

Viewer = Annotated[
    str,
    typer.Option(
        "--viewer", envvar="EXCERPT_VIEWER", metavar="COMMAND", help="As in: evince --page-index={page} {file}"
    ),
]


def open_answer(
    number: Annotated[int, typer.Argument(min=1, metavar="N", help="Which answer of the last question.")] = 1,
    viewer: Viewer = "",
    show: Annotated[bool, typer.Option("--print", help="Only print the command that would open it.")] = False,
) -> None:
    """
    Open the file of an answer, at its page.

    N counts the answers to the last question you asked. The system's viewer is used, or the one you name.

    excerpt open 2
    """
    places = read_places()
    if not places:
        raise exits.CommandError("there is no answer to open yet: ask something first (excerpt ask QUESTION)")
    if number > len(places):
        raise exits.CommandError(f"the last question had {len(places)} answers; give a number from 1 to {len(places)}")
    file, page = places[number - 1][:2]
    if not is_web_address(file) and not Path(file).exists():
        raise exits.CommandError(
            f"`{near(file)}` is not there any more; bring the index up to date: excerpt index PATH"
        )
    command = command_for(file, page, viewer)
    if show:
        print(shlex.join(command))
        return
    print(f"{printable(near(file))}{f', page {page}' if page else ''}")
    subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def command_for(file: str, page: int | None, viewer: str = "") -> list[str]:
    """
    The command, word by word: a file's name is one word whatever is in it, and is never taken for an option.

    :raises CommandError: when nothing is installed that opens files.
    """
    path = file if is_web_address(file) else os.path.abspath(file)
    template = viewer
    if not template and page and path.lower().endswith(".pdf"):
        template = next((one for one in _PDF_VIEWERS if shutil.which(one.split()[0])), "")
    if not template:
        template = "open {file}" if sys.platform == "darwin" else "xdg-open {file}"
    words = [word.replace("{page}", str(page or 1)).replace("{file}", path) for word in shlex.split(template)]
    if path not in words and not any(path in word for word in words):
        words.append(path)
    if shutil.which(words[0]) is None:
        raise exits.CommandError(f"`{words[0]}` is not installed; name your viewer: --viewer 'COMMAND {{file}}'")
    return words
