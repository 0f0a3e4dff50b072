"""Keeps an index true to its folders as long as it runs: what changes is indexed soon, what goes is taken out."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from components.stores.contract import StoreBusyError
from indexing.maintenance.rebuild import bring_up_to_date
from indexing.pipeline import index_pipeline
from indexing.run import IndexReport, index

if TYPE_CHECKING:
    from haystack import Pipeline

    from components.named_pipeline import NamedPipeline

_SETTLED_MS = 300  # nothing has changed for so long: a file that is being written is most likely whole
_LONGEST_MS = 2_000  # changes that go on and on are begun with after this
_AGAIN_MS = 1_000  # until what could not be done is tried again


def watch(
    pipeline: "Pipeline | NamedPipeline",
    paths: Sequence[str | Path],
    on_report: Callable[[IndexReport], None],
    *,
    stop: Event | None = None,
    on_changes: Callable[[list[str]], None] | None = None,
    **settings: Any,
) -> None:
    """
    Index `paths`, then whatever changes below them, until interrupted or told to stop.

    Only the folders in which something changed are looked at, by the same rules as in any run: hidden files are left
    out, links are not followed. While another process is indexing, changes wait.

    :param on_report: called after each run that did something, the first one in any case.
    :param stop: ends it when set.
    :param on_changes: as `indexing.maintenance.rebuild.bring_up_to_date` takes it, for the first run.
    :param settings: as `indexing.run.index` takes them.
    :raises FileNotFoundError: for a path that does not exist at the beginning.
    """
    import watchfiles

    roots = [os.path.realpath(path) for path in paths]
    store = index_pipeline(pipeline).document_store.folder
    own = None if store is None else os.path.realpath(store)
    changes = watchfiles.watch(
        *roots,
        watch_filter=lambda _, path: not _is_own(path, own) and not _is_hidden(path, roots),
        debounce=_LONGEST_MS, step=_SETTLED_MS, rust_timeout=_AGAIN_MS, yield_on_timeout=True,
        stop_event=stop, raise_interrupt=True,
    )  # fmt: skip
    next(changes, None)  # watching before looking, so that nothing falls in between
    on_report(bring_up_to_date(pipeline, paths, on_changes=on_changes, **settings))
    waiting: set[str] = set()
    for some in changes:
        waiting |= {path for _, path in some}
        if not waiting:
            continue
        try:
            report = index(pipeline, _folders(waiting, roots), **settings)
        except (StoreBusyError, FileNotFoundError):
            continue  # somebody else is indexing, or a folder went in this very moment: tried again
        waiting.clear()
        if report.indexed or report.removed or any(refused.is_new for refused in report.refused):
            on_report(report)


def _folders(changed: Iterable[str], roots: Sequence[str]) -> list[str]:
    """The nearest folders that exist of what changed, none of them inside another."""
    found: set[str] = set()
    for path in changed:
        root = next(root for root in roots if _is_below(path, root))
        while path != root and not os.path.isdir(path := os.path.dirname(path)):
            pass
        found.add(path)
    return sorted(path for path in found if not any(other != path and _is_below(path, other) for other in found))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_own(path: str, own: str | None) -> bool:
    return own is not None and _is_below(path, own)


def _is_hidden(path: str, roots: Sequence[str]) -> bool:
    for root in roots:
        if _is_below(path, root):
            return any(part.startswith(".") for part in path[len(root) :].split("/"))
    return True
