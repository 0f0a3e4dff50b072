"""The page of an answer or a passage as a picture, its words marked: in the terminal, or as a file that is named."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import exits
from cli.terminal.pictures import Protocol, choose_protocol, picture_text
from cli.terminal.text import printable
from cli.terminal.words import near

if TYPE_CHECKING:
    from components.places import Rectangle
    from components.stores.contract import Source


def protocol_here() -> Protocol:
    """`choose_protocol` of this process; raises CommandError for an impossible setting."""
    try:
        return choose_protocol(os.environ)
    except ValueError as error:
        raise exits.CommandError(str(error)) from error


def show_answer_page(found: dict[str, Any], sources: Any) -> None:
    """
    Draw the best answer on its page; a format without pages is said.

    :param found: as `pipelines.answers.answers_json` describes it.
    :param sources: `store.sources`; None, or without the file: nothing can be drawn.
    """
    from components.places import Rectangle

    if found["state"] == "not_in_documents" or not found["answers"]:
        return
    best = found["answers"][0]
    source = sources.get(best["source_id"]) if sources is not None and best["source_id"] else None
    boxes = [Rectangle(**box) for box in best["rectangles"]]
    if source is None or not boxes:
        _tell(f"{near(str(best['file']))}: no picture of this answer (pages of PDF files are drawn)")
        return
    try:
        draw_page(source, boxes[0].page, boxes)
    except exits.CommandError as error:  # the answer has been given; the picture is an addition to it
        _tell(str(error))


def marks(store: Any, source: "Source", start: int, end: int) -> list["Rectangle"]:
    """Where characters of a file stand on its pages; empty where its format has none."""
    from components.places import AnswerPlaces, locate

    layout = AnswerPlaces(store.sources).layout(source.source_id, source.version)
    return locate(layout, start, end).rectangles if layout is not None else []


def draw_page(source: "Source", page: int, boxes: Sequence["Rectangle"] = (), to: Path | None = None) -> None:
    """
    Draw a page of a PDF, with rectangles marked.

    :param to: a file to write the PNG to, instead of showing it.
    :raises CommandError: when there is no such page, or the file is gone, has changed or is no PDF.
    """
    from indexing.page_image import PageImageError, page_image

    protocol = protocol_here() if to is None else "file"
    try:
        png = page_image(source.path, page, boxes, content_hash=source.content_hash)
    except PageImageError as error:
        raise exits.CommandError(str(error)) from error
    if protocol != "file":
        sys.stdout.write(picture_text(png, protocol))
        sys.stdout.flush()
        return
    path = to or _kept_picture()
    try:
        _write(path, png, private=to is None)
    except OSError as error:
        raise exits.CommandError(f"cannot write the picture to `{near(str(path))}`: {error.strerror}") from error
    print(f"picture of page {page}: {printable(near(str(path)))}")
    if to is None:
        _open(path)


def _kept_picture() -> Path:
    """One file, which the next picture replaces: pages are not left lying about."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "excerpt" / "page.png"


def _write(path: Path, png: bytes, private: bool) -> None:
    if not private:
        path.write_bytes(png)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(png)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _open(path: Path) -> None:
    """In the system's viewer, for a person at a desktop; a script, or a server, is told the name only."""
    at_desktop = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    viewer = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if at_desktop and viewer and sys.stdout.isatty():
        silent = subprocess.DEVNULL
        subprocess.Popen([viewer, str(path)], stdin=silent, stdout=silent, stderr=silent, start_new_session=True)


def _tell(message: str) -> None:
    print(f"excerpt: {printable(message)}", file=sys.stderr)
