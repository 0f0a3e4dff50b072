"""What does a model say of windows? Their best spans, null score and sum, found on its device a batch at a time."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.reader.engines.base import SpanEngine
from components.reader.recovery import run_halving
from components.reader.request import ReadSettings
from components.reader.spans import null_scores, top_spans
from components.reader.windows import Windows


@dataclass(frozen=True)
class WindowSpans:
    """
    What a model says of windows, all on its device. Spans and scores are float32, (windows, k) or (windows,).

    :param score, start, end: see :class:`components.reader.spans.Spans`.
    :param null: score of the null position.
    :param window: log of the sum over all starts, plus that over all ends, null position included.
    """

    score: Tensor
    start: Tensor
    end: Tensor
    null: Tensor
    window: Tensor


def score_windows(engine: SpanEngine, windows: Windows, settings: ReadSettings) -> WindowSpans:
    """
    Read windows, at most ``settings.tokens_at_once`` tokens in one call of the engine, fewer where memory is short.

    :raises DeviceFull: see :func:`components.reader.recovery.run_halving`.
    """
    parts = windows.batch.within_budget(settings.tokens_at_once)
    found = [done for rows in parts for done in run_halving(lambda part: _score(engine, windows, part, settings), rows)]
    if not found:
        empty, whole = torch.zeros((0, 1)), torch.zeros((0, 1), dtype=torch.long)
        return WindowSpans(empty, whole, whole, torch.zeros(0), torch.zeros(0))
    order = torch.as_tensor(np.argsort(np.concatenate(parts)), device=found[0].score.device)
    width = max(part.score.shape[1] for part in found)
    return WindowSpans(
        _stacked([part.score for part in found], width, -torch.inf)[order],
        _stacked([part.start for part in found], width, 0)[order],
        _stacked([part.end for part in found], width, 0)[order],
        torch.cat([part.null for part in found])[order],
        torch.cat([part.window for part in found])[order],
    )


def _score(engine: SpanEngine, windows: Windows, rows: np.ndarray, settings: ReadSettings) -> WindowSpans:
    batch = windows.batch if len(rows) == len(windows) and _ascending(rows) else windows.batch.take(rows)
    with torch.inference_mode():
        start, end = engine.logits(batch)
        null = torch.as_tensor(batch.starts[:-1], device=start.device)
        first = null + torch.as_tensor(windows.context[rows], device=start.device)
        length = torch.as_tensor(windows.context_length[rows], device=start.device)
        segment = None
        if windows.segment is not None:
            whole = batch is windows.batch
            tokens = windows.segment if whole else windows.segment[windows.batch.token_indices(rows)]
            segment = torch.as_tensor(tokens, device=start.device)
        spans = top_spans(start, end, first, length, settings.spans_per_window, settings.max_answer_length, segment)
        sums = _log_sums(start, end, null, first, length)
        return WindowSpans(spans.score, spans.start, spans.end, null_scores(start, end, null), sums)


def _log_sums(start: Tensor, end: Tensor, null: Tensor, first: Tensor, length: Tensor) -> Tensor:
    """log sum exp of the starts + that of the ends, over each window's passage tokens and its null position."""
    longest = int(length.max()) if len(length) else 0
    place = torch.arange(longest, device=start.device)
    inside = place < length[:, None]
    index = torch.cat([null[:, None], (first[:, None] + place).masked_fill(~inside, 0)], dim=1)
    kept = torch.cat([torch.ones_like(inside[:, :1]), inside], dim=1) if longest else index >= 0
    sums = [values[index].masked_fill(~kept, -torch.inf).logsumexp(dim=1) for values in (start, end)]
    return sums[0] + sums[1]


def _stacked(parts: list[Tensor], width: int, fill: float) -> Tensor:
    return torch.cat([torch.nn.functional.pad(part, (0, width - part.shape[1]), value=fill) for part in parts])


def _ascending(rows: np.ndarray) -> bool:
    return bool((np.diff(rows) > 0).all())
