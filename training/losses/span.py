"""Span loss of one window: where does the answer start, where does it end?"""

import torch
from torch import Tensor

from training.losses.checks import MASKED, has_target, same_shape


def span_loss(start: Tensor, end: Tensor, start_targets: Tensor, end_targets: Tensor, allowed: Tensor) -> Tensor:
    """Mean of the start's and the end's negative log-likelihood, one value a window (float32).

        -log( sum over targets i of exp(z_i) / sum over allowed i of exp(z_i) )

    With one target this is cross-entropy (Devlin et al. 2019); with several places of the same answer it is the summed
    objective of Kadlec et al. 2016 and Clark and Gardner 2018: the mass may fall on any of them.

    +------------------------------+---------+--------------------------------------------------------------+
    | start, end                   | (n, L)  | logits                                                       |
    | start_targets, end_targets   | (n, L)  | bool: tokens that are right; token 0 when there is no answer |
    | allowed                      | (n, L)  | bool: candidates, the passage's tokens and token 0           |
    +------------------------------+---------+--------------------------------------------------------------+

    :raises ValueError: when shapes differ, or a window has no target.
    """
    same_shape(start=start, end=end, start_targets=start_targets, end_targets=end_targets, allowed=allowed)
    has_target(start_targets, allowed, "window")
    has_target(end_targets, allowed, "window")
    return (missing_mass(start, start_targets, allowed) + missing_mass(end, end_targets, allowed)) / 2


def missing_mass(logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
    """-log of the probability that the targets hold, over the last axis."""
    return log_sum(logits, allowed) - log_sum(logits, targets & allowed)


def log_sum(logits: Tensor, chosen: Tensor) -> Tensor:
    """log sum exp over the chosen entries of the last axis; a hugely negative number where none is chosen."""
    return torch.logsumexp(logits.float().masked_fill(~chosen, MASKED), dim=-1)
