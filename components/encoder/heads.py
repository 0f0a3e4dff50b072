"""What is read off the encoder's hidden states: span logits for the reader, one vector a text for the embedder."""

from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from components.encoder.encoder import PackedEncoder
from components.encoder.ragged import Ragged


@torch.inference_mode()
def span_logits(encoder: PackedEncoder, batch: Ragged, max_tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Start and end logits of every token: two float32 (total,) on the encoder's device, in the batch's order.

    :param max_tokens: tokens of one forward pass; bounds memory, and what stays in a CPU's cache.
    :raises ValueError: the checkpoint has no question-answering head; or see PackedEncoder.
    """
    if encoder.span_head is None:
        raise ValueError("This checkpoint has no span head (qa_outputs): use a question-answering model.")
    # In fp32: exact where it counts, for next to nothing.
    weight, bias = (tensor.float() for tensor in encoder.span_head)
    logits = torch.empty(2, batch.total, dtype=torch.float32, device=encoder.device)
    for rows in batch.within_budget(max_tokens):
        hidden = encoder(batch.take(rows))
        places = torch.from_numpy(batch.token_indices(rows)).to(encoder.device)
        logits[:, places] = functional.linear(hidden.float(), weight, bias).T
    return logits[0], logits[1]


@torch.inference_mode()
def pooled(
    encoder: PackedEncoder, batch: Ragged, max_tokens: int, how: Literal["mean", "cls"] = "mean", normalize: bool = True
) -> torch.Tensor:
    """
    One vector a sequence: float32 (n, hidden) on the CPU. A sequence without tokens gets zeros.

    :param how: mean of all its tokens (Reimers & Gurevych 2019), or its first token.
    :param normalize: divide by the Euclidean norm.
    """
    out = torch.zeros(len(batch), encoder.config.hidden, dtype=torch.float32)
    for rows in batch.within_budget(max_tokens):
        part = batch.take(rows)
        rows, part = rows[part.lengths > 0], part.take(np.flatnonzero(part.lengths))
        if not len(part):
            continue
        hidden = encoder(part).float()
        starts = torch.from_numpy(part.starts).to(encoder.device)
        vectors = torch.segment_reduce(hidden, "mean", offsets=starts) if how == "mean" else hidden[starts[:-1]]
        out[torch.from_numpy(rows)] = (functional.normalize(vectors) if normalize else vectors).cpu()
    return out
