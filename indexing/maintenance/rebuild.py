"""Making a whole index anew, with another embedder or mapping, while questions go on over the old one."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.stores.contract import PassageStore, Rebuildable
from indexing.known_content import brought_along
from indexing.maintenance.pipeline_changes import find_changes
from indexing.pipeline import index_pipeline
from indexing.refused_file import NOT_STORABLE
from indexing.remote.addresses import open_recorded
from indexing.run import IndexReport, index
from indexing.sources import is_under, source_id_of

if TYPE_CHECKING:
    from haystack import Pipeline

    from components.named_pipeline import NamedPipeline

# Refusals that may be the fault of what the index is made anew with, not of the file.
_OF_THE_PIPELINE = ("failed", NOT_STORABLE)


class RebuildError(RuntimeError):
    """The new index was not put in place of the old one, which is as it was."""


def bring_up_to_date(
    pipeline: "Pipeline | NamedPipeline",
    paths: Sequence[str | Path],
    *,
    on_changes: Callable[[list[str]], None] | None = None,
    private_addresses: bool = False,
    **settings: Any,
) -> IndexReport:
    """
    Make the index true to the files; the whole of it anew when the pipeline is another than it was made with.

    An index of two pipelines would hold vectors that cannot be compared. So where model, splitter or converter differ,
    everything is made again beside the old index, which questions go on over; then one switch (`rebuild`). A store that
    cannot be made anew is indexed in place.

    :param on_changes: told what is different, in words, before that begins.
    :param private_addresses: as `rebuild` takes it.
    :param settings: as `indexing.run.index` takes them.
    :raises RebuildError: as `rebuild` does.
    """
    indexing = index_pipeline(pipeline)
    changes = find_changes(indexing.document_store, indexing)
    if not changes:
        return index(pipeline, paths, **settings)
    if on_changes is not None:
        on_changes(changes)
    if isinstance(indexing.document_store, Rebuildable):
        report = rebuild(pipeline, paths, private_addresses=private_addresses, **settings)
    else:
        report = index(pipeline, paths, **settings)
    report.pipeline_changes = changes
    return report


def rebuild(
    pipeline: "Pipeline | NamedPipeline",
    paths: Sequence[str | Path],
    *,
    lock_wait: float = 0.0,
    private_addresses: bool = False,
    **settings: Any,
) -> IndexReport:
    """
    Make the index anew beside the one in use, and put it in its place in one step once it is complete.

    What fails, or is interrupted, changes nothing. Files of the old index outside `paths` are done too; those that are
    not there any more are reported as removed. What a file's passages brought along (who may see them, labels) they
    bring along again.

    :param pipeline: whose store is `Rebuildable`: those that come with Excerpt are.
    :param lock_wait: seconds to wait for another process that indexes into the same store.
    :param private_addresses: whether what came from web servers of this network may be fetched from there again.
    :param settings: as `indexing.run.index` takes them.
    :raises RebuildError: when the store cannot; or when the pipeline fails on files that the old index holds, or the
        store refuses them.
    :raises FileNotFoundError: for a path that does not exist.
    """
    store = index_pipeline(pipeline).document_store
    if not isinstance(store, Rebuildable):
        raise RebuildError(
            f"{type(store).__name__} cannot be made anew beside the one in use (it has no `rebuilt`). Index into a new "
            "one, then ask that one."
        )
    with store.one_writer(lock_wait) as held:
        old = {source.path: source.state for source in store.sources.all()}
        roots = [os.path.realpath(path) for path in paths]
        others = [path for path in old if not is_under(path, roots)]
        origins = settings.pop("origins", ())
        more, elsewhere = open_recorded(store.sources, origins, private_addresses)
        with ExitStack() as stack, store.rebuilt(before_switch=held.check) as new:
            there = [path for path in others if os.path.lexists(path)]
            if "indexed" in old.values():
                stack.callback((old_store := store.as_made()).close)
                settings.setdefault("meta", _metas(old_store))
            report = index(pipeline, [*paths, *there], held=held, store=new, origins=[*origins, *more], **settings)
            _check(report, old, elsewhere)
    made = {*report.indexed, *(refused.path for refused in report.refused)}
    report.removed = sorted(path for path, state in old.items() if state == "indexed" and path not in made)
    return report


def _metas(store: PassageStore) -> Callable[[str], dict[str, Any]] | None:
    """What the passages of each file brought along in the old index, by its path; None where none brought anything."""
    fields: dict[str, Any] = getattr(store, "get_metadata_fields_info", dict)()
    if not brought_along(dict.fromkeys(name.removeprefix("meta.") for name in fields)):
        return None

    def meta_of(path: str) -> dict[str, Any]:
        of_file = {"field": "meta.source_id", "operator": "==", "value": source_id_of(path)}
        found = store.filter_documents(of_file)
        return brought_along(found[0].meta) if found else {}

    return meta_of


def _check(report: IndexReport, old: Mapping[str, str], elsewhere: set[str]) -> None:
    lost = [
        one
        for one in report.refused
        if (one.reason in _OF_THE_PIPELINE or one.path in elsewhere) and old.get(one.path) == "indexed"
    ]
    if lost:
        raise RebuildError(
            f"The index is as it was: {len(lost):,} of its files could not be made anew, first {lost[0].path}: "
            f"{lost[0].reason} ({lost[0].detail}). Mend that, or take the file away, and start --rebuild again."
        )
    if not report.indexed and "indexed" in old.values():
        raise RebuildError(
            f"The index is as it was: of {len(report.refused):,} files none could be read: the new one would be empty."
        )
