"""A student by copying chosen layers of a model; no teacher, no data (as distilt5-qa-qg was made)."""

import json
from collections.abc import Sequence
from pathlib import Path

from torch import nn
from transformers import PreTrainedModel

from components.models import model_digest, resolve_model
from training.data.trim import trim_vocabulary
from training.model_folder import write_model_folder
from training.span_model import load_span_model


def shrink(
    model: str | Path, layers: Sequence[int], out: Path, keep_words_of: Sequence[str] = (), min_count: int = 1
) -> Path:
    """Write a model of only these layers, embeddings and head as they are.

    :param layers: which to keep, counted from 1, in their new order.
    :param keep_words_of: texts; the embeddings keep only tokens that occur in them (and single characters and special
        tokens, from which any word can still be spelt). Empty keeps the whole vocabulary.
    :param min_count: how often a token must occur to be kept.
    :raises ValueError: when a layer is not there, or the folder is taken.
    """
    source = resolve_model(model)
    if out.exists():
        raise ValueError(f"{out} exists already: choose another folder, or remove it")
    student = load_span_model(source, seed=0)
    keep_layers(student, layers)
    made = {"command": "shrink", "source": "/".join(source.parts[-2:]), "source_digest": model_digest(source)}
    tokenizer = None
    if keep_words_of:
        tokenizer = trim_vocabulary(student, source, keep_words_of, min_count)
    folder = write_model_folder(out, student, source, {**made, "layers": list(layers)}, half=False)
    if tokenizer is not None:
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
        (folder / "vocab.txt").unlink(missing_ok=True)
    return folder


def keep_layers(model: PreTrainedModel, layers: Sequence[int]) -> None:
    """Leave only these layers (counted from 1) in the model's encoder, in this order.

    :raises ValueError: when one is not there, named twice, or the model's layers cannot be told.
    """
    depth = model.config.num_hidden_layers
    if not layers or len(set(layers)) != len(layers) or not all(1 <= layer <= depth for layer in layers):
        raise ValueError(f"layers must be some of 1 to {depth}, each once; got {list(layers)}")
    stacks = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.ModuleList) and len(child) == depth
    ]
    if len(stacks) != 1:
        raise ValueError(
            f"{type(model).__name__} has {len(stacks)} stacks of {depth} layers where one was expected: layers can "
            "only be copied in models that stack them once (BERT, DistilBERT, RoBERTa, ELECTRA, MiniLM, XLM-R, DeBERTa)"
        )
    parent, name, stack = stacks[0]
    setattr(parent, name, nn.ModuleList(stack[layer - 1] for layer in layers))
    model.config.num_hidden_layers = len(layers)
