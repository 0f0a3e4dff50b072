"""What does an index run ask of a pipeline? Inputs and outputs by name, and a store at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.named_pipeline import NamedPipeline
from components.stores.contract import PassageStore

if TYPE_CHECKING:
    from haystack import Pipeline

# Name -> what a run gives or takes by it. `meta` and `truncated` may be missing.
INPUTS = {
    "sources": "paths of files",
    "meta": "what every document brings along",
    "fingerprint": "names this pipeline, and becomes part of each file's version",
    "generation": "number of the run",
    "refused": "files that failed on the way through, to be recorded",
    "store": "where to write instead of the pipeline's own store, during a rebuild",
}
OUTPUTS = {
    "counts": "how many sources and passages were written",
    "failures": "files that were refused",
    "notes": "what of the files was not read",
    "truncated": "passages longer than the embedder reads",
}
_OPTIONAL = ("meta", "truncated")


class PipelineShapeError(ValueError):
    """An index pipeline lacks an input, an output or a store that an index run needs."""


class StoreInPlace:
    """A store on its way through a pipeline: Haystack copies what it passes on, and this is not copied."""

    def __init__(self, store: PassageStore) -> None:
        self.store = store

    def __deepcopy__(self, memo: dict[int, Any]) -> "StoreInPlace":
        return self


@dataclass(frozen=True)
class IndexPipeline(NamedPipeline):
    """An index pipeline with everything that an index run needs declared."""

    @property
    def converter(self) -> str:
        """Name of the component that reads files: it takes their paths."""
        return self.inputs["sources"][0].partition(".")[0]

    @property
    def reader_of_files(self) -> Any:
        """The component that reads files."""
        return self.pipeline.get_component(self.converter)

    @property
    def writer(self) -> str:
        """Name of the component that writes: it says how much."""
        return self.outputs["counts"].partition(".")[0]

    @property
    def made_by(self) -> list[Any]:
        """Every component that has a part in what a passage holds: all but the writer, in order."""
        return [component for name, component in self.pipeline.walk() if name != self.writer]


def index_pipeline(given: "Pipeline | NamedPipeline") -> IndexPipeline:
    """
    A pipeline as an index run uses it.

    What it does not declare (a YAML from before there was such a name, or a pipeline built in Python) is the socket of
    that name which nothing is connected to, where there is exactly one.

    :raises PipelineShapeError: naming what is missing.
    """
    if isinstance(given, NamedPipeline):
        pipeline, name = given.pipeline, given.name
        inputs, outputs = dict(given.inputs), dict(given.outputs)
    else:
        pipeline, name, inputs, outputs = given, "the index pipeline", {}, {}
    for key, socket in _open(pipeline.inputs(), INPUTS).items():
        inputs.setdefault(key, [socket])
    for key, socket in _open(pipeline.outputs(), OUTPUTS).items():
        outputs.setdefault(key, socket)
    for section, wanted, there in (("inputs", INPUTS, inputs), ("outputs", OUTPUTS, outputs)):
        missing = [key for key in wanted if key not in there and key not in _OPTIONAL]
        if missing:
            raise PipelineShapeError(
                f"{name}: an index pipeline needs `{missing[0]}` under `{section}` ({wanted[missing[0]]}), and none of "
                f"its components ({', '.join(part for part, _ in pipeline.walk())}) has one open socket of that name. "
                "A converter (indexing.converter.FileConverter) and a writer (indexing.writer.SourceWriter) bring them."
            )
    found = IndexPipeline(pipeline, inputs, outputs, name)
    if found.document_store is None:
        raise PipelineShapeError(f"{name}: none of its components has a `document_store` to write to.")
    return found


def _open(sockets: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for component, names in sockets.items():
        for name in names:
            if name in wanted:
                found.setdefault(name, []).append(f"{component}.{name}")
    return {name: places[0] for name, places in found.items() if len(places) == 1}
