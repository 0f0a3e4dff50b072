"""What the reader asks of an engine, and nothing more: tokens in, two numbers a token out."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from components.encoder.ragged import Ragged

if TYPE_CHECKING:
    import torch


@runtime_checkable
class SpanEngine(Protocol):
    """
    Computes for each token how well an answer starts and ends there.

    Padding exists only inside an engine that needs it, and a sequence gets the same logits whatever else is in the
    batch (to rounding: 1e-5 in fp32). An engine bounds its own memory: it may be handed any number of tokens at once,
    and cuts them as its device likes best. Calls come from one thread at a time.
    """

    name: str
    """Engine, precision and device in a word, for reports: ``torch-bf16-cpu``."""

    max_length: int
    """Tokens that one sequence may have at most; longer ones are refused with ValueError."""

    def logits(self, batch: Ragged) -> "tuple[torch.Tensor, torch.Tensor]":
        """
        Start and end logits of every token: two float32 tensors (total,) on the engine's device, in the batch's order.

        :raises ValueError: a sequence longer than ``max_length``, or an id outside the vocabulary.
        :raises torch.OutOfMemoryError, torch.AcceleratorError: as the device says; what then happens is decided in
            :mod:`components.reader.recovery`, alike for all engines.
        """
        ...
