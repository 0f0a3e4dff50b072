"""What is read off the encoder's hidden states: span logits for the reader, one vector a text for the embedder."""

from collections.abc import Callable
from typing import Literal

import torch
from torch.nn import functional

from components.encoder.encoder import PackedEncoder
from components.encoder.parallel import operators_alone, run_shares
from components.encoder.ragged import Indices, Ragged


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

    def compute(rows: Indices) -> None:
        with torch.inference_mode():  # holds for a thread
            hidden = encoder(batch.take(rows))
            places = torch.from_numpy(batch.token_indices(rows)).to(encoder.device)
            logits[:, places] = functional.linear(hidden.float(), weight, bias).T

    _in_shares(encoder, batch, max_tokens, compute)
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

    def compute(rows: Indices) -> None:
        rows = rows[batch.lengths[rows] > 0]
        if not len(rows):
            return
        with torch.inference_mode():  # holds for a thread
            part = batch.take(rows)
            hidden = encoder(part).float()
            starts = torch.from_numpy(part.starts).to(encoder.device)
            vectors = torch.segment_reduce(hidden, "mean", offsets=starts) if how == "mean" else hidden[starts[:-1]]
            out[torch.from_numpy(rows)] = (functional.normalize(vectors) if normalize else vectors).cpu()

    _in_shares(encoder, batch, max_tokens, compute)
    return out


def _in_shares(encoder: PackedEncoder, batch: Ragged, max_tokens: int, compute: Callable[[Indices], None]) -> None:
    """On a CPU shares on threads that compute alone, on CUDA one batch after the other."""
    if encoder.device.type != "cpu":
        for rows in batch.within_budget(max_tokens):
            compute(rows)
        return
    with operators_alone() as threads:
        run_shares(compute, batch.in_shares(threads, max_tokens))
