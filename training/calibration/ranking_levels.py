"""The ranking's softmax over the answers of many questions, as tensors, so that its weights can be fitted."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.reader.calibration import Calibration
from training.calibration.ranking_features import Features, Floats

if TYPE_CHECKING:
    from torch import Tensor

FITTED = ("span", "null", "window", "retriever", "rank", "no_answer")


@dataclass(frozen=True)
class Levels:
    """Features as tensors, and the softmax over them, differentiable."""

    values: "Tensor"
    region: "Tensor"
    answer: "Tensor"
    question: "Tensor"
    right: "Tensor"
    answerable: "Tensor"

    @classmethod
    def of(cls, features: Features) -> "Levels":
        import torch

        answerable = torch.as_tensor(features.answerable)
        arrays = (features.values, features.region, features.answer, features.question, features.right)
        values, region, answer, question, right = (torch.as_tensor(array) for array in arrays)
        return cls(values, region, answer, question, right, answerable)

    def masses(self, weights: "Tensor", agreement: float) -> "tuple[Tensor, Tensor]":
        """What each answer weighs in its question, and what no answer does: (answers,), (questions,)."""
        import torch

        logits = self.values @ weights[:5]
        question = self.question[self.answer[self.region]]
        highest = weights[5].detach().expand(len(self.answerable)).clone()
        highest = highest.scatter_reduce(0, question, logits.detach(), "amax")
        regions = torch.full((len(self.answer),), -torch.inf, dtype=torch.float64)
        regions = regions.scatter_reduce(0, self.region, logits - highest[question], "amax").exp()
        empty = torch.zeros(len(self.question), dtype=torch.float64)
        answers = agreement * empty.index_add(0, self.answer, regions)
        if agreement < 1:
            answers = answers + (1 - agreement) * empty.scatter_reduce(0, self.answer, regions, "amax")
        return answers, (weights[5] - highest).exp()

    def log_probabilities(self, weights: "Tensor", agreement: float) -> "tuple[Tensor, Tensor]":
        """log P(a right answer) and log P(no answer) of each question."""
        import torch

        answers, none = self.masses(weights, agreement)
        empty = torch.zeros(len(none), dtype=torch.float64)
        total = empty.index_add(0, self.question, answers) + none
        right = empty.index_add(0, self.question[self.right], answers[self.right])
        return (right + 1e-30).log() - total.log(), none.log() - total.log()


def masses_of(features: Features, weights: Calibration) -> tuple[Floats, Floats]:
    """What each answer weighs with these weights, and what no answer does: (answers,), (questions,)."""
    import torch

    vector = torch.tensor([getattr(weights, name) for name in FITTED], dtype=torch.float64) / weights.temperature
    answers, none = Levels.of(features).masses(vector, weights.agreement)
    return answers.numpy(), none.numpy()


def best_answers(masses: Floats, features: Features) -> NDArray[np.int64]:
    """The answer of each question that weighs most, -1 where it has none: (questions,)."""
    order = np.argsort(masses, kind="stable")
    best = np.full(len(features), -1, dtype=np.int64)
    best[features.question[order]] = order  # the last, largest one of a question stays
    return best
