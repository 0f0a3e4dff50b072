"""What happened since the last report, summed where the model computes, and read from there only to be reported."""

import time

import torch
from torch import Tensor

from training.data.windows import WindowBatch
from training.run.position import Position


class TrainingError(RuntimeError):
    """The run went wrong, or goes through without teaching anything."""


class StepLog:
    """Losses and speed since the last row."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._questions = self._tokens = self._windows = self._answered = 0
        self._since = time.monotonic()

    def add(self, parts: dict[str, Tensor], windows: WindowBatch) -> None:
        """Take in a batch: its losses a question, and how much it held."""
        for name, values in parts.items():
            total = values.detach().float().sum()
            self._sums[name] = self._sums[name] + total if name in self._sums else total
        self._questions += windows.questions
        self._tokens += int(windows.real.sum())
        self._windows += len(windows.ids)
        self._answered += int((~windows.starts[:, 0]).sum())

    def add_norm(self, norm: Tensor) -> None:
        """Take in the norm of a step's gradient."""
        self._sums["gradient"] = self._sums.get("gradient", torch.zeros_like(norm)) + norm.detach()

    def leave_out(self, seconds: float) -> None:
        """Time that belongs to no step."""
        self._since += seconds

    def row(self, at: Position, rate: float, norm: float) -> dict[str, float]:
        """The report, and begin anew.

        :raises TrainingError: on a loss that is NaN or infinite, or labels that were all "no answer".
        """
        self.check(at)
        seconds = time.monotonic() - self._since
        at.seconds += seconds
        # One of several processes may have had no batch of its own since the last row.
        losses = {
            name: float(total) / max(self._questions, 1) for name, total in self._sums.items() if name != "gradient"
        }
        losses.setdefault("loss", 0.0)
        row = {"step": at.step, "questions": at.questions, "rate": rate, "gradient": norm, "seconds": at.seconds}
        row |= {"tokens_per_s": self._tokens / seconds, "answered": self._answered / max(self._windows, 1), **losses}
        self.__init__()  # type: ignore[misc]
        return row

    def check(self, at: Position) -> None:
        """:raises TrainingError: before what is broken can be kept."""
        for name, total in self._sums.items():
            if not bool(torch.isfinite(total)):
                raise TrainingError(
                    f"the {'gradient' if name == 'gradient' else f'loss ({name})'} is {float(total)} after step "
                    f"{at.step}. The last whole checkpoint is from before. Lower the learning rate, lengthen the "
                    f"warm-up, or use precision fp32 (now {at.precision})"
                )


def check_answers_seen(answered: int, windows: int) -> None:
    """:raises TrainingError: when a whole epoch held no window with an answer."""
    if not answered:
        raise TrainingError(
            f"all labels are at the first token: none of {windows:,} windows of the epoch holds an answer, so the "
            "reader would learn to find none. Check the data's offsets, and whether answers are longer than the windows"
        )
