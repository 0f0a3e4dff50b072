"""Which of the things to index are addresses elsewhere, and what opens them?"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from components.stores.contract import Source, SourceRecord
from indexing.remote.lines import SCHEME
from indexing.remote.links import is_web_address
from indexing.remote.object_store import ObjectStore
from indexing.remote.origin import Origin, OriginError, RemoteFile
from indexing.remote.site import WebSite, said_of
from indexing.sources import INSIDE, is_under

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(path: str | Path) -> bool:
    """Whether a recorded path, or what somebody names, is no path of this machine."""
    return isinstance(path, str) and (_ADDRESS.match(path) is not None or path.startswith(SCHEME))


def open_origin(
    address: str,
    max_pages: int = 1_000,
    private_addresses: bool = False,
    on_page: Callable[[int, str], None] | None = None,
) -> Origin:
    """
    A web site for http:// and https://, for any other scheme an object store.

    :param max_pages: and the others: as `WebSite` takes them.
    :raises OriginError: when it cannot be opened; says what to do.
    """
    if is_web_address(address):
        return WebSite(address, max_pages, private_addresses=private_addresses, on_page=on_page)
    if address.startswith(SCHEME):
        raise OriginError(f"`{address}` is a list that was given as JSON lines: give it again (--json-lines)")
    return ObjectStore(address)


def open_recorded(
    record: SourceRecord, named: Sequence[Origin], private_addresses: bool = False
) -> tuple[list[Origin], set[str]]:
    """
    What opens again the documents of the record that came from elsewhere and from none of `named`.

    Pages and objects are fetched from their places, lines are taken from the record.

    :returns: the origins, and the paths that they bring.
    """
    again = []
    for source in record.all():
        covered = any(is_under(source.path, [one.scope]) and one.covers(source) for one in named)
        if is_address(source.path) and not covered and source.state != "refused" and INSIDE not in source.path:
            again.append(source)
    return open_again(record, again, private_addresses), {source.path for source in again}


def open_again(record: SourceRecord, sources: Iterable[Source], private_addresses: bool = False) -> list[Origin]:
    """What brings just these documents of the record, which came from elsewhere."""
    origins: list[Origin] = []
    lines: list[Source] = []
    pages: dict[str, dict[str, str]] = {}  # host -> address -> the one by way of which it was found
    for source in sources:
        if source.path.startswith(SCHEME):
            lines.append(source)
        elif is_web_address(source.path):
            host = "/".join(source.path.split("/", 3)[:3])
            pages.setdefault(host, {})[source.path] = str(said_of(source).get("from", ""))
        else:
            origins.append(ObjectStore(source.path))
    for host, some in pages.items():
        origins.append(WebSite(f"{host}/", len(some), private_addresses=private_addresses, pages=some))
    return [*origins, *([RecordedLines(record, lines)] if lines else [])]


class RecordedLines:
    """The texts of lines as the record has them: whoever gave them is not asked again."""

    scope, is_complete = SCHEME, False

    def __init__(self, record: SourceRecord, sources: Sequence[Source]) -> None:
        self.record, self.sources = record, sources

    def covers(self, source: Source) -> bool:
        """Nothing goes because of this."""
        return False

    def files(self, known: Mapping[str, Source], max_bytes: int) -> Iterator[RemoteFile]:
        for light in self.sources:
            source = self.record.get(light.source_id)
            if source is not None and source.text is not None:
                suffix = ".md" if source.mime_type == "text/markdown" else ".txt"
                meta = {"title": source.title} if source.title else {}
                data = source.text.encode("utf-8", "replace")
                yield RemoteFile(
                    source.path, partial(bytes, data), suffix, len(data), source.validator or "", meta=meta
                )

    def close(self) -> None:
        """Nothing is kept."""
