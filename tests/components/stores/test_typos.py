"""Misspelt words of questions: only words that no document holds are put right, and only by a word near to them."""

import re

import pytest
from haystack import Document

from components.stores.typos import spell_as_documents

TEXTS = (
    "The parameter shared_buffers sets how much memory the server takes.",
    "Colonies were founded by settlers; the colony grew. Konrad Fischer opened the station.",
    "They were there before, and where they went nobody knows.",
)


class Store:
    """Knows whole words, and those a letter or two away; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], bool]] = []

    def __call__(self, words: list[str], typos: bool) -> list[list[Document]]:
        self.asked.append((tuple(words), typos))
        return [
            [
                Document(content=text)
                for text in TEXTS
                if typos or word.casefold() in re.findall(r"\w+", text.casefold())
            ]
            for word in words
        ]


def spell(question: str, found: tuple[str, ...] = ()) -> tuple[str, Store]:
    store = Store()
    [spelt] = spell_as_documents([question], [[Document(content=text) for text in found]], store)
    return spelt, store


@pytest.mark.parametrize(
    ("question", "spelt"),
    [
        ("What does shared_bufers do?", "What does shared_buffers do?"),
        ("Who was Konrad Fisher?", "Who was Konrad fischer?"),
        ("Who founded the coloneis?", "Who founded the colonies?"),  # two swapped
        ("Where was the staton?", "Where was the station?"),
    ],
)
def test_a_word_near_to_one_of_the_documents_is_put_right(question, spelt):
    assert spell(question)[0] == spelt


@pytest.mark.parametrize(
    "question",
    [
        "Where is it?",  # "were" is near, but this word asks
        "Who wrote Zanzibar?",  # far from everything
        "What is parser?",  # "parameter" is no misspelling of it
        "form 12345 memroy2",  # short words and numbers
        "",
    ],
)
def test_others_stay(question):
    assert spell(question)[0] == question


def test_a_store_is_not_asked_where_the_passages_hold_the_words():
    spelt, store = spell("Who founded colonies with shared_buffers?", found=TEXTS[:2])
    assert store.asked == []
    assert spelt.startswith("Who founded")


def test_it_is_asked_fuzzily_for_unknown_words_alone():
    _, store = spell("settlers of the staton", found=())
    assert store.asked == [(("settlers", "staton"), False), (("staton",), True)]
