"""What an index run did, and how far it is."""

from dataclasses import asdict, dataclass, field
from typing import Any

from indexing.refused_file import RefusedFile


@dataclass(frozen=True)
class Progress:
    """How far a run is; totals count new and changed files only."""

    files: int
    files_total: int
    bytes: int
    bytes_total: int
    passages: int


@dataclass
class IndexReport:
    """
    What a run did.

    :param indexed: paths of new and changed files that are in the index now.
    :param removed: paths of files that were in the index and are gone.
    :param refused: what is not in the index, and why.
    :param notes: (path, note): parts of indexed files that were not read.
    :param taken_over: how many of the indexed are renamed, moved or copied files: their passages were copied from those
        of the same content, and nothing was embedded again.
    :param passages: written.
    :param truncated: passages among them that are longer than the embedder reads: search by meaning knows only their
        beginning.
    :param pipeline_changes: what was different about the pipeline, in words, when that is why everything was made anew.
    """

    indexed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    unchanged: int = 0
    taken_over: int = 0
    passages: int = 0
    truncated: int = 0
    generation: int | None = None
    pipeline_changes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The fields that docs/json.md promises."""
        return {**asdict(self), "refused": [refused.to_json() for refused in self.refused]}
