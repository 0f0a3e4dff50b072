"""A Haystack pipeline that is used by declared names instead of by the sockets of its components."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.suggest import suggest

if TYPE_CHECKING:
    from haystack import Pipeline


@dataclass(frozen=True)
class NamedPipeline:
    """
    :param pipeline: The pipeline.
    :param inputs: Declared name -> the sockets ("component.socket") that get its value.
    :param outputs: Declared name -> the socket its value comes from.
    :param name: What messages call it: the path of its YAML.
    """

    pipeline: "Pipeline"
    inputs: Mapping[str, list[str]]
    outputs: Mapping[str, str]
    name: str = "the pipeline"

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

        :raises ValueError: naming an input that is not declared. None means "not given" and is left out.
        """
        data: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            if value is None:
                continue
            if name not in self.inputs:
                raise ValueError(f"{self.name}: input `{name}` is not declared{suggest(name, self.inputs)}")
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
        return self.results(self.pipeline.run(self.data(values), include_outputs_from=self._sources_of_outputs()))

    async def run_async(self, **values: Any) -> dict[str, Any]:
        """`run`, concurrently: many of these at once are how many questions are asked."""
        return self.results(
            await self.pipeline.run_async(self.data(values), include_outputs_from=self._sources_of_outputs())
        )

    def _sources_of_outputs(self) -> set[str]:
        return {socket.partition(".")[0] for socket in self.outputs.values()}
