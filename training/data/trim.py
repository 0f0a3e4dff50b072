"""A smaller vocabulary: only the embeddings of tokens that texts of the domain hold."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from components.reader.tokens import PassageTokenizer


def trim_vocabulary(model: PreTrainedModel, source: Path, texts: Sequence[str], min_count: int) -> dict[str, Any]:
    """Drop the input embeddings of tokens that the texts do not hold; returns the `tokenizer.json` that fits.

    Special tokens and single characters stay, so that words never seen are spelt rather than lost. Text is cut
    otherwise than before where a word was dropped: trim last, or train on, but do not distil from the teacher.

    :param source: the model's folder; its tokenizer must be a WordPiece of `tokenizer.json`.
    :raises ValueError: for other tokenizers (dropping a BPE's merges changes how every word is cut).
    """
    file = source / "tokenizer.json"
    values = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    kind = values.get("model", {}).get("type")
    if kind != "WordPiece":
        raise ValueError(
            f"{source} has a {kind or 'slow'} tokenizer: only the vocabulary of a WordPiece can be trimmed"
        )
    tokenizer = PassageTokenizer.load(source)
    seen: Counter[int] = Counter()
    for tokens in tokenizer.encode(texts):
        seen.update(tokens.ids.tolist())
    layout = tokenizer.layout
    needed = {entry["id"] for entry in values["added_tokens"]} | {model.config.pad_token_id}
    needed |= {number for part in (layout.before, layout.between, layout.after) for number in part[:, 0].tolist()}
    prefix = values["model"].get("continuing_subword_prefix", "##")
    vocabulary: dict[str, int] = values["model"]["vocab"]
    kept = sorted(
        number
        for piece, number in vocabulary.items()
        if number in needed
        or piece == values["model"]["unk_token"]
        or len(piece.removeprefix(prefix)) == 1
        or seen[number] >= min_count
    )
    new_number = {old: new for new, old in enumerate(kept)}
    by_number = {number: piece for piece, number in vocabulary.items()}
    values["model"]["vocab"] = {by_number[old]: new for old, new in new_number.items()}
    for entry in values["added_tokens"]:
        entry["id"] = new_number[entry["id"]]
    renumber(values.get("post_processor"), new_number)
    values["truncation"] = values["padding"] = None
    old: Any = model.get_input_embeddings()
    embeddings = nn.Embedding(len(kept), old.embedding_dim, padding_idx=new_number.get(old.padding_idx))
    with torch.no_grad():
        embeddings.weight.copy_(old.weight[kept])
    model.set_input_embeddings(embeddings)
    model.config.vocab_size = len(kept)
    model.config.pad_token_id = new_number.get(model.config.pad_token_id)
    return values


def renumber(part: Any, new_number: dict[int, int]) -> None:
    """Give the special tokens in a post-processor their new ids, wherever it names them."""
    if not isinstance(part, dict):
        return
    if part.get("type") == "TemplateProcessing":
        for entry in part["special_tokens"].values():
            entry["ids"] = [new_number[number] for number in entry["ids"]]
    for name in ("sep", "cls"):
        if isinstance(part.get(name), list):
            part[name][1] = new_number[part[name][1]]
    for inner in part.get("processors", ()):
        renumber(inner, new_number)
