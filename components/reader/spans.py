"""Which spans score best? Pure functions over flat logits: banded, without an L x L matrix, on any device."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Spans:
    """
    The best spans of each window, best first. All (windows, k); score is -inf where a window has fewer than k spans.

    :param score: start logit + end logit.
    :param start: first token of the span, counted from the window's first passage token.
    :param end: last token of the span, counted alike.
    """

    score: Tensor
    start: Tensor
    end: Tensor


def top_spans(
    start: Tensor,
    end: Tensor,
    first: Tensor,
    length: Tensor,
    k: int,
    max_answer_length: int,
    segment: Tensor | None = None,
) -> Spans:
    """
    The k best spans of each window among those that lie in its passage tokens and hold at most ``max_answer_length``.

    Only the k rows (start tokens) with the best single span can hold one of the k best spans, and a row's best end is a
    running maximum: so memory is O(windows x (longest + k x max_answer_length)), exact all the same.

    :param start: start logits of all tokens of all windows end to end, float (total,).
    :param end: end logits, float (total,).
    :param first: where each window's first passage token lies in them, int (windows,).
    :param length: passage tokens of each window, int (windows,).
    :param segment: of each token, int (total,), never falling within a window: a span lies in one. None: in any.
    """
    if k < 1 or max_answer_length < 1:
        raise ValueError(f"k and max_answer_length must be at least 1, got {k} and {max_answer_length}.")
    windows, longest = len(first), int(length.max()) if len(length) else 0
    if not longest:
        nothing = torch.zeros((windows, 0), dtype=torch.long, device=start.device)
        return Spans(start.new_zeros((windows, 0)), nothing, nothing)
    band = min(max_answer_length, longest)
    starts = _padded(start, first, length, longest)
    ends = torch.nn.functional.pad(_padded(end, first, length, longest), (0, band - 1), value=-torch.inf)
    if segment is None:
        best_of_row = starts + torch.nn.functional.max_pool1d(ends[:, None], band, stride=1)[:, 0]
    else:
        segments = torch.nn.functional.pad(_padded(segment.float(), first, length, longest), (0, band - 1), value=-1.0)
        best_of_row = starts + _best_in_segment(ends, segments, band)[:, :longest]

    rows = best_of_row.topk(min(k, longest), dim=1).indices
    reach = rows[:, :, None] + torch.arange(band, device=rows.device)
    scores = starts.gather(1, rows)[:, :, None] + ends.gather(1, reach.flatten(1)).view(reach.shape)
    if segment is not None:
        same = segments.gather(1, reach.flatten(1)).view(reach.shape) == segments.gather(1, rows)[:, :, None]
        scores = scores.masked_fill(~same, -torch.inf)
    winners = scores.flatten(1).topk(min(k, rows.shape[1] * band), dim=1)
    begin = rows.gather(1, winners.indices // band)
    return Spans(winners.values, begin, begin + winners.indices % band)


def null_scores(start: Tensor, end: Tensor, null: Tensor) -> Tensor:
    """
    The score of "no answer here" of each window: both logits of its null position (Devlin et al. 2019, section 4.3).

    :param null: where each window's null position lies in the logits, int (windows,).
    """
    return start[null] + end[null]


def top_of_groups(values: Tensor, group: Tensor, groups: int, k: int) -> Tensor:
    """
    The k largest values of each group, all groups at once.

    :param values: float (n,); -inf counts as absent.
    :param group: group of each value, int (n,), in any order.
    :returns: their numbers, int (groups, k), best first, -1 where a group has fewer.
    """
    order = values.argsort(descending=True, stable=True)
    order = order[group[order].argsort(stable=True)]
    sizes = torch.bincount(group, minlength=groups)
    place = torch.arange(len(order), device=order.device) - (sizes.cumsum(0) - sizes)[group[order]]
    kept = (place < k) & ~torch.isneginf(values[order])
    found = torch.full((groups, k), -1, dtype=torch.long, device=values.device)
    found[group[order][kept], place[kept]] = order[kept]
    return found


def _best_in_segment(values: Tensor, segments: Tensor, band: int) -> Tensor:
    """The highest of the ``band`` values from each place on that lie in its segment: a sliding maximum, log2 steps."""
    best, width = values, 1
    while width < band:
        step = min(width, band - width)
        ahead = torch.nn.functional.pad(best[:, step:], (0, step), value=-torch.inf)
        there = torch.nn.functional.pad(segments[:, step:], (0, step), value=-2.0)
        best = torch.maximum(best, ahead.masked_fill(there != segments, -torch.inf))
        width += step
    return best


def _padded(values: Tensor, first: Tensor, length: Tensor, longest: int) -> Tensor:
    """The passage tokens' values as (windows, longest), -inf beyond each window's own."""
    place = torch.arange(longest, device=values.device)
    inside = place < length[:, None]
    index = (first[:, None] + place).masked_fill(~inside, 0)
    return values[index].masked_fill(~inside, -torch.inf)
