"""Reads a pipeline's YAML safely: small, shallow, without surprises, settings filled in from the environment."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_ALIASES = 50
MAX_NODES = 20_000

_SHORTEST_SECRET = 4  # characters of a value from the environment that is kept out of messages
_LEAST_HIDDEN = 6  # so much of its beginning is hidden, too, where a message cut it
_LONGEST_HIDDEN = 400

_REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)(?=\{)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\{))"
)
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str")}
_STRING = "tag:yaml.org,2002:str"


class BrokenPipelineError(ValueError):
    """A pipeline that cannot be used. The message names the file, the component, the setting, and what is allowed."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        super().__init__(f"{path}{f', line {line}' if line else ''}: {problem}")


@dataclass
class YamlDocument:
    """The content of one YAML file, and the line where each setting stands (keyed by its path from the top)."""

    path: Path
    content: dict[str, Any]
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    filled: dict[str, str] = field(default_factory=dict)  # value from the environment -> name of its variable

    def hide(self, text: str) -> str:
        """
        A message without what came from the environment, which may be secret: the variable's name stands instead. Also
        where the value was cut, quoted or escaped on its way into the message.
        """
        for value in sorted(self.filled, key=len, reverse=True):
            for form in {value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(value, safe=""), value.lower()}:
                for length in range(min(len(form), _LONGEST_HIDDEN), min(_LEAST_HIDDEN, len(form)) - 1, -1):
                    if form[:length] in text:
                        text = text.replace(form, f"${{{self.filled[value]}}}")
                        text = text.replace(form[:length], f"${{{self.filled[value]}}}")
                        break
        return text

    def error(self, problem: str, *where: str) -> BrokenPipelineError:
        """An error at the place `where` names, or at its nearest parent that stands in the file."""
        known = [where[:length] for length in range(len(where), 0, -1) if where[:length] in self.lines]
        return BrokenPipelineError(self.path, self.lines[known[0]] if known else None, self.hide(problem))


def read_yaml(path: Path, environment: Mapping[str, str]) -> YamlDocument:
    """
    Read one YAML file; `${NAME:-default}` inside its values is replaced from `environment`.

    A value from the environment stays inside the scalar it is named in: it can become a number or a word, never a list,
    a mapping or a tag. As in a shell, the default also stands in for an empty variable; `$${` gives a literal `${`.

    :raises BrokenPipelineError: for a file that is too large or too deep, has too many aliases, a key twice, a syntax
        error, or names a variable that is neither set nor given a default.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BrokenPipelineError(path, None, f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise BrokenPipelineError(path, None, f"has {len(raw):,} bytes; at most {MAX_BYTES:,} are allowed")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BrokenPipelineError(path, line, "is not UTF-8; save the file as UTF-8") from error
    document = YamlDocument(path, {})
    try:
        _check_shape(path, text)
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise BrokenPipelineError(
                path, 1, "is no pipeline: the top must be a mapping with `components` and `connections`"
            )
        _Filler(document, loader, environment).visit(root)
        document.content = loader.construct_document(root)
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        problem = document.hide(f"is not valid YAML: {problem}")
        raise BrokenPipelineError(path, mark.line + 1 if mark else None, problem) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, BrokenPipelineError):
            raise
        raise BrokenPipelineError(path, None, document.hide(f"is not valid YAML: {error}")) from None


def _check_shape(path: Path, text: str) -> None:
    """Count depth and aliases on the stream of events, before anything is built of them."""
    depth = aliases = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH:
            raise BrokenPipelineError(path, line, f"is nested deeper than the {MAX_DEPTH} levels that are allowed")
        if aliases > MAX_ALIASES:
            raise BrokenPipelineError(path, line, f"uses more than the {MAX_ALIASES} aliases (*name) that are allowed")
        if nodes > MAX_NODES:
            raise BrokenPipelineError(path, line, f"has more than the {MAX_NODES:,} values that are allowed")


class _Filler:
    """Walks the YAML once: notes lines, refuses keys given twice, loops and alias bombs, fills variables in."""

    def __init__(self, document: YamlDocument, loader: yaml.SafeLoader, environment: Mapping[str, str]) -> None:
        self.document, self.loader, self.environment = document, loader, environment
        self.open: set[int] = set()
        self.filled: set[int] = set()
        self.visited = 0

    def visit(self, node: yaml.Node, where: tuple[str, ...] = ()) -> None:
        line = node.start_mark.line + 1
        self.visited += 1
        if self.visited > MAX_NODES:
            raise BrokenPipelineError(self.document.path, line, "grows too large through its aliases (*name)")
        if id(node) in self.open:
            raise BrokenPipelineError(self.document.path, line, "an alias (*name) contains itself")
        self.open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, where)
        elif isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                self.document.lines.setdefault((*where, str(index)), child.start_mark.line + 1)
                self.visit(child, (*where, str(index)))
        elif isinstance(node, yaml.ScalarNode) and id(node) not in self.filled:
            self._fill(node)
        self.open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, where: tuple[str, ...]) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BrokenPipelineError(self.document.path, line, "a name must be a word, not a list or a mapping")
            if key.value in seen and key.value != "<<":
                raise BrokenPipelineError(self.document.path, line, f"`{key.value}` is given twice; keep one of them")
            seen.add(key.value)
            self.document.lines.setdefault((*where, key.value), line)
            self.visit(value, (*where, key.value))

    def _fill(self, node: yaml.ScalarNode) -> None:
        self.filled.add(id(node))
        line = node.start_mark.line + 1

        def value_of(match: re.Match[str]) -> str:
            if match["escaped"]:
                return ""
            if match["bad"]:
                raise BrokenPipelineError(
                    self.document.path,
                    line,
                    f"`{node.value}`: write ${{NAME}} or ${{NAME:-default}}; $${{ for a literal ${{",
                )
            value = self.environment.get(match["name"]) or match["default"]
            if value is None:
                raise BrokenPipelineError(
                    self.document.path,
                    line,
                    f"the environment variable {match['name']} is not set and has no default; "
                    f"set it, or write ${{{match['name']}:-default}}",
                )
            if self.environment.get(match["name"]) and len(value) >= _SHORTEST_SECRET:
                self.document.filled[value] = match["name"]
            return value

        if "${" not in node.value:
            return
        node.value = _REFERENCE.sub(value_of, node.value)
        if node.style is None:  # not quoted: `top_k: ${TOP_K:-20}` is a number
            tag = self.loader.resolve(yaml.ScalarNode, node.value, (True, False))
            node.tag = tag if tag in _PLAIN_TAGS else _STRING
