"""Pictures of pages: drawn in a process of their own, as PDFs are hostile; the last ones are kept."""

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from components.places import AnswerPlaces, locate
from components.stores.contract import Source
from indexing.page_image import PageImageError, page_image
from service.errors import ServiceError

if TYPE_CHECKING:
    from service.service import Service

TIMEOUT = 20.0
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
    service: "Service", source: Source, number: int, dpi: int, marked: tuple[int, int] | None
) -> bytes:
    """
    A page as PNG.

    :param number: from 1.
    :param dpi: dots an inch.
    :param marked: characters of the document's text whose words are marked.
    :raises ServiceError: 410 for a page that cannot be drawn: the file is gone, has changed, or is damaged.
    """
    key = (source.source_id, source.version, number, dpi, marked)
    if (kept := service.pages.get(key)) is not None:
        return kept
    async with service.pages.drawing:
        picture = await asyncio.to_thread(_draw, service, source, number, dpi, marked)
    service.pages.put(key, picture)
    return picture


def _draw(service: "Service", source: Source, number: int, dpi: int, marked: tuple[int, int] | None) -> bytes:
    rectangles = []
    if marked is not None:
        layout = AnswerPlaces(service.engine.store.sources).layout(source.source_id, source.version)
        rectangles = locate(layout, *marked).rectangles if layout is not None else []
    try:
        return page_image(
            source.path,
            number,
            rectangles,
            content_hash=source.content_hash,
            dots_per_inch=dpi,
            timeout=TIMEOUT,
        )
    except PageImageError:
        raise ServiceError(
            410, "not_drawable", "This page cannot be drawn: the file has gone or changed, or it is damaged."
        ) from None
