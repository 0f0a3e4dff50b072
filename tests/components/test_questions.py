import itertools

from hypothesis import given
from hypothesis import strategies as st

from components.questions import QUESTION_WORDS, WORD, pairs, search_text


def test_words_that_only_ask_are_not_looked_for():
    assert search_text("How many people did the flood of 1953 kill?", "English") == "people the flood of 1953 kill"
    assert search_text("Wann wurde die Brücke gebaut?", "German") == "wurde die Brücke gebaut"


def test_names_are_looked_for():
    assert search_text("When did The Who release it?", "English") == "The Who release it"
    assert search_text("what does the WHO advise", "English") == "the WHO advise"


def test_a_question_of_such_words_alone_stays():
    assert search_text("who? what?", "English") == "who? what?"
    assert search_text("", "English") == ""


def test_other_languages_are_left_alone():
    assert search_text("What is it", "Finnish") == "What is it"
    assert "Finnish" not in QUESTION_WORDS


def test_pairs_stand_side_by_side_in_the_question():
    assert pairs("Which team won Super Bowl, and Super Bowl 50?", "English") == [
        ("team", "won"),
        ("won", "super"),
        ("super", "bowl"),
        ("bowl", "and"),
        ("and", "super"),
        ("bowl", "50"),
    ]
    assert pairs("how many people", "English") == []


@given(st.text(), st.sampled_from([*QUESTION_WORDS, "Finnish"]))
def test_any_text_keeps_its_words_and_their_order(question, language):
    words = WORD.findall(question)
    kept = WORD.findall(search_text(question, language))
    rest = iter(words)
    assert all(word in rest for word in kept)
    neighbours = {(a.casefold(), b.casefold()) for a, b in itertools.pairwise(words)}
    assert set(pairs(question, language)) <= neighbours
