"""Pictures of pages: drawn in a process of their own, as PDFs are hostile; the last ones are kept."""

import asyncio
import subprocess
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING

from components.stores.contract import Source
from service.errors import ServiceError

if TYPE_CHECKING:
    from service.service import Service

TIMEOUT = 20.0
MAX_BYTES = 20_000_000
_KEPT_BYTES = 64_000_000


class PageCache:
    """Pictures by version of the document: whoever may not see the document is refused before it is asked."""

    def __init__(self) -> None:
        self.drawing = asyncio.Semaphore(2)
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[object, ...]) -> bytes | None:
        if (picture := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return picture

    def put(self, key: tuple[object, ...], picture: bytes) -> None:
        self._kept[key] = picture
        self._bytes += len(picture)
        while self._bytes > _KEPT_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])


async def render_page(
    service: "Service", source: Source, number: int, width: int, marked: tuple[int, int] | None
) -> bytes:
    """
    A page as PNG.

    :param number: from 1.
    :param width: in pixels.
    :param marked: characters of the document's text whose words are marked, where the index has their places.
    :raises ServiceError: 422 for a page that cannot be drawn, 504 when drawing takes too long.
    """
    key = (source.source_id, source.version, number, width, marked)
    if (kept := service.pages.get(key)) is not None:
        return kept
    async with service.pages.drawing:
        drawn = await asyncio.to_thread(_draw, source.path, number, width)
    if drawn is None:
        raise ServiceError(422, "not_drawable", "This page cannot be drawn.")
    service.pages.put(key, drawn)
    return drawn


def _draw(path: str, number: int, width: int) -> bytes | None:
    command = (sys.executable, "-m", "service.documents.draw", path, str(number), str(width))
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=True)
    except subprocess.TimeoutExpired:
        raise ServiceError(504, "timeout", "The page could not be drawn in time.") from None
    except subprocess.CalledProcessError:
        return None
    return done.stdout if done.stdout.startswith(b"\x89PNG") and len(done.stdout) <= MAX_BYTES else None
