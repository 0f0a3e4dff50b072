"""Suggestions while typing, and "did you mean": from the words and headings of documents the caller may see."""

import asyncio
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from components.questions import QUESTION_WORDS
from service.access.caller import Caller

if TYPE_CHECKING:
    from service.service import Service

_WORD = re.compile(r"[^\W\d_]{3,40}")
_TEXT_READ = 2_000_000  # characters of a document
_SOURCES_READ = 20_000
_KEPT = 32  # callers' vocabularies
_COMMON = frozenset().union(*QUESTION_WORDS.values()) | {
    "the",
    "and",
    "for",
    "are",
    "was",
    "were",
    "with",
    "from",
    "that",
}


class Vocabulary:
    """
    Words with their counts, and headings, of the documents that one set of principals may see.

    Made from those documents alone, so that no suggestion can tell of another.
    """

    def __init__(self, words: Counter[str], phrases: dict[str, str]) -> None:
        self.words, self.phrases = words, phrases
        self._by_edit: dict[str, list[str]] | None = None

    def suggestions(self, prefix: str, limit: int) -> list[dict[str, str]]:
        """Titles and headings with a word that begins like this; those that begin so themselves come first."""
        wanted = prefix.casefold().strip()
        first = [text for text in self.phrases if text.casefold().startswith(wanted)]
        inside = re.compile(r"\b" + re.escape(wanted))
        second = [text for text in self.phrases if text not in first and inside.search(text.casefold())]
        return [{"text": text, "kind": self.phrases[text]} for text in (first + second)[:limit]]

    def corrected(self, query: str) -> str | None:
        """The query with unknown words replaced by near and frequent ones; None when there is nothing to correct."""
        changed = False  # short words are near to too many others

        def better(match: re.Match[str]) -> str:
            nonlocal changed
            word = match.group()
            lower = word.casefold()
            if lower in self.words or lower in _COMMON or len(lower) < 4:
                return word
            near = self._nearest(lower)
            if near is None:
                return word
            changed = True
            return near.capitalize() if word[0].isupper() else near

        text = _WORD.sub(better, query)
        return text if changed else None

    def _nearest(self, word: str) -> str | None:
        """The most frequent word at one edit's distance (a letter more, less, another, or two swapped)."""
        if self._by_edit is None:
            self._by_edit = {}
            for known in self.words:
                for form in _deletions(known):
                    self._by_edit.setdefault(form, []).append(known)
        near: set[str] = set()
        for form in _deletions(word):
            near.update(known for known in self._by_edit.get(form, ()) if _one_edit(word, known))
        return max(near, key=lambda known: (self.words[known], known), default=None)


class Vocabularies:
    """One vocabulary for each set of principals that asks; made anew when documents or permissions change."""

    def __init__(self) -> None:
        self._kept: dict[Any, Vocabulary] = {}
        self._words: dict[str, tuple[str, Counter[str]]] = {}  # source id -> its version, its words
        self._lock = threading.Lock()

    def of(self, service: "Service", caller: Caller) -> Vocabulary:
        """May read documents: call it in a thread."""
        key = (service.catalogue.version(caller), service.jobs.last_success())
        with self._lock:
            if (kept := self._kept.get(key)) is None:
                if len(self._kept) >= _KEPT:
                    self._kept.clear()
                kept = self._kept[key] = self._made(service, caller)
            return kept

    def soon(self, service: "Service", caller: Caller) -> Vocabulary | None:
        """The vocabulary if it is there; else it is made meanwhile, and the next question has it."""
        key = (service.catalogue.version(caller), service.jobs.last_success())
        if (kept := self._kept.get(key)) is None and not self._lock.locked():
            threading.Thread(target=self.of, args=(service, caller), name="vocabulary", daemon=True).start()
        return kept

    def _made(self, service: "Service", caller: Caller) -> Vocabulary:
        store = service.engine.store
        words: Counter[str] = Counter()
        phrases: dict[str, str] = {}
        for number, source in enumerate(store.sources.all()):
            if number >= _SOURCES_READ:
                break
            if source.state == "indexed" and service.catalogue.may_see(caller, source.source_id):
                words.update(self._words_of(store, source.source_id, source.version))
        allowed = service.catalogue.filter_for(caller)
        for name in ("title", "headings"):
            values, _ = store.get_metadata_field_unique_values(name, size=5000, filters=allowed)
            for value in values:
                for phrase in str(value).split(" > "):
                    phrases.setdefault(phrase.strip("… "), name.rstrip("s"))
        phrases.pop("", None)
        return Vocabulary(words, phrases)

    def _words_of(self, store: Any, source_id: str, version: str) -> Counter[str]:
        kept = self._words.get(source_id)
        if kept is None or kept[0] != version:
            source = store.sources.get(source_id)
            text = (source.text or "")[:_TEXT_READ] if source is not None else ""
            kept = self._words[source_id] = (version, Counter(match.casefold() for match in _WORD.findall(text)))
        return kept[1]


async def did_you_mean(service: "Service", caller: Caller, query: str) -> str | None:
    """The query as it was probably meant, or None; also None while the vocabulary is still being made."""
    vocabulary = service.vocabularies.soon(service, caller)
    return None if vocabulary is None else await asyncio.to_thread(vocabulary.corrected, query)


async def suggestions(
    service: "Service", caller: Caller, prefix: str, limit: int
) -> tuple[list[dict[str, str]], str | None]:
    """What may be meant by what was typed so far, and the same with its words corrected, or None."""

    def look() -> tuple[list[dict[str, str]], str | None]:
        vocabulary = service.vocabularies.of(service, caller)
        written, _, typing = prefix.rpartition(" ")  # the last word may not be finished
        corrected = vocabulary.corrected(written) if written else None
        return vocabulary.suggestions(prefix, limit), f"{corrected} {typing}" if corrected else None

    return await asyncio.to_thread(look)


def _deletions(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _one_edit(first: str, second: str) -> bool:
    """Whether one letter more, less, another, or two neighbours swapped make one word of the other."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return False
    at = next(
        (at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    rest_a, rest_b = first[at:], second[at:]
    return (
        rest_a[1:] == rest_b[1:]
        or rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    )
