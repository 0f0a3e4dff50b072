"""The wall around a pipeline's YAML: which classes it may name, and whether each of their settings exists."""

import importlib
import inspect
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from components.suggest import suggest
from pipelines.document import YamlDocument

ALLOWED_MODULES = (
    "components.*",
    "indexing.*",
    "haystack.components.*",
    "haystack.document_stores.*",
    "haystack_integrations.document_stores.*",
    "haystack_integrations.components.embedders.*",
    "haystack_integrations.components.rankers.*",
    "haystack_integrations.components.readers.*",
    "haystack_integrations.components.retrievers.*",
)
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
    for key, value in settings.items():
        here = (*where, str(key))
        if key not in legal and not open_ended:
            raise document.error(f'component "{name}": setting "{key}" is unknown{suggest(str(key), legal)}', *here)
        if key in parameters and "Callable" in str(parameters[key].annotation) and value is not None:
            raise document.error(
                f'component "{name}": setting "{key}" names code to run; that is not allowed in YAML', *here
            )
        if key == "unsafe" and value:
            raise document.error(
                f'component "{name}": setting "unsafe" may not be on: it lets the YAML run code', *here
            )
        if key == "filters":
            from components.stores.filters import normalise  # imports Haystack, which reading a YAML need not

            try:
                normalise(value, allow_empty=False)
            except ValueError as error:
                raise document.error(f'component "{name}", setting "filters": {error}', *here) from error
        _check_nested(document, name, value, here)
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


def _find_class(document: YamlDocument, name: str, kind: str, where: tuple[str, ...]) -> type:
    module_name, _, class_name = kind.rpartition(".")
    if not (_is_named(module_name, ALLOWED_MODULES) or _is_named(module_name, installed_modules())):
        raise document.error(
            f'component "{name}": type "{kind}" is not allowed; types come from {", ".join(ALLOWED_MODULES)}',
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
