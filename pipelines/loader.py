"""The one loader of pipelines: from a YAML file to a Haystack pipeline with declared inputs and outputs."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.named_pipeline import NamedPipeline
from components.suggest import suggest
from pipelines.checks import check_settings, check_top, installed_modules
from pipelines.document import BrokenPipelineError, YamlDocument, read_yaml

if TYPE_CHECKING:
    from haystack import Pipeline

__all__ = ["BrokenPipelineError", "LoadedPipeline", "find_pipelines", "load_pipeline"]

SETS = Path(__file__).resolve().parent
_ALLOWED = ["components.*", "indexing.*"]  # what Haystack's own allowlist needs beside Haystack itself


@dataclass(frozen=True)
class LoadedPipeline(NamedPipeline):
    """A pipeline read from the YAML file at `path`, with the inputs and outputs that it declares."""

    path: Path = Path()


def find_pipelines(chosen: str) -> Path:
    """
    The folder that `--pipelines` names: a set that comes with Excerpt, or a folder of the user's own.

    :raises BrokenPipelineError: naming the sets there are.
    """
    sets = {folder.name: folder for folder in sorted(SETS.iterdir()) if list(folder.glob("*.yaml"))}
    if chosen in sets:
        return sets[chosen]
    folder = Path(chosen).expanduser()
    if folder.is_dir():
        return folder
    raise BrokenPipelineError(Path(chosen), None, f"is neither a folder nor one of the sets {', '.join(sets)}")


def store_folders(name: str, chosen: str, environment: Mapping[str, str]) -> list[Path]:
    """
    Where the stores of a pipeline lie (setting `path`), by its YAML alone: nothing is imported or built.

    :raises BrokenPipelineError: when the file cannot be read as YAML.
    """
    components = read_yaml(pipeline_file(name, chosen), environment).content.get("components")
    folders: list[Path] = []
    for component in components.values() if isinstance(components, dict) else ():
        settings = component.get("init_parameters") if isinstance(component, dict) else None
        store = settings.get("document_store") if isinstance(settings, dict) else None
        path = store.get("init_parameters", {}).get("path") if isinstance(store, dict) else None
        if isinstance(path, str):
            folders.append(Path(path))
    return folders


def load_pipeline(
    name: str,
    chosen: str = "embedded",
    environment: Mapping[str, str] | None = None,
    on_built: Callable[[Any], None] | None = None,
) -> LoadedPipeline:
    """
    Load the pipeline `name` ("index" or "ask") of the set or folder `chosen`.

    Models and indexes are not opened here: components do that in `warm_up`, or on their first run.

    :param environment: what fills `${NAME:-default}`; the process's environment by default.
    :param on_built: called with each component as soon as it is built.
    :raises BrokenPipelineError: naming the file, the line, the component, the setting, and what is allowed.
    """
    path = pipeline_file(name, chosen)
    document = read_yaml(path, os.environ if environment is None else environment)
    check_top(document)
    for key, data in document.content["components"].items():
        check_settings(document, str(key), data, ("components", str(key)))
    pipeline = _build(document, on_built)
    _connect(document, pipeline)
    inputs = {
        str(key): _sockets(document, pipeline, str(key), value)
        for key, value in document.content.get("inputs", {}).items()
    }
    outputs = {
        str(key): _output(document, pipeline, str(key), value)
        for key, value in document.content.get("outputs", {}).items()
    }
    _check_complete(document, pipeline, inputs)
    return LoadedPipeline(pipeline, inputs, outputs, str(path), path)


def pipeline_file(name: str, chosen: str) -> Path:
    """
    The YAML file of the pipeline `name` in the set or folder `chosen`.

    :raises BrokenPipelineError: when it is not there.
    """
    folder = find_pipelines(chosen)
    path = folder / f"{name}.yaml"
    if name == "index" and not path.is_file() and folder.parent == SETS:
        path = SETS / "embedded" / "index.yaml"  # sets that only answer in another way share its index
    if not path.is_file():
        raise BrokenPipelineError(path, None, f"is missing; `{folder}` must hold index.yaml and ask.yaml")
    return path


def _build(document: YamlDocument, on_built: Callable[[Any], None] | None) -> "Pipeline":
    from haystack import Pipeline

    head = {key: value for key, value in document.content.items() if key not in ("inputs", "outputs", "connections")}
    components: dict[str, Any] = {}
    allowed = [*_ALLOWED, *installed_modules()]
    for name, data in head["components"].items():
        one = {"components": {name: {"init_parameters": {}, **data}}}
        try:
            # alone at first, so that an error is known to be this component's
            components[name] = Pipeline.from_dict(one, allowed_modules=allowed).remove_component(name)
        except Exception as error:
            cause = error.__cause__ or error
            told = document.error(f'component "{name}" ({data["type"]}): {cause}', "components", name)
            raise told from (
                None if document.filled else error
            )  # what came from the environment may stand in its words
        if on_built is not None:
            on_built(components[name])
    settings = {
        key: head[key] for key in ("metadata", "max_runs_per_component", "connection_type_validation") if key in head
    }
    pipeline = Pipeline(**settings)
    for name, component in components.items():
        pipeline.add_component(name, component)
    return pipeline


def _connect(document: YamlDocument, pipeline: "Pipeline") -> None:
    for index, connection in enumerate(document.content.get("connections", [])):
        where = ("connections", str(index))
        if not isinstance(connection, dict) or set(connection) != {"sender", "receiver"}:
            raise document.error("a connection is written - {sender: a.out, receiver: b.in}", *where)
        _socket(document, pipeline, str(connection["sender"]), "output", where, "connection")
        _socket(document, pipeline, str(connection["receiver"]), "input", where, "connection")
        try:
            pipeline.connect(connection["sender"], connection["receiver"])
        except Exception as error:
            sender, receiver = connection["sender"], connection["receiver"]
            raise document.error(f"connection {sender} -> {receiver}: {error}", *where) from None


def _socket(
    document: YamlDocument, pipeline: "Pipeline", socket: str, side: str, where: tuple[str, ...], what: str
) -> tuple[str, str]:
    name, _, key = socket.partition(".")
    components = [known for known, _ in pipeline.walk()]
    if name not in components:
        raise document.error(f'{what} "{socket}": there is no component "{name}"{suggest(name, components)}', *where)
    sockets = (pipeline.inputs(True) if side == "input" else pipeline.outputs(True)).get(name, {})
    if key and key not in sockets:
        raise document.error(f'{what} "{socket}": "{name}" has no {side} "{key}"{suggest(key, sockets)}', *where)
    if not key and what != "connection":
        raise document.error(f'{what} "{socket}": name a socket{suggest(key, sockets)}', *where)
    return name, key


def _sockets(document: YamlDocument, pipeline: "Pipeline", name: str, value: Any) -> list[str]:
    sockets = [str(item) for item in (value if isinstance(value, list) else [value])]
    for socket in sockets:
        _socket(document, pipeline, socket, "input", ("inputs", name), f"input `{name}`:")
    return sockets


def _output(document: YamlDocument, pipeline: "Pipeline", name: str, value: Any) -> str:
    _socket(document, pipeline, str(value), "output", ("outputs", name), f"output `{name}`:")
    return str(value)


def _check_complete(document: YamlDocument, pipeline: "Pipeline", inputs: dict[str, list[str]]) -> None:
    """What a component needs and nobody gives is found when the file is loaded, not at the first question."""
    given = {socket for sockets in inputs.values() for socket in sockets}
    for name, sockets in pipeline.inputs().items():
        for key, socket in sockets.items():
            if socket["is_mandatory"] and f"{name}.{key}" not in given:
                raise document.error(
                    f'component "{name}": nothing feeds its input "{key}"; connect it, or declare it under `inputs`',
                    "components",
                    name,
                )
