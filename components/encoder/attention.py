"""Attention over sequences laid end to end: each token sees its own sequence and nothing else."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from components.encoder.ragged import Ragged

# Sums of exponentials between these are exact enough; beyond, scores came near the ends of the floating-point range.
_SMALL, _LARGE = 1e-30, 1e30


@dataclass(frozen=True)
class Layout:
    """Where the sequences lie, prepared once for all layers of a forward pass."""

    groups: list[tuple[int, int, int]]
    """Runs of neighbours of equal length: (first token, sequences, length). Without empty ones."""
    offsets: torch.Tensor
    """Borders of the sequences, int32 (n + 1,), on the device."""
    longest: int


def layout(batch: Ragged, device: torch.device) -> Layout:
    """Describe ``batch`` to ``packed_attention``; sorted by length it falls into the fewest groups."""
    filled = batch.lengths[batch.lengths > 0]
    borders = np.flatnonzero(np.diff(filled)) + 1
    groups: list[tuple[int, int, int]] = []
    token = 0
    for run in np.split(filled, borders):
        if len(run):
            groups.append((token, len(run), int(run[0])))
            token += len(run) * int(run[0])
    offsets = np.concatenate([[0], np.cumsum(filled)]).astype(np.int32)
    return Layout(groups, torch.from_numpy(offsets).to(device), int(filled.max(initial=0)))


def packed_attention(qkv: torch.Tensor, heads: int, where: Layout) -> torch.Tensor:
    """
    Softmax attention within each sequence (Vaswani et al. 2017, without the scale).

    :param qkv: (tokens, 3 x hidden): queries, keys and values of all heads; the queries scaled already.
    :returns: (tokens, hidden).
    """
    split = qkv.view(len(qkv), 3, heads, qkv.shape[1] // (3 * heads))
    if qkv.is_cuda and qkv.dtype in (torch.float16, torch.bfloat16):
        return _varlen(split, where)
    out = torch.empty(len(qkv), split.shape[2] * split.shape[3], dtype=qkv.dtype, device=qkv.device)
    scores = _scores_room(where, heads, qkv) if qkv.dtype == torch.bfloat16 and not qkv.is_cuda else None
    for first, count, length in where.groups:
        # Equal lengths side by side are a plain (count, length) block: no copy, no padding, no mask.
        block = split[first : first + count * length].view(count, length, *split.shape[1:]).permute(2, 0, 3, 1, 4)
        target = out[first : first + count * length].view(count, length, heads, split.shape[3])
        if scores is None:
            attended = functional.scaled_dot_product_attention(block[0], block[1], block[2], scale=1.0)
        else:
            attended = _by_products(block, scores)
        target.copy_(attended.transpose(1, 2))
    return out


def _varlen(split: torch.Tensor, where: Layout) -> torch.Tensor:
    """Flash attention over packed sequences (FlashAttention-2, Dao 2023), one kernel for all of them."""
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = split.unbind(1)
    out = varlen_attn(query, key, value, where.offsets, where.offsets, where.longest, where.longest, scale=1.0)
    assert isinstance(out, torch.Tensor)  # noqa: S101 (a pair only where auxiliary outputs are asked for)
    return out.flatten(1)


def _scores_room(where: Layout, heads: int, like: torch.Tensor) -> torch.Tensor:
    most = max((count * length * length for _, count, length in where.groups), default=0)
    return torch.empty(most * heads, dtype=like.dtype, device=like.device)


def _by_products(block: torch.Tensor, room: torch.Tensor) -> torch.Tensor:
    """
    Attention as two batched products: on CPUs with bf16 instructions three times as fast as torch's fused kernel for
    passages of a few hundred tokens.

    The softmax does without the usual subtraction of the highest score, which bf16's range allows nearly always and
    which saves half of its time; where a row's sum shows that it did not, it is done again with the subtraction.

    :param block: (3, count, heads, length, head size), bf16.
    """
    count, heads, length, size = block.shape[1:]
    query, key, value = (part.reshape(count * heads, length, size) for part in block)
    scores = room[: count * heads * length * length].view(count * heads, length, length)
    torch.bmm(query, key.transpose(1, 2), out=scores)
    weights = scores.exp_()
    sums = weights.sum(-1, keepdim=True)
    if sums.min() > _SMALL and sums.max() < _LARGE:
        attended = torch.bmm(weights, value) / sums
    else:
        torch.bmm(query, key.transpose(1, 2), out=scores)
        attended = torch.bmm(torch.softmax(scores, dim=-1, out=scores), value)
    return attended.view(count, heads, length, size)
