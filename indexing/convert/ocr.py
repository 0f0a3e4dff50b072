"""Pictures of text, recognised by tesseract where the system has it: one page a picture, with its words' rectangles."""

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from indexing.convert.extracted import Extracted, Refusal
from indexing.convert.kinds import MIME_TYPES

NO_TESSERACT = "no text: install tesseract, or set `ocr: off`"
_MIN_CONFIDENCE = 30.0  # of tesseract's 100: below it are specks and borders
_MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class SeenWord:
    """
    A word on the picture.

    :param left: in pixels from the left edge; `top` from the upper one.
    :param paragraph: number of block and paragraph, and of the line in it: words of one line share both.
    """

    text: str
    left: float
    top: float
    width: float
    height: float
    paragraph: tuple[int, int]
    line: int


def tesseract() -> str | None:
    """The path of the program, None where it is not installed."""
    return shutil.which("tesseract")


def recognise(picture: bytes, languages: str | None = None, dots_per_inch: int | None = None) -> list[SeenWord]:
    """
    Words of a picture (PNG, JPEG, TIFF, BMP, GIF, WEBP, PNM) in reading order.

    :param languages: as tesseract names them (``eng+deu``); None: all that are installed, at most four.
    :param dots_per_inch: of the picture, where it does not say.
    :raises Refusal: "no text" without tesseract; "damaged" for what it cannot open.
    """
    program = tesseract()
    if program is None:
        raise Refusal("no text", NO_TESSERACT.removeprefix("no text: "))
    command = [program, "-", "-", "--psm", "3", "-l", languages or _installed(program)]
    if dots_per_inch:
        command += ["--dpi", str(dots_per_inch)]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run([*command, "tsv"], input=picture, capture_output=True, env=environment, check=False)
    if done.returncode != 0:
        raise Refusal("damaged", f"tesseract cannot read the picture (exit code {done.returncode})")
    return list(_words(done.stdout.decode("utf-8", "replace")))


def text_of(words: list[SeenWord]) -> tuple[str, list[tuple[int, int]]]:
    """The words as paragraphs of lines, and where each comes to stand: (start, end)."""
    parts: list[str] = []
    places = []
    length = 0
    before: SeenWord | None = None
    for word in words:
        if before is not None:
            same = before.paragraph == word.paragraph
            gap = " " if same and before.line == word.line else "\n" if same else "\n\n"
            parts.append(gap)
            length += len(gap)
        places.append((length, length + len(word.text)))
        parts.append(word.text)
        length += len(word.text)
        before = word
    return "".join(parts), places


def convert_image(data: bytes) -> Extracted:
    """
    :raises Refusal: "no text" without tesseract, or when it sees none.
    """
    words = recognise(data)
    text, places = text_of(words)
    if not text:
        raise Refusal("no text", "tesseract sees no text in the picture")
    return Extracted(
        text, MIME_TYPES["image"], paged=True, layout=_layout(words, places), notes=["text recognised by tesseract"]
    )


def _layout(words: list[SeenWord], places: list[tuple[int, int]]) -> bytes:
    from components.page_layout import Word, pack

    packed = [
        Word(1, start, end, word.left, word.top, word.left + word.width, word.top + word.height)
        for word, (start, end) in zip(words, places, strict=True)
    ]
    width = max((word.left + word.width for word in words), default=0.0)
    height = max((word.top + word.height for word in words), default=0.0)
    return pack(packed, [(width, height)])


def _installed(program: str) -> str:
    listed = subprocess.run([program, "--list-langs"], capture_output=True, check=False).stdout.decode(
        "utf-8", "replace"
    )
    names = [name.strip() for name in listed.split("\n")[1:] if name.strip() and name.strip() not in ("osd", "equ")]
    first = [name for name in ("eng", "deu", "fra", "spa") if name in names]
    return "+".join((first or names)[:4]) or "eng"


def _words(table: str) -> Iterator[SeenWord]:
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row.get("text") or "").strip()
        try:
            if not text or float(row["conf"]) < _MIN_CONFIDENCE:
                continue
            box = [float(row[name]) for name in ("left", "top", "width", "height")]
            paragraph = (int(row["block_num"]), int(row["par_num"]))
            yield SeenWord(text, box[0], box[1], box[2], box[3], paragraph, int(row["line_num"]))
        except (KeyError, ValueError, TypeError):
            continue
