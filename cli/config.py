"""Settings that stay: `excerpt.toml` in this folder, or the user's own; environment and options go before them."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cli.exits import CommandError

NAME = "excerpt.toml"


@dataclass(frozen=True)
class Setting:
    """
    :param name: in the file.
    :param environment: the variable that overrides it.
    :param default: what holds when nobody says anything.
    :param kind: type of its value.
    :param commands: which take it, by the name of their parameter; none: it fills the pipelines' YAML.
    :param place: `path`: relative to the file's folder; `perhaps`: if there is such a folder beside the file.
    """

    name: str
    environment: str
    default: Any
    kind: type
    help: str
    commands: tuple[str, ...] = ()
    place: Literal["", "path", "perhaps"] = ""

    @property
    def option(self) -> str:
        """How a command line gives it."""
        return f"--{self.name.replace('_', '-')}"


_ASKING = ("ask",)
_STORE = ("ask", "index", "status", "list", "show", "forget")
SETTINGS = (
    Setting("store", "EXCERPT_STORE", ".excerpt", str, "where the index lies (embedded pipelines)", _STORE, "path"),
    Setting("pipelines", "EXCERPT_PIPELINES", "embedded", str, "set or folder of pipelines", _STORE, "perhaps"),
    Setting("reader", "EXCERPT_READER", "models/minilm-squad", str, "the model that reads", _ASKING, "perhaps"),
    Setting("top_k", "EXCERPT_TOP_K", 3, int, "how many answers are shown at most", _ASKING),
    Setting("keep_warm", "EXCERPT_KEEP_WARM", 0, float, "minutes a reader stays loaded after a question", _ASKING),
    Setting("viewer", "EXCERPT_VIEWER", "", str, "command that opens a file, with {page} and {file}", ("open",)),
    Setting("wait", "EXCERPT_WAIT", 0, float, "seconds to wait for another index run", ("index", "forget")),
)


@dataclass(frozen=True)
class Value:
    """A setting's value and where it comes from, as a person would name that."""

    value: Any
    origin: str


def files() -> list[Path]:
    """The files there may be, the nearer one first."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return [Path(NAME), home / "excerpt" / NAME]


def from_files() -> dict[str, Value]:
    """
    What the files say, by setting.

    :raises CommandError: for a file that cannot be read, a setting that there is not, a value of another kind.
    """
    found: dict[str, Value] = {}
    for path in reversed(files()):
        found |= {name: Value(value, str(path)) for name, value in _read(path).items()}
    return found


def values(environment: Mapping[str, str] = os.environ) -> dict[str, Value]:
    """Every setting with its value and origin, before options."""
    said = from_files()
    found: dict[str, Value] = {}
    for setting in SETTINGS:
        if environment.get(setting.environment):
            found[setting.name] = Value(environment[setting.environment], f"environment, {setting.environment}")
        else:
            found[setting.name] = said.get(setting.name, Value(setting.default, "default"))
    return found


def default_map() -> dict[str, dict[str, Any]]:
    """What the files say, as the command line takes it: below environment and options, above its defaults."""
    commands: dict[str, dict[str, Any]] = {}
    for name, said in from_files().items():
        setting = next(one for one in SETTINGS if one.name == name)
        for command in setting.commands:
            commands.setdefault(command, {})[name] = said.value
    return commands


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: is not valid TOML: {error}") from error
    for name, value in list(content.items()):
        setting = next((one for one in SETTINGS if one.name == name), None)
        if setting is None:
            from components.suggest import suggest

            raise CommandError(f"{path}: `{name}` is no setting{suggest(name, [one.name for one in SETTINGS])}")
        if isinstance(value, bool) or not isinstance(value, (int, float) if setting.kind is float else setting.kind):
            kind = {str: "text in quotes", int: "a whole number", float: "a number"}[setting.kind]
            raise CommandError(f"{path}: `{name}` is {value!r}; it must be {kind}")
        if setting.place:
            beside = path.parent / Path(str(value)).expanduser()
            content[name] = str(beside) if setting.place == "path" or beside.is_dir() else value
    return content
