"""`excerpt status`: what is indexed, what was refused and why."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.options import Json, Pipelines, Store, load, require_index
from cli.terminal.text import printable
from cli.terminal.words import columns, near, shorten, size

if TYPE_CHECKING:
    from components.stores.contract import PassageStore


def status(pipelines: Pipelines = "embedded", store: Store = Path(".excerpt"), json: Json = False) -> None:
    """
    Tell what is indexed, what was refused and why.

    Also how many passages there are, the size on disk, and the fingerprint of the pipeline that made them.
    """
    require_index(pipelines, store)
    found = collect(load("ask", pipelines, store).document_store)
    if json:
        from json import dumps

        print(dumps(found, ensure_ascii=False))
        return
    width = columns()
    print(f"index      {printable(near(found['store']))}")
    print(
        f"sources    {found['sources']:,} indexed, {found['refused_count']:,} refused, {found['pending']:,} unfinished"
    )
    print(f"passages   {found['passages']:,}")
    if found["bytes"] is not None:
        print(f"on disk    {size(found['bytes'])}")
    print(f"pipeline   {', '.join(found['fingerprints']) or 'none'}")
    for key, value in found["server"].items():
        print(f"{key:<10} {value}")
    for path, reason in found["refused"].items():
        print(shorten(f"refused    {printable(near(path))}: {printable(reason)}", width))


def collect(store: "PassageStore") -> dict[str, Any]:
    """What there is to tell about a store, as JSON can hold it."""
    sources = list(store.sources.all())
    states = Counter(source.state for source in sources)
    status = store.status()
    return {
        "store": status.location,
        "sources": states["indexed"],
        "pending": states["pending"],
        "refused_count": states["refused"],
        "refused": {source.path: source.reason or "" for source in sources if source.state == "refused"},
        "passages": store.count_documents(),
        "bytes": status.size_bytes,
        "fingerprints": sorted({source.fingerprint for source in sources if source.state == "indexed"}),
        "server": dict(status.details),
    }
