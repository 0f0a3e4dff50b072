"""Which words of a question are worth looking for in a text."""

import re

# Vowel signs of Indian and Southeast Asian scripts are marks to Python, and letters to whoever writes them.
WORD = re.compile(r"[\w\u0900-\u0963\u0966-\u0dff\u0e30-\u0e4e\u0eb0-\u0ecd\u0f18-\u0fbc\u102b-\u103e\u17b4-\u17d3]+")

# Words that ask, and the auxiliaries that come with them: they say what kind of answer is wanted, and do not stand in
# the passage that holds it. On training articles of SQuAD "what", "how", "did" and "many" are no more frequent in the
# right passage than elsewhere, while "is" and "the" are; so these are left out of the search, and stop words are not.
# English is measured (docs/retrieval.md); the other languages hold the words of the same meaning.
QUESTION_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "English": "what which who whom whose when where why how do does did many much",
        "German": "was welche welcher welches welchem welchen wer wen wem wessen wann wo woher warum wie viel viele",
        "French": "que quoi qui quel quelle quels quelles quand où pourquoi comment combien",
        "Spanish": "qué quién quiénes cuál cuáles cuándo dónde por qué cómo cuánto cuánta cuántos cuántas",
        "Italian": "che cosa chi quale quali quando dove perché come quanto quanta quanti quante",
        "Portuguese": "que quem qual quais quando onde por quê como quanto quanta quantos quantas",
        "Dutch": "wat welke welk wie wiens wanneer waar waarom hoe veel",
    }.items()
}


def asks(word: str, position: int, language: str) -> bool:
    """
    Whether a word of a question only asks.

    A capital inside the question marks a name (the band "The Who", the "WHO"), which is looked for.

    :param word: As it is written.
    :param position: Number of the word in the question, from 0.
    :param language: Its name in English; of a language that is not in QUESTION_WORDS no word counts as asking.
    """
    if position > 0 and word[:1].isupper():
        return False
    return word.casefold() in QUESTION_WORDS.get(language, frozenset())


def search_text(question: str, language: str) -> str:
    """The question without the words that only ask; unchanged where nothing else would be left."""
    kept = [word for position, word in enumerate(WORD.findall(question)) if not asks(word, position, language)]
    return " ".join(kept) if kept else question


def pairs(question: str, language: str) -> list[tuple[str, str]]:
    """Neighbouring words of the question, casefolded, each pair once; none with a word that only asks."""
    words = WORD.findall(question)
    useful = [not asks(word, position, language) for position, word in enumerate(words)]
    return list(
        dict.fromkeys(
            (first.casefold(), second.casefold())
            for first, second, keep_first, keep_second in zip(words, words[1:], useful, useful[1:], strict=False)
            if keep_first and keep_second
        )
    )
