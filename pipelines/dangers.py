"""What no setting may say, at whatever depth: code to run, plain secrets, pickled weights, templates without an end."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECRET_FORM = "{type: env_var, env_vars: [NAME]}"  # noqa: S105 how to write one
MAX_TEMPLATE = 10_000  # characters
MAX_RUNS = 1_000  # of one component in one run

# True lets a model's own Python run, or a pickle be read.
_RUNS_CODE = ("trust_remote_code", "unsafe", "allow_pickle", "custom_pipeline", "code_revision", "auto_map")
_MUST_STAY_ON = ("use_safetensors", "weights_only")
_SECRETS = (
    *("token", "auth_token", "use_auth_token", "hf_token", "access_token", "bearer_auth", "bearer_token"),
    *("api_key", "api_key_id", "apikey", "password", "passwd", "basic_auth", "http_auth", "secret", "secret_key"),
    *("authorization", "proxy_authorization", "client_secret", "private_key"),
)
_LONGEST_PATTERN = 200
_ENDLESS_PATTERN = re.compile(r"\([^()]*(?:[+*}]|\|)[^()]*\)\s*(?:[+*]|\{\d)|\\\d")  # (a+)+, (a|a)*, a reference back
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".dill")
_MODEL_SETTINGS = ("model", "model_name_or_path", "tokenizer", "model_id", "backbone")

# What a template may hold. None of it makes the output longer than what goes in, times the template.
_TEMPLATE_NODES = {
    *("Template", "Output", "TemplateData", "Name", "Getattr", "Getitem", "Const", "Filter", "For", "If", "CondExpr"),
    *("Compare", "Operand", "And", "Or", "Not", "Concat", "Slice", "Test", "Tuple", "List", "Keyword"),
}
_TEMPLATE_FILTERS = {
    *("abs", "capitalize", "count", "default", "d", "escape", "e", "first", "float", "int", "join", "last", "length"),
    *("list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "select"),
    *("selectattr", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique", "upper"),
}
_ONCE = ("replace", "join", "map")  # these can grow what they get: once in a template, not on each other's output


def find_danger(key: str, value: Any) -> tuple[tuple[str, ...], str] | None:
    """
    The first thing in a setting that may not be said.

    :param key: the setting's name.
    :param value: its value, nested as YAML has it.
    :returns: (where in the value, what is wrong and what to write instead); None when there is nothing.
    """
    for where, name, inner in _walk(key, value):
        if problem := _problem(name, inner):
            return where, problem
    return None


def check_template(text: str) -> str | None:
    """What is wrong with a Jinja template, found without running any of it; None when nothing is."""
    from jinja2 import Environment, TemplateSyntaxError, nodes

    if len(text) > MAX_TEMPLATE:
        return f"holds a template of {len(text):,} characters; at most {MAX_TEMPLATE:,} are allowed"
    try:
        tree = Environment(autoescape=True).parse(text)
        found = list(tree.find_all(nodes.Node))
    except TemplateSyntaxError as error:
        return f"holds a template that is wrong in line {error.lineno}: {error.message}"
    except RecursionError:
        return "holds a template that is nested too deep"
    for node in found:
        kind = type(node).__name__
        if kind not in _TEMPLATE_NODES:
            return f"holds a template with {kind.lower()}: only values, filters, if and for are allowed"
        if isinstance(node, nodes.Filter) and node.name not in _TEMPLATE_FILTERS:
            return f"holds a template with the filter {node.name!r}; allowed are {', '.join(sorted(_TEMPLATE_FILTERS))}"
        if isinstance(node, nodes.Getattr | nodes.Name) and _attribute(node).startswith("_"):
            return f"holds a template with {_attribute(node)!r}: names with a leading _ are not allowed"
        if isinstance(node, nodes.For) and (node.recursive or next(node.iter_child_nodes(), None) is None):
            return "holds a template with a recursive loop"
        if isinstance(node, nodes.For) and any(one is not node for one in node.find_all(nodes.For)):
            return "holds a template with a loop in a loop: one level is allowed"
    growing = [node.name for node in found if isinstance(node, nodes.Filter) and node.name in _ONCE]
    if len(growing) > len(set(growing)):
        return f"holds a template with a filter used twice that can make text grow ({', '.join(_ONCE)}: once each)"
    return None


def _walk(key: str, value: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """(place, name of the nearest setting, value) of everything in a setting."""
    yield where, key, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(str(name), inner, (*where, str(name)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(key, inner, (*where, str(index)))


def _problem(name: str, value: Any) -> str | None:
    plain = name.lower().replace("-", "_")
    if plain in _RUNS_CODE and value not in (False, None, 0, ""):
        return f'"{name}" may not be on: it lets code run that comes with a model or a file. Leave it out'
    if plain in _MUST_STAY_ON and value not in (True, None):
        return f'"{name}" may not be off: pickled weights can run code. Leave it out'
    if plain in _SECRETS and isinstance(value, str) and value:
        return f'"{name}" holds a secret in plain; name the environment variable that holds it: {SECRET_FORM}'
    if plain == "type" and value == "token":
        return f"a secret stands in plain in the file; name the environment variable that holds it: {SECRET_FORM}"
    if isinstance(value, float) and not math.isfinite(value):
        return f'"{name}" is {"not a number" if math.isnan(value) else "without an end"}; write a number'
    if isinstance(value, str):
        return _problem_of_text(plain, name, value)
    return None


def _problem_of_text(plain: str, name: str, value: str) -> str | None:
    if "\x00" in value:
        return f'"{name}" holds a NUL character'
    if plain in (*_MODEL_SETTINGS, "model_file") and value.lower().endswith(_PICKLES):
        return f'"{name}" names pickled weights, which can run code; use a folder with *.safetensors'
    if any(sign in value for sign in ("{{", "{%", "{#")):
        return check_template(value)
    if any(word in plain for word in ("regex", "pattern", "separators")) and (
        len(value) > _LONGEST_PATTERN or _ENDLESS_PATTERN.search(value)
    ):
        return (
            f'"{name}" holds a pattern that may take forever: no repetition of a group that repeats, at most 200 long'
        )
    return None


def check_model_folders(settings: dict[str, Any]) -> str | None:
    """
    Hold the model folders that settings name against `components.models.checked`, for components that load them by
    themselves; what is no folder here comes from a hub, as safetensors only.

    :returns: what is wrong with one; None when nothing is.
    """
    for _, name, value in _walk("", settings):
        if name in _MODEL_SETTINGS and isinstance(value, str) and Path(value).is_dir():
            from components.models import ModelError, checked

            try:
                checked(Path(value))
            except ModelError as error:
                return str(error)
            if files := sorted(file.name for file in Path(value).rglob("*.py")):
                return f"'{value}' holds code of its own ({files[0]}), which is never run here"
    return None


def _attribute(node: Any) -> str:
    return str(getattr(node, "attr", None) or getattr(node, "name", ""))
