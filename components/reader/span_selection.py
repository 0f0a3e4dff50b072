"""Which spans of a question compete for its answer? Its best by logit over all passages, chosen on the device."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.reader.answers.ranking import Floats, passage_logits
from components.reader.calibration import Calibration
from components.reader.request_texts import Pairs
from components.reader.span_scoring import WindowSpans
from components.reader.spans import top_of_groups
from components.reader.windows import Windows

# Beyond the best 64 spans of a question hardly any probability is left (a span 10 nats below the best has 1 in 20,000).
SPANS_A_QUESTION = 64


@dataclass(frozen=True)
class SelectedSpan:
    """A span of a pair's passage: its first and last token there, and its logit (:func:`span_logits`)."""

    pair: int
    first_token: int
    last_token: int
    logit: float


def select_spans(pairs: Pairs, windows: Windows, found: WindowSpans, weights: Calibration) -> list[SelectedSpan]:
    """
    The best ``SPANS_A_QUESTION`` spans of each request.

    :param windows: cut from ``pairs``.
    :param found: what the model says of them.
    """
    if not len(windows):
        return []
    device = found.score.device
    question = torch.as_tensor(np.array(pairs.request)[windows.pair], device=device)
    passage = torch.as_tensor(_passage_logits(pairs, weights)[windows.pair], dtype=torch.float32, device=device)
    logits = span_logits(weights, found.score, found.null[:, None], found.window[:, None], passage[:, None])
    width = logits.shape[1]
    best = top_of_groups(logits.flatten(), question.repeat_interleave(width), len(pairs.requests), SPANS_A_QUESTION)
    best = best[best >= 0]
    table = torch.stack([best // width, found.start.flatten()[best], found.end.flatten()[best]]).cpu().numpy()
    window, first, last = table
    shift = windows.first_token[window]
    columns = (windows.pair[window].tolist(), (first + shift).tolist(), (last + shift).tolist())
    values = logits.flatten()[best].cpu().tolist()
    return [SelectedSpan(*row) for row in zip(*columns, values, strict=True)]


def span_logits(weights: Calibration, score: Tensor, null: Tensor, window: Tensor, passage: Tensor) -> Tensor:
    """
    How good an answer a span is, comparable over all passages of a question, in nats before the temperature:

    ``span * score + null * null_score + window * window_sum + passage_logit`` (:func:`passage_logits`).
    """
    return weights.span * score + weights.null * null + weights.window * window + passage


def _passage_logits(pairs: Pairs, weights: Calibration) -> Floats:
    """What retriever and rank bring to each pair: float64 (pairs,). A text has the rank of its first document."""
    parts: list[Floats] = [np.zeros(0)]
    for each in pairs.requests:
        of_document = passage_logits(weights, [document.score for document in each.request.documents])
        parts.append(of_document[[documents[0] for documents in each.documents]])
    return np.concatenate(parts)
