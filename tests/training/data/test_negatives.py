"""Wrong passages, mined by BM25, and questions made unanswerable by rule."""

import json
import math
from collections import Counter

import numpy as np
import pytest

from evaluation.squad_data import Answer, Paragraph, Question, SquadData, read_squad
from tests.training.world import facts
from training.data.made_questions import make_unanswerable, swap_common_words
from training.data.negatives import mine
from training.data.passage_search import WordSearch, _words

TEXTS = ["the cat sat", "cats and dogs", "a dog, a dog and a cat", "nothing here", ""]


def slow_bm25(texts, question, k1=1.2, b=0.75):
    held = [Counter(_words(text)) for text in texts]
    mean = sum(sum(words.values()) for words in held) / len(held)
    scores = []
    for words in held:
        score = 0.0
        for word in set(_words(question)):
            n = sum(word in other for other in held)
            if word in words:
                idf = math.log(1 + (len(texts) - n + 0.5) / (n + 0.5))
                norm = k1 * (1 - b + b * sum(words.values()) / mean)
                score += idf * words[word] * (k1 + 1) / (words[word] + norm)
        scores.append(score)
    return scores


def test_ranking_agrees_with_a_slow_bm25():
    search = WordSearch(TEXTS)
    for question in ("dog and cat", "the cats", "nothing", "unknown words"):
        scores = slow_bm25(TEXTS, question)
        wanted = sorted(range(len(TEXTS)), key=lambda row: (-round(scores[row], 5), row))
        assert search([question], len(TEXTS))[0].tolist() == wanted
    with pytest.raises(ValueError, match="number of paragraphs, 5; got 6"):
        search(["x"], 6)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "facts.json").write_text(json.dumps(facts(3, 15)))
    return read_squad([tmp_path / "facts.json"])


def test_mined_passages_hold_no_answer_and_are_kept_on_disk(data, tmp_path):
    mined = mine(data, 6, tmp_path / "cache")
    assert mined.shape == (len(data.questions), 6)
    for question, wrong in zip(data.questions, mined.tolist(), strict=True):
        assert question.paragraph not in wrong
        for paragraph in wrong:
            words = data.paragraphs[paragraph].text.split() if paragraph >= 0 else []
            assert not {answer.text for answer in question.answers} & set(words)
    # The person asked about ranks first: hard, not random.
    named = sum(q.text.split()[-2] in data.paragraphs[w[0]].text for q, w in zip(data.questions, mined, strict=True))
    assert named > 0.8 * len(data.questions)

    def never(questions, top):
        raise AssertionError("mined again")

    np.testing.assert_array_equal(mine(data, 6, tmp_path / "cache", never), mined)


def squad(tmp_path, context, *questions):
    other = {"context": "In Lyon, the engineer Marie Dubois met Paul in 1850.", "qas": []}
    qas = []
    for number, (question, answer) in enumerate(questions):
        answers = [{"text": answer, "answer_start": context.index(answer)}]
        qas.append({"id": f"q{number}", "question": question, "answers": answers})
    content = {"data": [{"title": "t", "paragraphs": [{"context": context, "qas": qas}, other]}]}
    (tmp_path / "made.json").write_text(json.dumps(content))
    return read_squad([tmp_path / "made.json"])


def test_made_questions_speak_of_what_the_passage_does_not_hold(tmp_path):
    data = squad(
        tmp_path,
        "The old bridge in Berlin was built before 1900 by workers.",
        ("Who built the bridge in Berlin?", "workers"),
        ("What was built before 1900?", "bridge"),
        ("What is the thing?", "bridge"),
    )
    rules = set()
    for seed in range(20):
        for made in make_unanswerable(data, seed):
            source, _, rule = made.id.rpartition("-")
            original = next(question for question in data.questions if question.id == source)
            assert made.answers == () and made.paragraph == original.paragraph and made.text != original.text
            rules.add(rule)
            if rule == "name":
                assert "Berlin" not in made.text
    assert rules == {"name", "number", "opposite", "negation"}
    assert make_unanswerable(data, 3) == make_unanswerable(data, 3)


def test_a_common_word_gives_way_to_one_that_the_paragraph_does_not_hold():
    texts = [
        "the harbour of Lima was widened in 1880 by engineers",
        "the railway to Oslo was opened in 1854 by farmers",
    ]
    paragraphs = tuple(Paragraph(text, "Ports") for text in texts)
    asked = ["When was the harbour widened?", "Who opened the railway?", "Why was it built?"]
    answers = [(Answer("1880", texts[0].index("1880")),), (Answer("farmers", texts[1].index("farmers")),), ()]
    questions = tuple(Question(str(n), asked[n], min(n, 1), answers[n]) for n in range(3))
    data = SquadData(paragraphs, questions)
    made = swap_common_words(data, 0)
    assert [one.id for one in made] == ["0-common", "1-common"] and made == swap_common_words(data, 0)
    for one in made:
        before, after = set(asked[int(one.id[0])].strip("?").split()), set(one.text.strip("?").split())
        (new,), (old,) = after - before, before - after
        assert not one.answers and old in texts[one.paragraph] and new not in texts[one.paragraph]


@pytest.mark.parametrize(
    ("answer", "text"),
    [("US", "made in the U.S. in spring"), ("U.S.", "sold to the US"), ("1918", "the war of 1914-1918")],
)
def test_a_passage_that_holds_the_answer_in_other_marks_is_not_wrong(answer, text):
    data = SquadData(
        (Paragraph(f"the answer is {answer}", "a"), Paragraph(text, "b"), Paragraph("a passage about cats", "c")),
        (Question("1", "where ?", 0, (Answer(14, answer),)),),
    )
    assert mine(data, 2)[0].tolist() == [2, -1]
