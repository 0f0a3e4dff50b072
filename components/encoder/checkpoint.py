"""Reads a model folder (config.json + safetensors) into tensors under our own names, without transformers."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.encoder.families import FAMILIES, EncoderConfig, UnsupportedModel, read_config

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Checkpoint:
    """
    A checkpoint as the encoder wants it.

    Names: ``words``, ``positions``, ``types`` (absent where the family has none), and, each with ``.weight`` and
    ``.bias``: ``embed_norm``, ``project`` (ELECTRA's embedding projection), ``{i}.qkv`` (query, key and value stacked,
    the query divided by the root of the head size as attention wants it), ``{i}.out``, ``{i}.norm1``, ``{i}.up``,
    ``{i}.down``, ``{i}.norm2``, ``span`` (the question-answering head, absent in other models). All fp32.
    """

    config: EncoderConfig
    tensors: "dict[str, torch.Tensor]"


def read_checkpoint(folder: Path) -> Checkpoint:
    """
    Read the weights of a BERT-like model.

    :raises UnsupportedModel: a family without a packed encoder, or a tensor that it needs is missing.
    """
    import torch

    raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = read_config(raw)
    family = FAMILIES[config.family]
    found = dict(_tensors(folder))
    prefix = family.prefix if any(name.startswith(family.prefix) for name in found) else ""

    def take(name: str) -> "torch.Tensor":
        if name not in found:
            raise UnsupportedModel(f"{folder} lacks the tensor '{name}' that a {config.family} model has.")
        return found[name].float()

    def pair(ours: str, theirs: str) -> None:
        for part in ("weight", "bias"):
            tensors[f"{ours}.{part}"] = take(f"{theirs}.{part}")

    tensors = {
        "words": take(f"{prefix}embeddings.word_embeddings.weight"),
        "positions": take(f"{prefix}embeddings.position_embeddings.weight"),
    }
    if (types := f"{prefix}embeddings.token_type_embeddings.weight") in found:
        tensors["types"] = take(types)
    pair("embed_norm", f"{prefix}embeddings.LayerNorm")
    if f"{prefix}embeddings_project.weight" in found:
        pair("project", f"{prefix}embeddings_project")
    for number in range(config.layers):
        layer = prefix + family.layer.format(number)
        for part in ("weight", "bias"):
            stacked = [take(f"{layer}{name}.{part}") for name in (family.query, family.key, family.value)]
            stacked[0] /= math.sqrt(config.hidden / config.heads)  # attention's scale, once for all
            tensors[f"{number}.qkv.{part}"] = torch.cat(stacked)
        for ours in ("out", "norm1", "up", "down", "norm2"):
            pair(f"{number}.{ours}", layer + getattr(family, ours))
    if "qa_outputs.weight" in found:
        pair("span", "qa_outputs")
    return Checkpoint(config, tensors)


def _tensors(folder: Path) -> "Iterator[tuple[str, torch.Tensor]]":
    from safetensors import safe_open

    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        files = [folder / Path(shard).name for shard in shards]
    else:
        files = [folder / "model.safetensors"]
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 (safe_open is no mapping)
                # Checkpoints converted from TensorFlow still call a norm's parameters gamma and beta.
                plain = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
                yield plain, opened.get_tensor(name)
