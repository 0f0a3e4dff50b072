"""Questions of an exam that a model writes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from evaluation.exam.wordings import MadeQuestion

if TYPE_CHECKING:
    from haystack import Document


def generate_with(model: str) -> Callable[[Sequence["Document"]], list[list[MadeQuestion]]]:
    """
    What writes questions for passages: a list for each, of the kind "generated".

    They are not checked by the model itself: the exam's own round trip does that, for all questions alike.

    :param model: of the three tasks of distilt5-qa-qg; a folder, or a name on a hub.
    :raises components.models.ModelError: when it is not found, or is of another kind.
    """
    from components.question_generator import QuestionGenerator

    maker = QuestionGenerator(model=model, round_trip="off", rules=False)
    maker.warm_up()

    def generate(passages: Sequence["Document"]) -> list[list[MadeQuestion]]:
        made: dict[str, list[MadeQuestion]] = {passage.id: [] for passage in passages}
        for pair in maker.run(documents=list(passages))["pairs"]:
            if pair.document is not None and pair.document_offset is not None:
                start, end = pair.document_offset.start, pair.document_offset.end
                made[pair.document.id].append(MadeQuestion(pair.query, start, end, "generated"))
        return [made[passage.id] for passage in passages]

    return generate
