"""Where a page or a sitemap leads to: addresses, without opening anything. Hostile input, read by Python alone."""

import gzip
import io
import zlib
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit
from xml.parsers import expat

MAX_SITEMAP_BYTES = 50 << 20  # as sitemaps.org has it
_MAX_LINKS = 10_000  # of one page
_MAX_PAGES = 50_000  # of one sitemap, as sitemaps.org has it


def read_links(page: bytes, url: str) -> list[str]:
    """The addresses that a page links to, absolute, in order; none where it asks not to be followed (`nofollow`)."""
    parser = _Links(url)
    with suppress(AssertionError, RecursionError):  # what html.parser gives up on: what was found until then is good
        parser.feed(page.decode("utf-8", "replace"))
    return [] if parser.no_follow else list(dict.fromkeys(parser.found))


def read_sitemap(data: bytes) -> tuple[list[str], list[str]] | None:
    """
    The addresses of a sitemap: of its pages, and of further sitemaps; None for what is none.

    No tree is built, and a document type (which could hold entities) ends the reading.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_SITEMAP_BYTES)
        except (OSError, EOFError, zlib.error):
            return None
    if b"<urlset" not in data[:4096] and b"<sitemapindex" not in data[:4096]:
        return None
    reader = _Sitemap()
    with suppress(expat.ExpatError, _DocumentTypeError):  # torn: what came before is good
        reader.parser.Parse(data, True)
    return reader.pages, reader.maps


class _DocumentTypeError(ValueError):
    pass


class _Sitemap:
    def __init__(self) -> None:
        self.pages: list[str] = []
        self.maps: list[str] = []
        self._inside: list[str] = []
        self._text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: Any) -> None:
        raise _DocumentTypeError

    def _start(self, name: str, _: Any) -> None:
        self._inside.append(name.rpartition(":")[2])
        self._text.clear()

    def _end(self, name: str) -> None:
        where = self._inside[-2:]
        self._inside.pop()
        found = {"url": self.pages, "sitemap": self.maps}.get(where[0]) if where[1:] == ["loc"] else None
        if found is not None and len(found) < _MAX_PAGES and (address := "".join(self._text).strip()):
            found.append(address)
        self._text.clear()


def is_web_address(path: str) -> bool:
    """Whether it is an address of a web server: http:// or https://."""
    return path.lower().startswith(("http://", "https://"))


def plain(url: str) -> str:
    """An address as it is compared and recorded: host in lower case, no fragment, a path at least."""
    parts = urlsplit(urldefrag(url).url)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", parts.query, ""))


class _Links(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base, self.found, self.no_follow = url, list[str](), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "base" and given.get("href"):
            self.base = urljoin(self.base, given["href"])
        elif tag == "meta" and given.get("name", "").lower() == "robots":
            self.no_follow = self.no_follow or "nofollow" in given.get("content", "").lower()
        elif tag in ("a", "area") and given.get("href") and "nofollow" not in given.get("rel", "").lower():
            with suppress(ValueError):  # no address
                self.found += [plain(urljoin(self.base, given["href"].strip()))] if self._has_room else []

    @property
    def _has_room(self) -> bool:
        return len(self.found) < _MAX_LINKS
