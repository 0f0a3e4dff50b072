"""The one loader of pipelines: from a YAML file to a Haystack pipeline with declared inputs and outputs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.checks import check_settings, check_top, suggest
from pipelines.document import BrokenPipelineError, YamlDocument, read_yaml

if TYPE_CHECKING:
    from haystack import Pipeline

__all__ = ["BrokenPipelineError", "LoadedPipeline", "find_pipelines", "load_pipeline"]

SETS = Path(__file__).resolve().parent
_ALLOWED = ["components.*", "indexing.*"]  # what Haystack's own allowlist needs beside Haystack itself


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline and the names it is used by: `inputs` -> sockets, `outputs` -> socket (written "component.socket")."""

    path: Path
    pipeline: "Pipeline"
    inputs: dict[str, list[str]]
    outputs: dict[str, str]

    def component(self, kind: type | str) -> Any:
        """The first component that is a `kind` (a class, or the name of one); None when there is none."""
        for _, component in self.pipeline.walk():
            names = [base.__name__ for base in type(component).__mro__]
            if (isinstance(kind, str) and kind in names) or (isinstance(kind, type) and isinstance(component, kind)):
                return component
        return None

    @property
    def document_store(self) -> Any:
        """The store that the pipeline's components use; None when none of them has one."""
        stores = (getattr(component, "document_store", None) for _, component in self.pipeline.walk())
        return next((store for store in stores if store is not None), None)

    def data(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """
        Spread values by declared input over the components' sockets, as `Pipeline.run` takes them.

        :raises ValueError: naming an input that the YAML does not declare. None means "not given" and is left out.
        """
        data: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            if value is None:
                continue
            if name not in self.inputs:
                raise ValueError(f"{self.path}: input `{name}` is not declared{suggest(name, self.inputs)}")
            for socket in self.inputs[name]:
                component, _, key = socket.partition(".")
                data.setdefault(component, {})[key] = value
        return data

    def results(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Pick the declared outputs from what `Pipeline.run` returned."""
        sockets = {name: socket.partition(".") for name, socket in self.outputs.items()}
        return {
            name: result[parts[0]][parts[2]] for name, parts in sockets.items() if parts[2] in result.get(parts[0], {})
        }

    def run(self, **values: Any) -> dict[str, Any]:
        """Run the pipeline on values by declared input; returns values by declared output."""
        return self.results(self.pipeline.run(self.data(values), include_outputs_from=self._asked()))

    async def run_async(self, **values: Any) -> dict[str, Any]:
        """`run`, concurrently: many of these at once are how many questions are asked."""
        return self.results(await self.pipeline.run_async(self.data(values), include_outputs_from=self._asked()))

    def _asked(self) -> set[str]:
        return {socket.partition(".")[0] for socket in self.outputs.values()}


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


def load_pipeline(name: str, chosen: str = "embedded", environment: Mapping[str, str] | None = None) -> LoadedPipeline:
    """
    Load the pipeline `name` ("index" or "ask") of the set or folder `chosen`.

    Models and indexes are not opened here: components do that in `warm_up`, or on their first run.

    :param environment: what fills `${NAME:-default}`; the process's environment by default.
    :raises BrokenPipelineError: naming the file, the line, the component, the setting, and what is allowed.
    """
    folder = find_pipelines(chosen)
    path = folder / f"{name}.yaml"
    if not path.is_file():
        raise BrokenPipelineError(path, None, f"is missing; `{folder}` must hold index.yaml and ask.yaml")
    document = read_yaml(path, os.environ if environment is None else environment)
    check_top(document)
    for key, data in document.content["components"].items():
        check_settings(document, str(key), data, ("components", str(key)))
    pipeline = _build(document)
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
    return LoadedPipeline(path, pipeline, inputs, outputs)


def _build(document: YamlDocument) -> "Pipeline":
    from haystack import Pipeline

    head = {key: value for key, value in document.content.items() if key not in ("inputs", "outputs", "connections")}
    components: dict[str, Any] = {}
    for name, data in head["components"].items():
        one = {"components": {name: {"init_parameters": {}, **data}}}
        try:
            # alone at first, so that an error is known to be this component's
            components[name] = Pipeline.from_dict(one, allowed_modules=_ALLOWED).remove_component(name)
        except Exception as error:
            cause = error.__cause__ or error
            raise document.error(f'component "{name}" ({data["type"]}): {cause}', "components", name) from error
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
            raise document.error(f"connection {sender} -> {receiver}: {error}", *where) from error


def _socket(
    document: YamlDocument, pipeline: "Pipeline", socket: str, side: str, where: tuple[str, ...], what: str
) -> tuple[str, str]:
    name, _, key = socket.partition(".")
    components = dict(pipeline.walk())
    if name not in components:
        raise document.error(f'{what} "{socket}": there is no component "{name}"{suggest(name, components)}', *where)
    sockets = getattr(components[name], f"__haystack_{side}__")._sockets_dict
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
