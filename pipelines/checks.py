"""The wall around a pipeline's YAML: which classes it may name, and whether each of their settings exists."""

import importlib
import inspect
import types
import typing
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from components.suggest import suggest
from pipelines.allowed import MOVED, OUR_MODULES, is_allowed, is_ours, names_in
from pipelines.dangers import MAX_RUNS, check_model_folders, find_danger
from pipelines.document import YamlDocument
from pipelines.language_models import check_language_model, is_language_model

# The group of entry points by which an installed package names modules of its own that a YAML may use. What is
# installed is trusted already: it could run code without us. The YAML itself cannot add to the list.
ENTRY_POINTS = "excerpt.components"
_PLAIN_TYPES = ("env_var", "single", "multiple")  # Haystack's Secret and ComponentDevice, which name no class
_TOP = (
    "components",
    "connections",
    "inputs",
    "outputs",
    "metadata",
    "max_runs_per_component",
    "connection_type_validation",
)


def check_top(document: YamlDocument) -> None:
    """The sections of the file: those that must be there, none that nobody reads."""
    content = document.content
    for key in content:
        if key not in _TOP:
            raise document.error(f"section `{key}` is unknown{suggest(str(key), _TOP)}", str(key))
    components = content.get("components")
    if not isinstance(components, dict) or not components:
        raise document.error("`components` must map names to components, each with a `type`", "components")
    for name, component in components.items():
        where = ("components", str(name))
        if not isinstance(component, dict) or not isinstance(component.get("type"), str):
            raise document.error(
                f'component "{name}": `type` is missing; write type: components.reader.ExtractiveReader', *where
            )
        for key in component:
            if key not in ("type", "init_parameters"):
                raise document.error(
                    f'component "{name}": `{key}` is unknown here; allowed are type, init_parameters', *where, str(key)
                )
    runs = content.get("max_runs_per_component", 1)
    if not isinstance(runs, int) or isinstance(runs, bool) or not 1 <= runs <= MAX_RUNS:
        raise document.error(f"`max_runs_per_component` must be from 1 to {MAX_RUNS:,}", "max_runs_per_component")
    for section, kind in (("inputs", dict), ("outputs", dict), ("connections", list)):
        if not isinstance(content.get(section, kind()), kind):
            raise document.error(f"`{section}` must be a {'mapping' if kind is dict else 'list'}", section)


def check_settings(document: YamlDocument, name: str, data: dict[str, Any], where: tuple[str, ...]) -> type:
    """
    Check one component (or store) and what is nested in its settings, before any of it is built.

    A class named by the package that shows it (`components.reader.X`) is written back under its own module.
    Order matters: the name of a class is held against the list before its module is imported.
    """
    cls = _find_class(document, name, data["type"], where)
    data["type"] = f"{cls.__module__}.{cls.__qualname__}"  # Haystack knows a class by the module that defines it
    settings = data.get("init_parameters") or {}
    if not isinstance(settings, dict):
        raise document.error(
            f'component "{name}": `init_parameters` must map settings to values', *where, "init_parameters"
        )
    where = (*where, "init_parameters")
    signature = inspect.signature(cls.__init__)  # type: ignore[misc] # of the class itself: Haystack wraps its call
    parameters = {key: value for key, value in signature.parameters.items() if key != "self"}
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    legal = [
        key
        for key, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    hints = _hints(cls)
    if not is_ours(cls.__module__) and (problem := check_model_folders(settings)):
        raise document.error(f'component "{name}": {problem}', *where)
    if is_language_model(cls) and (refused := check_language_model(cls, settings, document.filled)):
        raise document.error(f'component "{name}": setting "{refused[0]}" {refused[1]}', *where, refused[0])
    for key, value in settings.items():
        here = (*where, str(key))
        if key not in legal and not open_ended:
            raise document.error(f'component "{name}": setting "{key}" is unknown{suggest(str(key), legal)}', *here)
        if key in parameters and "Callable" in str(parameters[key].annotation) and value is not None:
            raise document.error(
                f'component "{name}": setting "{key}" names code to run; that is not allowed in YAML', *here
            )
        if (danger := find_danger(str(key), value)) is not None:
            raise document.error(f'component "{name}", setting "{key}": {danger[1]}', *here, *danger[0])
        if key in hints and not _fits(value, hints[key]):
            raise document.error(
                f'component "{name}": setting "{key}" is {_told(value)}; it must be {_told_kinds(hints[key])}', *here
            )
        if key == "filters":
            from components.stores.filters import normalise  # imports Haystack, which reading a YAML need not

            try:
                normalise(value, allow_empty=False)
            except ValueError as error:
                raise document.error(f'component "{name}", setting "filters": {error}', *here) from None
        _check_nested(document, name, value, here)
    if not is_ours(cls.__module__) and "model_kwargs" in parameters:
        # What comes from a hub is loaded as safetensors, or not at all.
        data["init_parameters"] = {**settings, "model_kwargs": {**(settings.get("model_kwargs") or {}), **_SAFE}}
    for key in legal:
        if parameters[key].default is inspect.Parameter.empty and key not in settings:
            raise document.error(f'component "{name}": setting "{key}" is missing; {cls.__name__} needs it', *where)
    return cls


def _check_nested(document: YamlDocument, name: str, value: Any, where: tuple[str, ...]) -> None:
    if isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and "." in kind:
            check_settings(document, f"{name}.{where[-1]}", value, where)
            return
        if isinstance(kind, str) and "init_parameters" in value and kind not in _PLAIN_TYPES:
            raise document.error(f'component "{name}": type "{kind}" names no class; write module.Class', *where)
        for key, child in value.items():
            _check_nested(document, name, child, (*where, str(key)))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _check_nested(document, name, child, (*where, str(index)))


def installed_modules() -> list[str]:
    """What installed packages add to the modules that a YAML may name: the values of their entry points."""
    from importlib.metadata import entry_points

    return sorted(
        {pattern for point in entry_points(group=ENTRY_POINTS) for pattern in (point.value, point.value + ".*")}
    )


def _is_named(module: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(module, pattern) or module == pattern.removesuffix(".*") for pattern in patterns)


_SAFE = {"use_safetensors": True}
_SIMPLE = (str, int, float, bool, type(None))


def _hints(cls: type) -> dict[str, Any]:
    """The types that settings are annotated with; none where they cannot be told."""
    try:
        return typing.get_type_hints(cls.__init__)  # type: ignore[misc]
    except (NameError, TypeError, AttributeError):
        return {}


def _kinds(hint: Any) -> tuple[type, ...]:
    """`int | None` as (int, NoneType); empty when anything but the types of YAML's scalars is among them."""
    kinds = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    return kinds if all(kind in _SIMPLE for kind in kinds) else ()


def _fits(value: Any, hint: Any) -> bool:
    kinds = _kinds(hint)
    if not kinds or type(value) in kinds:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and float in kinds


def _told(value: Any) -> str:
    kind = {dict: "a mapping", list: "a list", str: "text", bool: "a switch", type(None): "empty"}.get(type(value))
    return f"{kind} ({str(value)[:40]!r})" if kind and kind != "empty" else kind or repr(value)


def _told_kinds(hint: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
    return " or ".join(names[kind] for kind in _kinds(hint))


def _find_class(document: YamlDocument, name: str, kind: str, where: tuple[str, ...]) -> type:
    kind = MOVED.get(kind, kind)
    module_name, _, class_name = kind.rpartition(".")
    if not (is_allowed(module_name, class_name) or _is_named(module_name, installed_modules())):
        names = names_in(module_name)
        hint = suggest(class_name, names) if names else f"; types come from {', '.join(OUR_MODULES)} and a list of"
        raise document.error(
            f'component "{name}": type "{kind}" is not allowed{hint}'
            + ("" if names else " Haystack's that run no code and reach no network (pipelines/allowed.py)"),
            *where,
            "type",
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise document.error(
            f'component "{name}": type "{kind}": cannot import {module_name}: {error}', *where, "type"
        ) from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        classes = [key for key in dir(module) if key[:1].isupper()]
        raise document.error(
            f'component "{name}": type "{kind}" is unknown{suggest(class_name, classes)}', *where, "type"
        )
    return found
