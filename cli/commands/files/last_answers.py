"""Where the last answers stood, for `excerpt open`: files and pages only, readable by nobody else, no words of them."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def _file() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "excerpt" / "last-answers.json"


def keep_places(found: dict[str, Any]) -> None:
    """Remember the places of `found` (`pipelines.answers.answers_json`). Where that cannot be, nothing happens."""
    places = [[answer["file"], answer["page"]] for answer in found["answers"] if answer["file"]]
    path = _file()
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.tmp")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(places, file)
        new.replace(path)


def read_places() -> list[tuple[str, int | None]]:
    """(path, page or None) of each answer to the last question, best first; empty when there was none."""
    try:
        return [(str(file), page) for file, page in json.loads(_file().read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
