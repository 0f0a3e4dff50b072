"""A web site as a source: one page, all below an address, or what a sitemap names. Politely."""

import hashlib
import json
import mimetypes
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from components.stores.contract import Source
from indexing.remote.connection import AGENT, Connections, Response
from indexing.remote.links import MAX_SITEMAP_BYTES, plain, read_links, read_sitemap
from indexing.remote.origin import NotFetchedError, OriginError, RemoteFile
from indexing.sources import is_under

_ROBOTS_BYTES = 500 << 10  # as RFC 9309 has it
_LONGEST_DELAY = 30.0  # seconds that a robots.txt is obeyed in
_MAX_SITEMAPS = 50
_MAX_KEPT_LINKS = 2_000  # of one page
_GONE = (404, 410)
_SUFFIXES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/markdown": ".md", "text/plain": ".txt",
    "text/csv": ".csv", "application/json": ".json", "application/pdf": ".pdf", "application/xml": ".xml",
    "text/xml": ".xml",
}  # fmt: skip


class WebSite:
    """
    The documents of a site, each named by its address.

    An address that ends in "/" means everything that is linked below it, a sitemap the pages that it names, any other
    address itself alone. Only one host is asked, one request at a time; its robots.txt holds. What has not changed
    (ETag, Last-Modified) is not sent again, and what the server says is gone (404, 410) is gone here.

    :param address: http:// or https://.
    :param max_pages: more are not looked at, and then nothing is taken for gone.
    :param delay: seconds between two requests; a longer Crawl-delay of robots.txt holds.
    :param private_addresses: whether addresses of this machine and its network may be asked.
    :param pages: only these addresses of the host, each with the one that it was found by way of.
    :param on_page: called before each page with how many were looked at, and its address.
    :raises OriginError: for an address that is none, or holds a password.
    """

    def __init__(
        self,
        address: str,
        max_pages: int = 1_000,
        delay: float = 0.5,
        private_addresses: bool = False,
        pages: Mapping[str, str] | None = None,
        on_page: Callable[[int, str], None] | None = None,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise OriginError(f"`{address}` is no address of a web site: https://host/path is one")
        if "@" in parts.netloc:
            raise OriginError(f"the address of {parts.hostname} must not hold a name or a password: it is recorded")
        self.address = plain(address)
        self.max_pages, self.delay = max_pages, delay
        self.on_page = on_page
        self.is_complete = False
        self._host = f"{parts.scheme.lower()}://{parts.netloc.lower()}"
        self._named = None if pages is None else set(pages)
        self._found_by = dict(pages or {})
        self._connections = Connections(private_addresses)
        self._spool = tempfile.TemporaryDirectory(prefix="excerpt-")
        self._robots = RobotFileParser()
        self._asked = 0.0

    @property
    def scope(self) -> str:
        """The host: a sitemap may name any page of it."""
        return self._host

    def covers(self, source: Source) -> bool:
        """Whether the page was found by way of this address."""
        if self._named is not None:
            return said_of(source).get("from") == self.address
        return is_under(source.path, [self.address.rstrip("/")])

    def close(self) -> None:
        self._connections.close()
        self._spool.cleanup()

    def files(self, known: Mapping[str, Source], max_bytes: int) -> Iterator[RemoteFile]:
        self._obey_robots()
        waiting = deque(self._found_by or [self.address])
        queued = set(waiting)
        self.is_complete = True
        looked_at = 0
        while waiting:
            url = waiting.popleft()
            if not self._robots.can_fetch(AGENT, url):
                if queued == {url}:
                    raise OriginError(f"{url} must not be read by programs: its robots.txt says so")
                continue
            if looked_at >= self.max_pages:
                self.is_complete = False
                return
            if self.on_page is not None:
                self.on_page(looked_at, url)
            looked_at += 1
            try:
                response = self._get(url, max_bytes, known.get(url))
            except NotFetchedError as error:
                if queued == {url}:
                    raise OriginError(f"{url} cannot be read: {error}") from error
                self.is_complete = False
                yield RemoteFile(url, problem=("unreadable", str(error)))
                continue
            if queued == {url} and response.status == 200 and (named := self._pages_of(response.body)) is not None:
                waiting.extend(one for one in named if one not in queued)
                queued |= set(named)
                continue
            links = self._links(url, response, known.get(url))
            waiting.extend(one for one in links if one not in queued)
            queued |= set(links)
            if (file := self._file(url, response, known.get(url), links, max_bytes)) is not None:
                yield file

    def _file(
        self, url: str, response: Response, before: Source | None, links: list[str], max_bytes: int
    ) -> RemoteFile | None:
        if response.status in _GONE or "noindex" in response.headers.get("x-robots-tag", "").lower():
            return None
        if response.status == 304 and before is not None:
            return RemoteFile(url, lambda: self._fetch(url, max_bytes), validator=before.validator or "", is_same=True)
        if response.status != 200:
            self.is_complete = False
            return RemoteFile(url, problem=("unreadable", f"the server answers with status {response.status}"))
        digest = hashlib.sha256(response.body).hexdigest()
        said: dict[str, Any] = {"sha256": digest}
        said |= {name: response.headers[name] for name in ("etag", "last-modified") if response.headers.get(name)}
        if self._named is not None:
            said["from"] = self._found_by.get(url, self.address)
        if self._follows_links:
            said["links"] = links if len(links) <= _MAX_KEPT_LINKS else None
        kept = Path(self._spool.name, hashlib.sha256(url.encode()).hexdigest())
        kept.write_bytes(response.body)
        return RemoteFile(
            url, kept.read_bytes, _suffix(url, response), len(response.body), json.dumps(said),
            is_same=before is not None and before.content_hash == digest,
        )  # fmt: skip

    @property
    def _follows_links(self) -> bool:
        return self._named is None and self.address.endswith("/")

    def _links(self, url: str, response: Response, before: Source | None) -> list[str]:
        """What a page links to below the address; of one that is as it was, what it linked to then."""
        if not self._follows_links:
            return []
        if response.status == 304 and before is not None:
            return [str(link) for link in said_of(before).get("links") or []]
        is_page = response.headers.get("content-type", "text/html").startswith(("text/html", "application/xhtml"))
        found = read_links(response.body, url) if response.status == 200 and is_page else []
        below = [link for link in found if link.startswith(self.address)]
        return [link for link in below if "/." not in urlsplit(link).path]  # hidden, as in folders

    def _pages_of(self, data: bytes) -> list[str] | None:
        """What a sitemap and those it names lead to, on this host; None where it is none."""
        found = read_sitemap(data)
        if found is None:
            return None
        pages, maps = found
        for number, address in enumerate(maps):
            if number >= _MAX_SITEMAPS:
                self.is_complete = False
                break
            if not plain(address).startswith(self._host + "/"):
                continue
            try:
                more = read_sitemap(self._get(plain(address), MAX_SITEMAP_BYTES, None).body)
            except NotFetchedError:
                more = None
            if more is None:
                self.is_complete = False
                continue
            pages += more[0]
        here = [plain(page) for page in pages if page.startswith(("http://", "https://"))]
        here = [page for page in dict.fromkeys(here) if page.startswith(self._host + "/")]
        self._named = set(here)
        return here

    def _fetch(self, url: str, max_bytes: int) -> bytes:
        response = self._get(url, max_bytes, None)
        if response.status != 200:
            raise NotFetchedError(f"the server answers with status {response.status}")
        return response.body

    def _get(self, url: str, max_bytes: int, before: Source | None) -> Response:
        wait = self._asked + self._pause() - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._asked = time.monotonic()
        asked = said_of(before) if before is not None else {}
        if self._follows_links and asked.get("links") is None:
            asked = {}  # where it leads to is not known: it has to come again
        names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        headers = {names[name]: str(value) for name, value in asked.items() if name in names}
        return self._connections.get(url, max_bytes, headers)

    def _pause(self) -> float:
        said = self._robots.crawl_delay(AGENT) if self._robots.mtime() else None
        return max(self.delay, min(float(said or 0), _LONGEST_DELAY))

    def _obey_robots(self) -> None:
        """
        :raises OriginError: when the server cannot be asked what may be read.
        """
        try:
            response = self._connections.get(f"{self._host}/robots.txt", _ROBOTS_BYTES)
        except NotFetchedError as error:
            raise OriginError(f"{self._host} cannot be read: {error}") from error
        if response.status >= 500:
            raise OriginError(
                f"{self._host} does not say what may be read (its robots.txt has status {response.status})"
            )
        self._robots.parse(response.body.decode("utf-8", "replace").splitlines())


def _suffix(url: str, response: Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    named = PurePosixPath(urlsplit(url).path).suffix.lower()
    if kind in ("text/plain", "application/octet-stream", "") and named:
        return named  # servers call Markdown and the like so
    return _SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or named


def said_of(source: Source) -> dict[str, Any]:
    """What the server said of a page when it was fetched, and what was found in it."""
    try:
        said = json.loads(source.validator or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
