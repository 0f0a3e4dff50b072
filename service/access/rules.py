"""Who may see a file that was not uploaded here: a file of rules by path pattern, or a sidecar beside the document."""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from service.access.permissions import EVERYONE, NOBODY, InvalidAllow, written
from service.settings import SettingsError

_MAX_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Rule:
    pattern: str
    allow: str


class Rules:
    """
    The first rule whose pattern fits a path says who may see it; without one, `otherwise` does.

    ```yaml
    rules:
      - {path: "/srv/hr/**", allow: ["group:hr", "user:ann"]}
      - {path: "/srv/public/**", allow: [everyone]}
    otherwise: []          # nobody; the default
    ```

    In a pattern `*` stands for anything but "/", `**` for anything, `?` for one character.

    :raises SettingsError: when the file is there and wrong. A file that turns wrong later keeps the rules of before,
        and `problem` says what is the matter.
    """

    def __init__(self, path: Path | None, sidecars: bool = False) -> None:
        self.path, self.sidecars = path, sidecars
        self.rules: list[Rule] = []
        self.otherwise = EVERYONE
        self.problem: str | None = None
        self._seen: tuple[int, int] | None = None
        if path is not None:
            self._read()

    @property
    def restrict(self) -> bool:
        """Whether files may be restricted by where they lie."""
        return self.path is not None or self.sidecars

    def is_stale(self) -> bool:
        """Whether the file is another one than was read; costs one `stat`."""
        if self.path is None:
            return False
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return (status.st_mtime_ns, status.st_size) != self._seen

    def changed(self) -> bool:
        """Look at the file; read it when it is another one than before."""
        if self.path is None:
            return False
        try:
            status = os.stat(self.path)
            if (status.st_mtime_ns, status.st_size) == self._seen:
                return False
            self._seen = (status.st_mtime_ns, status.st_size)
            self._read()
        except (OSError, SettingsError) as error:
            self.problem = str(error)
            return False
        return True

    def allow_of(self, path: str) -> str:
        """Who may see the file at `path`, as passages carry it."""
        if self.sidecars and (beside := _sidecar(path)) is not None:
            return beside
        return next((rule.allow for rule in self.rules if _pattern(rule.pattern).fullmatch(path)), self.otherwise)

    def _read(self) -> None:
        assert self.path is not None  # noqa: S101 - the callers have looked
        try:
            status = os.stat(self.path)
            text = self.path.read_text(encoding="utf-8") if status.st_size <= _MAX_BYTES else ""
            content = yaml.safe_load(text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SettingsError(f"{self.path}: cannot be read as YAML") from error
        if not isinstance(content, dict) or not set(content) <= {"rules", "otherwise"}:
            raise SettingsError(f"{self.path}: must hold `rules`, and may hold `otherwise`; nothing else")
        rules = []
        for number, entry in enumerate(content.get("rules") or [], start=1):
            if not isinstance(entry, dict) or set(entry) != {"path", "allow"} or not isinstance(entry["path"], str):
                raise SettingsError(f"{self.path}: rule {number}: must be {{path: PATTERN, allow: [...]}}")
            rules.append(Rule(entry["path"], self._allow(entry["allow"], f"rule {number}")))
        self.rules = rules
        self.otherwise = self._allow(content.get("otherwise", []), "otherwise")
        self._seen, self.problem = (status.st_mtime_ns, status.st_size), None

    def _allow(self, value: object, where: str) -> str:
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise SettingsError(f"{self.path}: {where}: `allow` must be a list of everyone, user:NAME, group:NAME")
        try:
            return written(value)
        except InvalidAllow as error:
            raise SettingsError(f"{self.path}: {where}: {error}") from error


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    """`**` crosses folders, `*` and `?` do not; all else stands for itself."""
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = [wild.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern)]
    return re.compile("".join(parts), re.DOTALL)


def _sidecar(path: str) -> str | None:
    """What `FILE.allow` says: one principal a line. One that cannot be read hides the file: rather nobody than all."""
    beside = f"{path}.allow"
    try:
        descriptor = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError:
        return NOBODY
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file.read(64 * 1024).splitlines()]
    try:
        return written([line for line in lines if line and not line.startswith("#")])
    except InvalidAllow:
        return NOBODY
