"""Span loss of a question over several passages, with one softmax over all their tokens."""

import torch
from torch import Tensor

from training.losses.checks import MASKED, has_target, same_shape
from training.losses.span import log_sum


def shared_softmax_loss(
    start: Tensor, end: Tensor, start_targets: Tensor, end_targets: Tensor, allowed: Tensor, group: Tensor, slot: Tensor
) -> Tensor:
    """One value a question: the span loss, normalised over all windows of the question (Clark and Gardner 2018, eq. 5;
    multi-passage BERT, Wang et al. 2019).

        -log( sum over targets in all windows of exp(z) / sum over allowed tokens in all windows of exp(z) )

    Scores become comparable across passages: a passage without the answer has to lower its spans, not only to prefer
    its own first token. Where any window of the question holds the answer, its tokens are the only targets and
    the first tokens of all windows compete with it; where none does, the first tokens are the targets together.

    Inputs as `span_loss`, and for each window:

    +-------+------+---------------------------------------------+
    | group | (n,) | int64: which question, from 0 without a gap |
    | slot  | (n,) | int64: its place among that question's      |
    +-------+------+---------------------------------------------+

    :raises ValueError: when shapes differ, a question has no target, or two windows share one place.
    """
    same_shape(start=start, end=end, start_targets=start_targets, end_targets=end_targets, allowed=allowed)
    same_shape(group=group, slot=slot, rows=start[:, 0])
    loss = start.new_zeros((), dtype=torch.float32)
    for logits, targets in ((start, start_targets), (end, end_targets)):
        answer = targets & allowed
        answer[:, 0] = False
        first = targets & allowed & ~answer
        answered = _gather(answer.any(1), group, slot, fill=False).any(1)
        wanted = torch.where(answered[group][:, None], answer, first)
        has_target(_gather(wanted.any(1), group, slot, fill=False), _full_like(group, slot), "question")
        everything = _gather(log_sum(logits, allowed), group, slot, fill=MASKED).logsumexp(1)
        right = _gather(log_sum(logits, wanted), group, slot, fill=MASKED).logsumexp(1)
        loss = loss + (everything - right) / 2
    return loss


def _shape(group: Tensor, slot: Tensor) -> tuple[int, int]:
    # The caller keeps copies of both on the CPU, where asking for their largest value does not stop a GPU.
    return int(group.max()) + 1, int(slot.max()) + 1


def _full_like(group: Tensor, slot: Tensor) -> Tensor:
    return torch.ones(_shape(group, slot), dtype=torch.bool, device=group.device)


def _gather(values: Tensor, group: Tensor, slot: Tensor, fill: float | bool) -> Tensor:
    """Values of windows (n,) laid out as (questions, windows of a question)."""
    table = torch.full(_shape(group, slot), fill, dtype=values.dtype, device=values.device)
    return table.index_put((group, slot), values)
