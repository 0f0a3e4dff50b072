"""The figures of SQuAD 1.1 against torchmetrics, which computes them by code of its own."""

import random

import pytest
from torchmetrics.text import SQuAD

from evaluation.squad import SquadQuestion, evaluate

WORDS = ["the", "a", "Paris,", "U.S.", "1918", "1914-1918", "of", "war", "Gaga", "naïve", "“quoted”", "!", "An", ""]

SOLID = ["Paris,", "U.S.", "1918", "1914-1918", "war"]


@pytest.mark.parametrize("seed", range(20))
def test_exact_and_f1_are_those_of_torchmetrics(seed: int) -> None:
    rng = random.Random(seed)

    def draw(most: int) -> str:
        # One word at least is left by the rule: where none is, torchmetrics goes by 2.0's script, and 1.1's gives 0.
        words = [rng.choice(SOLID), *rng.choices(WORDS, k=rng.randint(0, most - 1))]
        rng.shuffle(words)
        return " ".join(words)

    questions, predictions = [], {}
    for number in range(60):
        golds = tuple(draw(4) for _ in range(rng.randint(1, 3)))
        questions.append(SquadQuestion(str(number), "q", "c", golds, "t"))
        predictions[str(number)] = rng.choice([draw(4), golds[0], f"{golds[-1]} {draw(2)}"])
    theirs = SQuAD()
    theirs.update(
        [{"prediction_text": text, "id": name} for name, text in predictions.items()],
        [
            {"id": one.id, "answers": {"answer_start": [0] * len(one.answers), "text": list(one.answers)}}
            for one in questions
        ],
    )
    figures, wanted = evaluate(questions, predictions, version="1.1"), theirs.compute()
    assert figures["exact"] == pytest.approx(float(wanted["exact_match"]), abs=1e-3)
    assert figures["f1"] == pytest.approx(float(wanted["f1"]), abs=1e-3)
    assert 0 < figures["exact"] < figures["f1"] < 100
