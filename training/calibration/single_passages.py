"""Questions with one passage each, half of them without an answer there, to fit the weights for a passage alone."""

from collections.abc import Sequence

from haystack import Document

from components.reader.answers.answer_text import normalise_answer
from evaluation.squad_data import SquadData
from training.calibration.ranking_features import Example
from training.data.made_questions import make_unanswerable, swap_common_words


def single_passages(data: SquadData, found: Sequence[Sequence[Document]], seed: int) -> list[Example]:
    """
    Each answerable question with its own paragraph, and one unanswerable pair for it: the paragraph asked a question
    with a common word swapped (:func:`training.data.made_questions.swap_common_words`), else one that another rule
    changed, else the question asked of the best wrong passage that retrieval found for it. The latter two are what
    readers are trained with and tell apart too easily: their threshold would be too mild. SQuAD 2.0 is half
    unanswerable too.

    :param found: the retrieved passages of each question, best first.
    """
    changed = [*make_unanswerable(data, seed), *swap_common_words(data, seed)]
    made = {one.id.rpartition("-")[0]: one.text for one in changed}
    examples = []
    for question, passages in zip(data.questions, found, strict=True):
        paragraph = data.paragraphs[question.paragraph]
        own = Document(content=paragraph.text)
        answers = [answer.text for answer in question.answers]
        examples.append(Example(question.text, [own], answers, paragraph.article))
        if not answers:
            continue
        wrong = next((one for one in passages if not _holds(one.content or "", answers)), None)
        if question.id in made:
            examples.append(Example(made[question.id], [own], [], paragraph.article))
        elif wrong is not None:
            examples.append(Example(question.text, [Document(content=wrong.content)], [], paragraph.article))
    return examples


def _holds(text: str, answers: Sequence[str]) -> bool:
    words = f" {normalise_answer(text)} "
    return any(f" {normalise_answer(answer)} " in words for answer in answers)
