"""Span logits by transformers' own models, padded inside: for DeBERTa and every family without a packed encoder."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from components.devices import pick_device, pick_dtype
from components.encoder.parallel import operators_alone, run_shares
from components.encoder.ragged import Indices, Ragged
from components.models import max_tokens
from components.reader.engines.torch_engine import Precision

_MAX_TOKENS = {"cpu": 2048, "cuda": 32_768}


class TransformersEngine:
    """
    AutoModelForQuestionAnswering behind the ragged interface; the parameters are those of TorchEngine.

    Token types are fed where the model knows them. Batches are sorted by length, so that little is padded.
    """

    def __init__(
        self,
        folder: Path,
        device: str = "auto",
        precision: Precision = "auto",
        tokens_a_pass: int | None = None,
        model_kwargs: dict[str, Any] | None = None,
    ) -> None:
        from transformers import AutoModelForQuestionAnswering

        place = pick_device(device)
        if precision == "auto":
            precision = "fp32" if place.type == "cpu" else "bf16"
        dtype = pick_dtype(precision, place)
        with _no_progress_bar():
            self.model = AutoModelForQuestionAnswering.from_pretrained(
                folder,
                **{"dtype": dtype, **(model_kwargs or {})},
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            )
        self.model.eval().to(place)
        config = self.model.config
        self.device = place
        self.pad_id = int(config.pad_token_id if config.pad_token_id is not None else 0)
        self.types_known = int(getattr(config, "type_vocab_size", 0) or 0)
        self.takes_types = "token_type_ids" in inspect.signature(self.model.forward).parameters
        self.max_length = max_tokens(folder).tokens
        self.vocabulary = int(config.vocab_size)
        self.name = f"transformers-{precision}-{place.type}"
        self.tokens_a_pass = _MAX_TOKENS[place.type] if tokens_a_pass is None else tokens_a_pass

    @torch.inference_mode()
    def logits(self, batch: Ragged) -> tuple[torch.Tensor, torch.Tensor]:
        """Start and end logits of every token, float32 (total,) each; see SpanEngine."""
        if batch.longest > self.max_length:
            raise ValueError(f"A sequence has {batch.longest} tokens, this model takes at most {self.max_length}.")
        if batch.total and not (batch.ids.min() >= 0 and batch.ids.max() < self.vocabulary):
            raise ValueError(f"Token ids must lie in 0 to {self.vocabulary - 1}: is the tokenizer that of the model?")
        logits = torch.empty(2, batch.total, dtype=torch.float32, device=self.device)

        def compute(rows: Indices) -> None:
            part = batch.take(rows)
            if not part.total:
                return
            with torch.inference_mode():  # holds for a thread
                inside = np.arange(part.longest) < part.lengths[:, None]
                ids = self._padded(part.ids, inside, self.pad_id)
                feed = {"input_ids": ids, "attention_mask": self._tensor(inside)}
                if self.takes_types:
                    types = np.minimum(part.types, max(self.types_known - 1, 0))
                    feed["token_type_ids"] = self._padded(types, inside, 0)
                out = self.model(**feed)
                places = self._tensor(batch.token_indices(rows))
                kept = self._tensor(inside)
                logits[0, places] = out.start_logits[kept].float()
                logits[1, places] = out.end_logits[kept].float()

        with operators_alone() as threads:
            each = max(-(-batch.total // threads), batch.longest)
            budget = min(self.tokens_a_pass, each) if self.device.type == "cpu" else self.tokens_a_pass
            shares = batch.within_budget(max(budget, 1), padded=True)
            if self.device.type == "cpu":
                run_shares(compute, shares)
            else:
                for rows in shares:
                    compute(rows)
        return logits[0], logits[1]

    def _padded(self, flat: np.ndarray, inside: np.ndarray, fill: int) -> torch.Tensor:
        grid = np.full(inside.shape, fill, dtype=np.int64)
        grid[inside] = flat
        return self._tensor(grid)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Loading takes a second: its bar would only disturb the command's own output."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
