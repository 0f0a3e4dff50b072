"""
Where the last answers stood, for `excerpt open` and `show`: files, pages and offsets, readable by nobody else, no words
of them.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple


class LastAnswer(NamedTuple):
    """
    :param file: its path.
    :param page: from 1; None in a format without pages.
    :param source_id: of the file in the index.
    :param start: first character of the answer in the file's text.
    :param end: behind its last one.
    """

    file: str
    page: int | None
    source_id: str | None
    start: int | None
    end: int | None


def _file() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "excerpt" / "last-answers.json"


def keep_places(found: dict[str, Any]) -> None:
    """Remember the places of `found` (`pipelines.answers.answers_json`). Where that cannot be, nothing happens."""
    names = ("file", "page", "source_id", "start_in_file", "end_in_file")
    places = [[answer.get(name) for name in names] for answer in found["answers"] if answer["file"]]
    path = _file()
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.tmp")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(places, file)
        new.replace(path)


def read_places() -> list[LastAnswer]:
    """The answers to the last question, best first; empty when there was none."""
    try:
        return [LastAnswer(*place) for place in json.loads(_file().read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
