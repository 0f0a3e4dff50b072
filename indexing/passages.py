"""The Haystack component that divides documents into passages which fit the embedder's window and know their place."""

import bisect
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from haystack import Document, component

from components.models import MINILM
from indexing.chunking.packing import pack, with_overlap
from indexing.chunking.segments import Unit, halves, units
from indexing.chunking.tokens import TokenCounter

# Formats whose lines may be wrapped sentences; in the others a line is a row or an item.
_WRAPPED = {
    "text/plain",
    "application/pdf",
    "message/rfc822",
    "application/vnd.ms-outlook",
    "application/mbox",
    "image/*",
}
# Of a document's meta, what describes the whole file and is kept with its source, not with every passage.
_OF_THE_SOURCE = {
    "heading_places",
    "page_starts",
    "page_labels",
    "notes",
    "content_hash",
    "fingerprint",
    "size",
    "mtime_ns",
    "validator",
}
_MAX_HEADINGS = 240  # characters of the heading path


@component
class PassageSplitter:
    """
    Divides each document at its headings, paragraphs and sentences.

    A passage's `content` is exactly ``document.content[start:start + len(content)]``, with start in
    ``meta["split_idx_start"]``; it never has more than `max_tokens` tokens, special ones and `prefix_fields` included.
    A short document stays one passage.

    :param model: name of the embedding model, whose tokenizer counts (`components.models`).
    :param max_tokens: that the embedder reads; None: what the model's own settings say. all-MiniLM-L6-v2 reads 256.
    :param overlap: sentences of the passage before that a passage repeats.
    :param prefix_fields: names in `meta` (`title`, `headings`) whose text the embedder puts in front of a passage.
    :param language: code of the language in which sentences end ("en", "de", "fr", ...).
    :raises ValueError: for a negative overlap, or fewer than 16 tokens.
    """

    def __init__(
        self,
        model: str = MINILM,
        max_tokens: int | None = None,
        overlap: int = 0,
        prefix_fields: list[str] | None = None,
        language: str = "en",
    ) -> None:
        if overlap < 0:
            raise ValueError(f"PassageSplitter: 'overlap' is {overlap}; it counts sentences and cannot be below 0.")
        if max_tokens is not None and max_tokens < 16:
            raise ValueError(f"PassageSplitter: 'max_tokens' is {max_tokens}; it must be at least 16.")
        self.model = model
        self.max_tokens = max_tokens
        self.overlap = overlap
        self.prefix_fields = prefix_fields
        self.language = language
        self._counter: TokenCounter | None = None

    def warm_up(self) -> None:
        """
        :raises components.models.ModelError: when the model is not found.
        :raises ValueError: when `max_tokens` is more than the model reads.
        """
        if self._counter is None:
            self._counter = TokenCounter(self.model, self.max_tokens)

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        """
        :param documents: with text; `meta` may bring source_id, source_version, mime_type, title and what
            `FileConverter` notes of headings and pages.
        :returns: `documents`: the passages, in order.
        """
        self.warm_up()
        return {"documents": [passage for document in documents for passage in self._passages(document)]}

    def _passages(self, document: Document) -> Iterator[Document]:
        text, meta = document.content or "", document.meta
        headings = [(int(offset), int(level), str(line)) for offset, level, line in meta.get("heading_places", [])]
        page_starts, labels = meta.get("page_starts", []), meta.get("page_labels", [])
        kept = {name: value for name, value in meta.items() if name not in _OF_THE_SOURCE}
        kept.setdefault("source_id", document.id)
        kept.setdefault("source_version", "")
        spans = self.split(text, headings, lines=meta.get("mime_type", "text/plain") not in _WRAPPED, meta=kept)
        for number, (start, end, body) in enumerate(spans):
            content = text[start:end]
            place: dict[str, Any] = {"split_id": number, "split_idx_start": start}
            if path := heading_path(headings, body, skip=str(kept.get("title", ""))):
                place["headings"] = path
            if page_starts:
                place["page_number"] = number_of_page = bisect.bisect_right(page_starts, start)
                if number_of_page <= len(labels):
                    place["page_name"] = labels[number_of_page - 1]
            whole = kept | place
            yield Document(id=passage_id(whole, content), content=content, meta=whole)

    def split(
        self,
        text: str,
        headings: Sequence[tuple[int, int, str]] = (),
        *,
        lines: bool = False,
        meta: dict[str, Any] | None = None,
    ) -> list[tuple[int, int, int]]:
        """
        Divide one text.

        :param headings: (offset, level, heading) by offset.
        :returns: (start, end, start of the first text behind the passage's opening headings) of each passage.
        """
        self.warm_up()
        assert self._counter is not None  # noqa: S101 - warm_up has just seen to it
        counter = self._counter
        title = str((meta or {}).get("title", ""))
        longest = max((heading_path(headings, offset, title) for offset, _, _ in headings), key=len, default="")
        room = counter.room([{**(meta or {}), "headings": longest}.get(name) for name in self.prefix_fields or []])
        places = [(offset, text[offset : offset + len(line)]) for offset, _, line in headings]
        pieces, tokens = self._fitting(text, list(units(text, places, language=self.language, lines=lines)), room)
        # Sentences to repeat need room beside the passage's own.
        spare = min(room // 3, self.overlap * sorted(tokens)[len(tokens) // 2]) if sum(tokens) > room else 0
        ranges = with_overlap(pack(pieces, tokens, room - spare), pieces, tokens, room, self.overlap)
        offsets = {offset for offset, _ in places}
        found = []
        for first, stop in self._checked(text, ranges, pieces, room):
            body = next(
                (pieces[i].start for i in range(first, stop) if pieces[i].start not in offsets), pieces[first].start
            )
            found.append((pieces[first].start, pieces[stop - 1].end, body))
        return found

    def _fitting(self, text: str, pieces: list[Unit], room: int) -> tuple[list[Unit], list[int]]:
        """Units cut until each fits, and their token counts."""
        assert self._counter is not None  # noqa: S101
        counts = self._counter.count(text[unit.start : unit.end] for unit in pieces)
        fitting: list[Unit] = []
        tokens: list[int] = []
        stack = [(unit, count) for unit, count in zip(reversed(pieces), reversed(counts), strict=True)]
        while stack:
            unit, count = stack.pop()
            parts = halves(text, unit) if count > room else []
            if len(parts) > 1:
                sizes = self._counter.count(text[part.start : part.end] for part in parts)
                stack.extend(reversed(list(zip(parts, sizes, strict=True))))
            else:
                fitting.append(unit)
                tokens.append(count)
        return fitting, tokens

    def _checked(
        self, text: str, ranges: list[tuple[int, int]], pieces: list[Unit], room: int
    ) -> Iterator[tuple[int, int]]:
        """Tokens of parts need not add up to those of the whole: count the whole, and halve what is above the room."""
        assert self._counter is not None  # noqa: S101
        counts = self._counter.count(text[pieces[first].start : pieces[stop - 1].end] for first, stop in ranges)
        for (first, stop), count in zip(ranges, counts, strict=True):
            if count <= room or stop - first == 1:
                yield first, stop
            else:
                middle = (first + stop) // 2
                yield from self._checked(text, [(first, middle), (middle, stop)], pieces, room)


def heading_path(headings: Sequence[tuple[int, int, str]], position: int, skip: str = "") -> str:
    """The headings above a place, outermost first, joined with " > "; without `skip`, the document's title."""
    path: list[tuple[int, str]] = []
    for offset, level, line in headings:
        if offset > position:
            break
        while path and path[-1][0] >= level:
            path.pop()
        path.append((level, line))
    joined = " > ".join(line for _, line in path if line != skip)
    return joined if len(joined) <= _MAX_HEADINGS else "… " + joined[-_MAX_HEADINGS + 2 :].lstrip()


def passage_id(meta: dict[str, object], content: str) -> str:
    """32 hex: of a source, its version, and where in it the passage stands."""
    name = "\n".join((str(meta["source_id"]), str(meta["source_version"]), str(meta["split_idx_start"]), content))
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
