"""Which components of an index pipeline does an index run talk to?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexing.converter import FileConverter
from indexing.writer import SourceWriter

if TYPE_CHECKING:
    from haystack import Pipeline


class PipelineShapeError(ValueError):
    """An index pipeline lacks a component that an index run talks to."""


@dataclass(frozen=True)
class Parts:
    """
    :param converter: name of the `FileConverter`, which is `files`.
    :param writer: name of the `SourceWriter`, which is `last` and writes to `store`.
    :param made_by: every component but the writer, in order.
    """

    converter: str
    writer: str
    files: FileConverter
    last: SourceWriter
    store: Any
    made_by: list[Any]


def parts_of(pipeline: "Pipeline") -> Parts:
    """
    The components by type, whatever their names.

    :raises PipelineShapeError: when there is not one of each.
    """
    walked = list(pipeline.walk())
    converters = [(name, part) for name, part in walked if isinstance(part, FileConverter)]
    writers = [(name, part) for name, part in walked if isinstance(part, SourceWriter)]
    for found, kind in ((converters, FileConverter), (writers, SourceWriter)):
        if len(found) != 1:
            raise PipelineShapeError(
                f"An index pipeline needs one component of type {kind.__module__}.{kind.__name__}; this one has "
                f"{len(found)} among: {', '.join(name for name, _ in walked)}."
            )
    (converter, files), (writer, last) = converters[0], writers[0]
    made_by = [part for name, part in walked if name != writer]
    return Parts(converter, writer, files, last, last.document_store, made_by)
