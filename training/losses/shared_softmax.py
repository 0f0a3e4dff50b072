"""Span loss of a question over several passages, with one softmax over all their tokens."""

import torch
from torch import Tensor

from training.losses.checks import MASKED, has_target, same_shape
from training.losses.groups import Groups
from training.losses.span import log_sum


def shared_softmax_loss(
    start: Tensor, end: Tensor, start_targets: Tensor, end_targets: Tensor, allowed: Tensor, groups: Groups
) -> Tensor:
    """One value a question (float32): the span loss, normalised over all windows of the question (Clark and Gardner
    2018, section 3.1 "shared-norm"; multi-passage BERT, Wang et al. 2019).

        -log( sum over targets in all windows of exp(z) / sum over allowed tokens in all windows of exp(z) )

    Scores become comparable across passages: a passage without the answer has to lower its spans, not only to prefer
    its own first token. Where any window of the question holds the answer, its tokens are the only targets and
    the first tokens of all windows compete with it; where none does, the first tokens are the targets together.

    Inputs as `span_loss`; `groups` tells the question of each window.

    :raises ValueError: when shapes differ, or a question has no target.
    """
    same_shape(start=start, end=end, start_targets=start_targets, end_targets=end_targets, allowed=allowed)
    parts = []
    for logits, targets in ((start, start_targets), (end, end_targets)):
        answer = targets & allowed
        answer[:, 0] = False
        first = targets & allowed & ~answer
        answered = groups.table(answer.any(1), False).any(1)
        wanted = torch.where(answered[groups.group][:, None], answer, first)
        reached = groups.table(wanted.any(1), False)
        has_target(reached, torch.ones_like(reached), "question")
        everything = groups.table(log_sum(logits, allowed), MASKED).logsumexp(1)
        right = groups.table(log_sum(logits, wanted), MASKED).logsumexp(1)
        parts.append(everything - right)
    return (parts[0] + parts[1]) / 2
