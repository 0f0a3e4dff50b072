"""Questions that a model writes become questions of an exam, with their places."""

from pathlib import Path

from haystack import Document

from evaluation.exam.generated import generate_with
from evaluation.exam.make import _candidates
from tests.components.generation.conftest import known, tiny_t5  # noqa: F401 - fixtures
from tests.components.generation.tiny_t5 import Lessons


def test_a_model_writes_questions_beside_the_rules(tiny_t5: Path, known: Lessons) -> None:  # noqa: F811
    contexts = list(dict.fromkeys(context for _, context, _ in known.answered))
    passages = [
        Document(content=f"{contexts[0]}\n"),
        Document(content=""),
        Document(content="country: kenya; capital: rome"),
    ]
    generate = generate_with(str(tiny_t5))
    made = generate(passages)
    assert len(made) == 3 and made[1] == []
    answers = {passages[0].content[one.start : one.end] for one in made[0]}  # type: ignore[index]
    learned = {answer for _, context, answer in known.answered if context == contexts[0] and answer}
    assert len(answers & learned) >= len(learned) // 2, "half of what it learned by heart at least"
    candidates = _candidates(passages, generate)
    assert {one.kind for one in candidates} == {"generated", "lookup"}
    asked = {(one.question, one.answer) for one in candidates}
    lessons = {(question, answer) for question, context, answer in known.answered if context == contexts[0] and answer}
    assert len(asked & lessons) >= len(lessons) // 2, "the very questions that it was taught for their answers"
