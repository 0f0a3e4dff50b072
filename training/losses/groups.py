"""Which windows belong to one question: values of windows laid out as a table, one row a question."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """
    :param group: question of each window, int64 (n,), from 0 without a gap.
    :param slot: place of each window among its question's, int64 (n,).
    :param questions: number of questions.
    :param most: most windows of a question. Both are plain numbers: reading them off a tensor would stop a GPU's queue.
    """

    group: Tensor
    slot: Tensor
    questions: int
    most: int

    @classmethod
    def of(cls, group: Tensor) -> "Groups":
        """From the question of each window, windows of a question being neighbours."""
        slot = torch.arange(len(group), device=group.device) - torch.searchsorted(
            group.contiguous(), group.contiguous()
        )
        return cls(group, slot, int(group.max()) + 1, int(slot.max()) + 1)

    def table(self, values: Tensor, fill: float | bool) -> Tensor:
        """Values (n,) as (questions, most), `fill` where a question has fewer windows.

        Each place is written once, so that gradients are summed in a fixed order (an index_add on a GPU is not).

        :raises ValueError: when there is not one value a window.
        """
        if values.shape != self.group.shape:
            raise ValueError(f"expected one value a window, {tuple(self.group.shape)}, got {tuple(values.shape)}")
        table = torch.full((self.questions, self.most), fill, dtype=values.dtype, device=values.device)
        return table.index_put((self.group, self.slot), values)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the windows of each question, (questions,)."""
        return self.table(values, 0.0).sum(1) / self.table(torch.ones_like(values), 0.0).sum(1)
