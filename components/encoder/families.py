"""Which tensor of a checkpoint is what: one small table a family, so that a new kin of BERT is a few lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.encoder.ragged import Indices, Ragged


class UnsupportedModel(ValueError):
    """The checkpoint is not of a family that the packed encoder computes; transformers' own code may still run it."""


@dataclass(frozen=True)
class EncoderConfig:
    """What the arithmetic needs to know of a checkpoint; sizes in features or tokens."""

    family: str
    layers: int
    heads: int
    hidden: int
    vocabulary: int
    max_length: int
    """Tokens of the longest sequence that has position embeddings."""
    position_offset: int
    """Row of the first position's embedding: RoBERTa's kin begin after the padding id."""
    pad_id: int
    activation: str
    eps: float

    def check(self, batch: Ragged) -> None:
        """Raise ValueError for a sequence that is too long or a token that is not in the vocabulary."""
        if batch.longest > self.max_length:
            raise ValueError(
                f"A sequence has {batch.longest} tokens, this model takes at most {self.max_length}: "
                "cut it into windows."
            )
        if batch.total and not (batch.ids.min() >= 0 and batch.ids.max() < self.vocabulary):
            raise ValueError(
                f"Token ids must lie in 0 to {self.vocabulary - 1}, got {batch.ids.min()} to {batch.ids.max()}: "
                "is the tokenizer that of the model?"
            )

    def position_rows(self, batch: Ragged) -> Indices:
        """Row of each token in the table of position embeddings: int64 (total,)."""
        positions = batch.positions()
        if not self.position_offset:
            return positions
        padding = batch.ids == self.pad_id
        if not padding.any():
            return positions + self.position_offset
        # A text that spells out "<pad>": RoBERTa's kin count only other tokens and give this one the padding's row.
        counted = np.cumsum(~padding)
        before = np.concatenate([np.zeros(1, dtype=np.int64), counted])[np.repeat(batch.starts[:-1], batch.lengths)]
        return np.where(padding, 0, counted - before) + self.pad_id


@dataclass(frozen=True)
class Family:
    """Names of tensors, BERT's unless said otherwise. ``{}`` stands for the number of the layer."""

    prefix: str
    layer: str = "encoder.layer.{}."
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    out: str = "attention.output.dense"
    norm1: str = "attention.output.LayerNorm"
    up: str = "intermediate.dense"
    down: str = "output.dense"
    norm2: str = "output.LayerNorm"
    offset_positions: bool = False


_ROBERTA = Family(prefix="roberta.", offset_positions=True)

FAMILIES: Mapping[str, Family] = {
    "bert": Family(prefix="bert."),
    "electra": Family(prefix="electra."),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": Family(
        prefix="distilbert.",
        layer="transformer.layer.{}.",
        query="attention.q_lin",
        key="attention.k_lin",
        value="attention.v_lin",
        out="attention.out_lin",
        norm1="sa_layer_norm",
        up="ffn.lin1",
        down="ffn.lin2",
        norm2="output_layer_norm",
    ),
}

# Names in config.json -> (kind of GELU or ReLU). Others change the arithmetic and are refused.
ACTIVATIONS = {"gelu": "gelu", "relu": "relu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}


def read_config(raw: Mapping[str, Any]) -> EncoderConfig:
    """
    Translate a checkpoint's ``config.json``.

    :raises UnsupportedModel: another family, or a variant of one (relative positions, decoder, unknown activation).
    """
    family = str(raw.get("model_type"))
    if family not in FAMILIES:
        raise UnsupportedModel(f"model_type '{family}' has no packed encoder; known: {', '.join(FAMILIES)}.")
    distil = family == "distilbert"
    activation = str(raw.get("activation" if distil else "hidden_act", "gelu"))
    if activation not in ACTIVATIONS:
        raise UnsupportedModel(f"activation '{activation}' has no packed encoder; known: {', '.join(ACTIVATIONS)}.")
    for key, plain in (("position_embedding_type", "absolute"), ("is_decoder", False), ("add_cross_attention", False)):
        if raw.get(key) not in (None, plain):
            raise UnsupportedModel(f"{key}={raw[key]!r} has no packed encoder; known: {plain!r}.")
    pad_id = raw.get("pad_token_id")
    pad_id = int(pad_id) if pad_id is not None else 0
    offset = pad_id + 1 if FAMILIES[family].offset_positions else 0
    return EncoderConfig(
        family=family,
        layers=int(raw["n_layers" if distil else "num_hidden_layers"]),
        heads=int(raw["n_heads" if distil else "num_attention_heads"]),
        hidden=int(raw["dim" if distil else "hidden_size"]),
        vocabulary=int(raw["vocab_size"]),
        max_length=int(raw["max_position_embeddings"]) - offset,
        position_offset=offset,
        pad_id=pad_id,
        activation=ACTIVATIONS[activation],
        eps=float(raw.get("layer_norm_eps", 1e-12)),
    )
