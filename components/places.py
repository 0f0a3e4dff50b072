"""On which page, and where on it, do an answer's words stand? Out of the word rectangles that the index keeps."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from components.page_layout import Page, PageLayout, Word

if TYPE_CHECKING:
    from haystack import ExtractedAnswer

_KEPT_BYTES = 64 << 20  # of layouts that were asked for lately
_SAME_LINE = 0.5  # of the lower one's height that two words of one line share
_WIDEST_GAP = 6.0  # line heights between two words of one rectangle: beyond lies another column or cell


class Rectangle(NamedTuple):
    """Part of a line: in points from the left and the top of the page as it is seen (rotated, cropped)."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class Located(NamedTuple):
    """
    :param pages: on which the words stand, in reading order.
    :param rectangles: of the words, one for each part of a line, in reading order.
    """

    pages: list[Page]
    rectangles: list[Rectangle]


class LayoutRecord(Protocol):
    """What is asked of a store's record of sources."""

    def get_layout(self, source_id: str) -> tuple[str, bytes | None] | None: ...


def locate(layout: PageLayout, start: int, end: int) -> Located:
    """
    Where ``text[start:end]`` stands: right across lines, columns, hyphens and pages, since it goes by the words' own
    offsets and searches for nothing.
    """
    words = layout.between(start, end)
    words.sort(key=lambda word: word.start)
    rectangles: list[Rectangle] = []
    last: Word | None = None
    for word in words:
        box = _covered(word, start, end)
        if last is not None and rectangles and _on_one_line(last, word, rectangles[-1], box):
            before = rectangles[-1]
            rectangles[-1] = Rectangle(
                *(word.page, min(before.x0, box.x0), min(before.y0, box.y0)),
                *(max(before.x1, box.x1), max(before.y1, box.y1)),
            )
        else:
            rectangles.append(box)
        last = word
    pages = [layout.pages[number - 1] for number in dict.fromkeys(box.page for box in rectangles)]
    return Located(pages, rectangles)


class AnswerPlaces:
    """
    Adds page labels and rectangles to answers, out of the record of sources of the store that they came from.

    :param record: `store.sources`; None: a store that keeps none, whose answers stay as they are.
    """

    def __init__(self, record: LayoutRecord | None) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._layouts: OrderedDict[tuple[str, str], tuple[PageLayout | None, int]] = OrderedDict()
        self._bytes = 0

    def add_to(self, answers: "Sequence[ExtractedAnswer]") -> None:
        """
        Note in each answer's meta, and in each of its ``meta["places"]``, `page_label` (text or None) and `rectangles`
        (list of dicts with page, x0, y0, x1, y1). A format without pages, or a file that was indexed again since, has
        None and an empty list.
        """
        for answer in answers:
            if answer.data is None:
                continue
            sources = answer.meta.get("place_sources", [])
            for place, (source_id, version) in zip(answer.meta.get("places", []), sources, strict=False):
                place |= self.described(source_id, version, place.get("start_in_file"), place.get("end_in_file"))
            first: dict[str, Any] = next(iter(answer.meta.get("places", [])), {})
            answer.meta["page_label"] = first.get("page_label")
            answer.meta["rectangles"] = first.get("rectangles", [])

    def described(
        self, source_id: str | None, version: str | None, start: int | None, end: int | None
    ) -> dict[str, Any]:
        """`page_label` and `rectangles` of a stretch of a source's text."""
        layout = self.layout(source_id, version) if source_id else None
        if layout is None or start is None or end is None:
            return {"page_label": None, "rectangles": []}
        found = locate(layout, start, end)
        return {
            "page_label": found.pages[0].label if found.pages else None,
            "rectangles": [box._asdict() for box in found.rectangles],
        }

    def layout(self, source_id: str, version: str | None) -> PageLayout | None:
        """
        The word rectangles of a source; None where it has none.

        :param version: of the source that the passage was cut from; another one's rectangles would be wrong.
        """
        if self._record is None or not version:
            return None
        with self._lock:
            if (kept := self._layouts.get((source_id, version))) is not None:
                self._layouts.move_to_end((source_id, version))
                return kept[0]
        found = self._record.get_layout(source_id)
        if found is None or found[0] != version:
            return None
        try:
            layout = PageLayout(found[1]) if found[1] else None
        except ValueError:  # of an index made before there was this form
            layout = None
        with self._lock:
            self._layouts[source_id, version] = layout, len(found[1] or b"")
            self._bytes += len(found[1] or b"")
            while self._bytes > _KEPT_BYTES and len(self._layouts) > 1:
                _, (_, size) = self._layouts.popitem(last=False)
                self._bytes -= size
        return layout


_OF_STORES: "weakref.WeakKeyDictionary[Any, AnswerPlaces]" = weakref.WeakKeyDictionary()


def add_places(answers: "Sequence[ExtractedAnswer]", document_store: Any) -> None:
    """
    `AnswerPlaces.add_to`, with the store's own record; layouts that were read once stay at hand as long as the store.

    :param document_store: that the answers came from; None, or one without a record of sources, has no places.
    """
    if document_store is None:
        return
    places = _OF_STORES.get(document_store)
    if places is None:
        places = _OF_STORES[document_store] = AnswerPlaces(getattr(document_store, "sources", None))
    places.add_to(answers)


def _covered(word: Word, start: int, end: int) -> Rectangle:
    """The rectangle of those of a word's characters that lie in [start, end)."""
    if start <= word.start and end >= word.end:
        return Rectangle(*(word.page, word.x0, word.y0, word.x1, word.y1))
    across = word.turn in (1, 3)
    length = word.y1 - word.y0 if across else word.x1 - word.x0
    first = _reach(word, max(0, start - word.start), length)
    last = _reach(word, min(word.end, end) - word.start, length)
    if word.turn in (2, 3):
        first, last = length - last, length - first
    if across:
        return Rectangle(word.page, word.x0, word.y0 + first, word.x1, word.y0 + last)
    return Rectangle(word.page, word.x0 + first, word.y0, word.x0 + last, word.y1)


def _reach(word: Word, characters: int, length: float) -> float:
    """How far the first so many characters of a word reach: punctuation at its ends is known, the rest alike."""
    count = word.end - word.start
    if characters <= word.lead:
        return word.ahead * characters / word.lead if word.lead else 0.0
    if count - characters <= word.trail:
        return length - (word.behind * (count - characters) / word.trail if word.trail else 0.0)
    inner = length - word.ahead - word.behind
    return word.ahead + inner * (characters - word.lead) / max(1, count - word.lead - word.trail)


def _on_one_line(before: Word, word: Word, grown: Rectangle, box: Rectangle) -> bool:
    if before.page != word.page or before.turn != word.turn:
        return False
    if word.turn in (1, 3):
        grown = Rectangle(grown.page, grown.y0, grown.x0, grown.y1, grown.x1)
        box = Rectangle(box.page, box.y0, box.x0, box.y1, box.x1)
    height = min(grown.y1 - grown.y0, box.y1 - box.y0)
    shared = min(grown.y1, box.y1) - max(grown.y0, box.y0)
    gap = grown.x0 - box.x1 if word.turn in (2, 3) else box.x0 - grown.x1
    return shared >= _SAME_LINE * height and -height < gap < _WIDEST_GAP * max(height, 1.0)
