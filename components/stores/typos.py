"""
Words of a question that stand nowhere in the documents, written as the documents write them.

One typing error in a rare word ("shared_bufers") takes the very word away that would have found the passage. Asking
every question fuzzily lowers recall and is eight times slower, so a word only counts as misspelt when the store, asked
for that word alone, knows no passage with it; and it is only changed when a word of a passage is one or two letters
away (optimal string alignment distance: a letter put in, left out, changed, or two neighbours swapped).
"""

from collections.abc import Callable, Sequence

from haystack import Document
from rapidfuzz.distance import OSA

from components.questions import WORD, asks
from components.search_form import search_form

# Short words are too near to each other ("form", "from"), and numbers are never misspelt words.
SHORTEST = 5
# From this length on two letters may differ.
LONG = 9
# An ending may differ by its inflection ("colonies", "colony"): a passage that holds the beginning holds the word.
ENDING = 3
Ask = Callable[[list[str], bool], list[list[Document]]]
"""Passages for words, each asked alone; with True, also those in which a letter or two differ."""


def spell_as_documents(
    questions: Sequence[str], found: Sequence[Sequence[Document]], ask: Ask, language: str = "English"
) -> list[str]:
    """
    The questions with their misspelt words put right.

    :param questions: as people write them.
    :param found: the passages that were found for each: a word that stands in one of them is spelt well.
    :param language: its name in English: words that only ask in it are left alone.
    :param ask: the store; not asked where every word of a question stands in its passages.
    :returns: the questions, the same text where nothing is to be put right.
    """
    doubtful = [_not_in(question, documents, language) for question, documents in zip(questions, found, strict=True)]
    words = list(dict.fromkeys(word for group in doubtful for word in group))
    if not words:
        return list(questions)
    unknown = [word for word, hits in zip(words, ask(words, False), strict=True) if not _known(word, hits)]
    if not unknown:
        return list(questions)
    near = {word: _nearest(word, hits) for word, hits in zip(unknown, ask(unknown, True), strict=True)}
    right = {word: other for word, other in near.items() if other is not None}
    return [_replaced(question, right) for question in questions]


def _not_in(question: str, documents: Sequence[Document], language: str) -> list[str]:
    """The long words of a question whose beginning stands in none of the passages."""
    words = [
        word
        for position, word in enumerate(WORD.findall(question))
        if len(word) >= SHORTEST and word.replace("_", "").isalpha() and not asks(word, position, language)
    ]
    if not words:
        return []
    texts = "\n".join(search_form(document.content or "") for document in documents).casefold()
    return [
        word for word in words if search_form(word).casefold()[: max(SHORTEST - 1, len(word) - ENDING)] not in texts
    ]


def _known(word: str, hits: Sequence[Document]) -> bool:
    """Whether passages that a store gives for a word hold it; one with "_" may have been looked for in parts."""
    if "_" not in word:
        return bool(hits)
    return any(search_form(word).casefold() in search_form(hit.content or "").casefold() for hit in hits)


def _nearest(word: str, hits: Sequence[Document]) -> str | None:
    """The word of the passages that differs least, the more frequent one of two; None when all differ too much."""
    asked, allowed = search_form(word).casefold(), 1 if len(word) < LONG else 2
    counts: dict[str, int] = {}
    for hit in hits:
        for other in WORD.findall(search_form(hit.content or "").casefold()):
            if other[0] == asked[0] and abs(len(other) - len(asked)) <= allowed:
                counts[other] = counts.get(other, 0) + 1
    distances = {other: OSA.distance(asked, other, score_cutoff=allowed) for other in counts}
    near = [other for other, distance in distances.items() if distance <= allowed]
    return min(near, key=lambda other: (distances[other], -counts[other], other), default=None)


def _replaced(question: str, right: dict[str, str]) -> str:
    return WORD.sub(lambda found: right.get(found.group(), found.group()), question)
