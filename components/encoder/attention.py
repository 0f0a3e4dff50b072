"""Attention over sequences laid end to end: each token sees its own sequence and nothing else."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from components.encoder.ragged import Ragged, rounded_up

# Sums of exponentials between these are exact enough; beyond, scores came near the ends of the floating-point range.
_SMALL, _LARGE = 1e-30, 1e30
# oneDNN makes a kernel for each shape it meets, which takes a millisecond and stays in memory: lengths are rounded up.
_ROUND = 16


@dataclass(frozen=True)
class Layout:
    """Where the sequences lie, prepared once for all layers of a forward pass."""

    groups: list[tuple[int, int, int]]
    """Runs of neighbours of equal length: (first token, sequences, length). Without empty ones."""
    offsets: torch.Tensor
    """Borders of the sequences, int32 (n + 1,), on the device."""
    longest: int
    total: int
    """Tokens of all sequences."""


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
    return Layout(groups, torch.from_numpy(offsets).to(device), int(filled.max(initial=0)), token)


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
    out[where.total :] = 0
    if qkv.dtype == torch.bfloat16 and not qkv.is_cuda:
        _by_products(split, out.view(len(out), heads, split.shape[3]), where)
        return out
    for first, count, length in where.groups:
        # Equal lengths side by side are a plain (count, length) block: no copy, no padding, no mask.
        block = split[first : first + count * length].view(count, length, *split.shape[1:]).permute(2, 0, 3, 1, 4)
        target = out[first : first + count * length].view(count, length, heads, split.shape[3])
        attended = functional.scaled_dot_product_attention(block[0], block[1], block[2], scale=1.0)
        target.copy_(attended.transpose(1, 2))
    return out


def _varlen(split: torch.Tensor, where: Layout) -> torch.Tensor:
    """Flash attention over packed sequences (FlashAttention-2, Dao 2023), one kernel for all of them."""
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = split.unbind(1)
    out = varlen_attn(query, key, value, where.offsets, where.offsets, where.longest, where.longest, scale=1.0)
    assert isinstance(out, torch.Tensor)  # noqa: S101 (a pair only where auxiliary outputs are asked for)
    return out.flatten(1)


def _by_products(split: torch.Tensor, out: torch.Tensor, where: Layout) -> None:
    """
    Attention as two batched products, a sequence at a time: on CPUs with bf16 instructions three times as fast as
    torch's fused kernel for passages of a few hundred tokens.

    The softmax does without the usual subtraction of the highest score, which bf16's range allows nearly always and
    which saves half of its time; where a row's sum shows that it did not, it is done again with the subtraction.

    :param split: (tokens, 3, heads, head size), bf16.
    :param out: (tokens, heads, head size), to be filled.
    """
    if not where.groups:
        return
    sums = split.new_empty(split.shape[2], where.total, 1)
    _attend(split, out, where.groups, sums)
    low, high = torch.aminmax(sums)
    if not (low > _SMALL and high < _LARGE):
        fine = ((sums > _SMALL) & (sums < _LARGE)).all(0).flatten().numpy()
        again = [
            (start, 1, length)
            for first, count, length in where.groups
            for start in range(first, first + count * length, length)
            if not fine[start : start + length].all()
        ]
        _attend(split, out, again, None)


def _attend(
    split: torch.Tensor, out: torch.Tensor, groups: list[tuple[int, int, int]], sums: torch.Tensor | None
) -> None:
    """
    One pass over sequences.

    :param groups: as in Layout.
    :param sums: (heads, tokens, 1): room for the sums of the exponentials; None subtracts the highest score.
    """
    heads, size = split.shape[2:]
    longest = rounded_up(max(length for _, _, length in groups), _ROUND)
    block_room = split.new_empty(3 * heads * longest * size)
    scores_room = split.new_empty(heads * longest * longest)
    for first, count, length in groups:
        width = rounded_up(length, _ROUND)
        block = block_room[: 3 * heads * width * size].view(3, heads, width, size)
        block[:, :, length:] = 0
        query, key, value = block
        scores = scores_room[: heads * width * width].view(heads, width, width)
        # The rows and columns beyond the length are zeros in, and left out of sums and result.
        inside = scores[:, :length, :length]
        for start in range(first, first + count * length, length):
            block[:, :, :length] = split[start : start + length].permute(1, 2, 0, 3)
            target = out[start : start + length].transpose(0, 1)
            torch.bmm(query, key.transpose(1, 2), out=scores)
            if sums is None:
                inside.copy_(torch.softmax(inside, dim=-1))
                scores[:, :, length:] = 0
                target.copy_(torch.bmm(scores, value)[:, :length])
            else:
                scores.exp_()
                total = torch.sum(inside, -1, keepdim=True, out=sums[:, start : start + length])
                torch.div(torch.bmm(scores, value)[:, :length], total, out=target)
