"""Where do the words of a query stand in a passage?"""

from components.questions import QUESTION_WORDS, WORD

_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "by",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "she",
        "that",
        "the",
        "their",
        "them",
        "there",
        "they",
        "this",
        "to",
        "was",
        "were",
        "will",
        "with",
    ]
)
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "ies", "es", "ers", "er", "ly", "s", "y", "e")
MOST = 200


def highlights(query: str, text: str, language: str = "English") -> list[tuple[int, int]]:
    """
    Character ranges of `text` whose words are those of `query`, whatever their case and ending; at most 200.

    Words that only ask or only join are not looked for, unless the query has no others.
    """
    words = {match.group().casefold() for match in WORD.finditer(query)}
    telling = words - _STOP - QUESTION_WORDS.get(language, frozenset()) - {"what", "who"}
    wanted = {_stem(word) for word in telling or words}
    found: list[tuple[int, int]] = []
    for match in WORD.finditer(text):
        if _stem(match.group().casefold()) in wanted:
            found.append(match.span())
            if len(found) == MOST:
                break
    return found


def _stem(word: str) -> str:
    """A word without its usual English endings; at least four letters stay."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
