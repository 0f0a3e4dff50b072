"""The language of short questions is known by the words that hardly a question is without."""

import pytest

from components.routing.question_language import question_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Was the bridge opened in 1874?", "en"),
        ("Who wrote Les Misérables?", "en"),
        ("When was La Scala opened?", "en"),
        ("Was kostet die Fähre?", "de"),
        ("Welcher Trainer führte Denver 2015 an?", "de"),
        ("Quand le pont a-t-il été ouvert ?", "fr"),
        ("¿Quién firmó el contrato?", "es"),
        ("Chi ha firmato il contratto?", "it"),
        ("Quem construiu o farol?", "pt"),
        ("Wie heeft het contract getekend?", "nl"),
        ("Кто построил маяк?", "ru"),
        ("誰が書いたのですか", "ja"),
        ("谁写的？", "zh"),
        ("Ποιος το έγραψε;", "el"),
    ],
)
def test_languages(question: str, language: str) -> None:
    assert question_language(question, otherwise="none") == language


@pytest.mark.parametrize("question", ["Kaltwasser", "", "1874?", "\ud800", "🙂"])
def test_no_sign_no_language(question: str) -> None:
    assert question_language(question, otherwise="none") == "none"
