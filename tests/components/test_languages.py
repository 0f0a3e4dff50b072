"""Languages are given by ISO codes; their names, the form of before, with a warning."""

import warnings

import pytest

from components.languages import NAMES, language_name
from components.questions import QUESTION_WORDS
from components.retriever import HybridRetriever
from components.stores.lancedb import LanceDBDocumentStore


@pytest.mark.parametrize(
    ("given", "name"), [("en", "English"), ("DE", "German"), ("pt-BR", "Portuguese"), ("pt_BR", "Portuguese")]
)
def test_codes(given: str, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert language_name(given, "X") == name


def test_names_of_before_are_taken_with_a_warning_that_names_the_code() -> None:
    with pytest.warns(FutureWarning, match="language: de instead of German"):
        assert language_name("German", "X") == "German"
    with pytest.warns(FutureWarning, match="LanceDBDocumentStore"):
        store = LanceDBDocumentStore("nowhere", language="German")
    with pytest.warns(FutureWarning, match="HybridRetriever"):
        assert HybridRetriever(store, language="german").language == "german"


def test_others_are_refused_with_the_codes_there_are() -> None:
    with pytest.raises(ValueError, match="X: language is 'Klingon', but must be one of ar, da, de"):
        language_name("Klingon", "X")


def test_every_language_with_question_words_has_a_code() -> None:
    assert set(QUESTION_WORDS) <= set(NAMES.values())
