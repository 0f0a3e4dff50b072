"""The finished model: one folder that anything that knows transformers can load, and that says how it was made."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from components.models import resolve_model
from training.card import write_card
from training.run.checkpoints import save_tensors

TRAINING = "training.json"
_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
    "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "spm.model", "unigram.json",
)  # fmt: skip


def write_model_folder(
    folder: Path, model: PreTrainedModel, source: str | Path, made: Mapping[str, Any], half: bool = True
) -> Path:
    """Weights as fp16 safetensors, config, tokenizer, `training.json` (settings, data digest, figures), card.

    :param source: model whose tokenizer the new one uses.
    :param made: how it was made: "settings", "data", "result" and what else the card is to tell.
    :raises ValueError: when a weight is NaN, or too large for fp16.
    """
    unfinished = folder.with_name(f".{folder.name}-{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    kind = torch.float16 if half else torch.float32
    weights = {name: _stored(name, weight, kind) for name, weight in model.state_dict().items()}
    save_tensors(unfinished / "model.safetensors", weights)
    config = model.config.to_dict()
    config.pop("_name_or_path", None)
    config |= {"dtype": str(kind).removeprefix("torch."), "architectures": [type(model).__name__]}
    (unfinished / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    copy_tokenizer(resolve_model(source), unfinished, model)
    (unfinished / TRAINING).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    write_card(unfinished, folder.name)
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)
    return folder


def copy_tokenizer(source: Path, folder: Path, model: PreTrainedModel) -> None:
    """The tokenizer's own files; without the limit that a sentence embedder's tokenizer brings along."""
    for name in _TOKENIZER:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    longest = getattr(model.config, "max_position_embeddings", None)
    settings = folder / "tokenizer_config.json"
    if settings.is_file() and longest:
        values = json.loads(settings.read_text(encoding="utf-8"))
        # RoBERTa's positions begin after the padding id.
        offset = 2 if model.config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
        values["model_max_length"] = longest - offset
        settings.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    plain = folder / "tokenizer.json"
    if plain.is_file():
        values = json.loads(plain.read_text(encoding="utf-8"))
        if values.get("truncation") or values.get("padding"):
            values["truncation"] = values["padding"] = None
            plain.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")


def _stored(name: str, weight: Tensor, kind: torch.dtype) -> Tensor:
    kept = weight.detach().cpu()
    if not kept.is_floating_point():
        return kept
    kept = kept.to(kind)
    if not bool(torch.isfinite(kept).all()):
        raise ValueError(
            f"weight {name} holds NaN, or values too large for {kind}: the model cannot be stored like that"
        )
    return kept
