"""What was learned about a reader: how its scores become probabilities. Kept in its folder as calibration.json."""

import json
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

FILE_NAME = "calibration.json"
NEVER = 1e6  # no span scores as high


@dataclass(frozen=True)
class Calibration:
    """
    Weights of the ranking over all passages, see :mod:`components.reader.answers.ranking` for the formula.

    The defaults are safe for a reader nothing is known of: the span less half the null score (a reader of SQuAD 1.1 has
    an untrained one), a moderate trust in the retriever, and a temperature that keeps such a reader from being too
    sure.

    :param span: of the span's start logit + end logit.
    :param null: of the null score of the window the span stands in.
    :param window: of the log of the window's sum over all starts and ends (what a softmax over it divides by).
    :param retriever: of the retriever's score as z-score over the question's passages.
    :param rank: of log(1 + rank of the passage), the first passage has rank 0.
    :param no_answer: logit of "no answer in any of the passages".
    :param agreement: 1 adds the probabilities of the same answer found in several places, 0 takes the highest.
    :param temperature: divides all logits, the one of no answer included.
    :param threshold: an answer less probable than this is better withheld.
    :param no_answer_threshold: SQuAD 2.0's threshold: refusing where "no answer" is more probable than this gets the
        best mean F1 when half of the questions have none. For evaluation; people are shown an answer that is more
        probable than none. 1: unknown.
    :param stop_safe: logit of a span in the first passages from which on the other passages change the best answer of
        at most 1 question in 500.
    :param stop_aggressive: the same for 1 question in 50.
    :param alone: the weights for a question with a single passage, where there are some: whether one given passage
        holds the answer is another question than whether one of twenty retrieved ones does.
    """

    span: float = 1.0
    null: float = -0.5
    window: float = 0.0
    retriever: float = 1.0
    rank: float = 0.0
    no_answer: float = 0.0
    agreement: float = 1.0
    temperature: float = 2.0
    threshold: float = 0.0
    no_answer_threshold: float = 1.0
    stop_safe: float = NEVER
    stop_aggressive: float = NEVER
    alone: "Calibration | None" = None

    def __post_init__(self) -> None:
        for field in _numbers():
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e6:
                raise ValueError(f"calibration: {field.name} must be a finite number, got {value!r}.")
        if self.temperature <= 0:
            raise ValueError(f"calibration: temperature must be greater than 0, got {self.temperature}.")
        for name in ("agreement", "threshold", "no_answer_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"calibration: {name} must lie in 0 to 1, got {getattr(self, name)}.")

    @classmethod
    def from_weights(cls, weights: dict[str, Any], where: str) -> "Calibration":
        """:raises ValueError: for a weight that does not exist, naming ``where`` it was read and what is allowed."""
        names = [field.name for field in _numbers()]
        if not isinstance(weights, dict):
            raise ValueError(f"{where}: weights must map names to numbers, got {type(weights).__name__}.")
        if unknown := sorted(set(weights) - set(names)):
            raise ValueError(f"{where}: unknown weights {unknown}. Known are {', '.join(names)}.")
        try:
            return cls(**weights)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error

    @classmethod
    def load(cls, folder: Path) -> "Calibration | None":
        """
        What stands in the model folder's calibration.json, None if it has none.

        :raises ValueError: for a file that is not what ``save`` writes.
        """
        file = folder / FILE_NAME
        if not file.is_file():
            return None
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            weights, alone = content["weights"], content.get("weights_alone")
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{file} is no calibration ({type(error).__name__}: {error}). "
                "Make it anew with training.calibration.calibrate, or remove it to read with the defaults."
            ) from error
        found = cls.from_weights(weights, str(file))
        return found if alone is None else replace(found, alone=cls.from_weights(alone, str(file)))

    def of(self, passages: int) -> "Calibration":
        """The weights for a question with so many passages."""
        return self.alone if passages == 1 and self.alone is not None else self

    def save(self, folder: Path, **about: Any) -> Path:
        """Write calibration.json with these weights; ``about`` says what they were fitted on (anything JSON holds)."""
        file = folder / FILE_NAME
        content: dict[str, Any] = {"weights": self.numbers(digits=6)}
        if self.alone is not None:
            content["weights_alone"] = self.alone.numbers(digits=6)
        content |= about
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return file

    def numbers(self, digits: int = 12) -> dict[str, float]:
        """The weights by name, without those for a passage alone, as :meth:`from_weights` takes them."""
        return {field.name: round(getattr(self, field.name), digits) for field in _numbers()}


def _numbers() -> list[Field[Any]]:
    return [field for field in fields(Calibration) if field.name != "alone"]


SPAN_ALONE = Calibration(null=0.0, retriever=0.0, agreement=0.0, temperature=1.0)
"""Ranks as a plain softmax over the question's span logits does: for comparisons."""
