"""Sentence embeddings: text in, one vector out, by the packed encoder where it can, else by sentence-transformers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from components.devices import pick_device, pick_dtype
from components.encoder.encoder import PackedEncoder
from components.encoder.families import UnsupportedModel
from components.encoder.heads import pooled
from components.encoder.ragged import Ragged
from components.models import load_tokenizer, max_tokens

# Texts are cut at so many characters a token of the window: tokenising megabytes to keep 256 tokens costs seconds
# and gigabytes. Only runs of blanks or of endless words could bring tokens from beyond into the window.
_CHARACTERS_A_TOKEN = 200
_MAX_TOKENS = {"cpu": 4096, "cuda": 131_072}


@dataclass(frozen=True)
class Encoded:
    """``vectors`` float32 (n, dimensions); ``truncated``: which texts were longer than the model reads."""

    vectors: NDArray[np.float32]
    truncated: list[bool]


class TextEncoder(Protocol):
    """What the embedders use. For one thread at a time."""

    max_length: int

    def encode(self, texts: list[str]) -> Encoded: ...


class PackedTextEncoder:
    """
    A sentence-transformers model of the shape transformer + pooling (mean or first token) [+ normalisation].

    :raises UnsupportedModel: any other shape or family.
    """

    def __init__(self, folder: Path, device: str, precision: str, normalize: bool, many: bool) -> None:
        self.pooling, normalizes = _read_modules(folder)
        self.normalize = normalize or normalizes
        place = pick_device(device)
        if precision == "auto":
            from components.encoder.precision import faster_on_cpu

            precision = "bf16" if place.type != "cpu" else faster_on_cpu(folder) if many else "fp32"
        self.encoder = PackedEncoder.load(folder, place, pick_dtype(precision, place))
        self.tokens_a_pass = _MAX_TOKENS[place.type]
        self.tokenizer = load_tokenizer(folder)
        self.max_length = max_tokens(folder).tokens
        self._added = self.tokenizer.num_special_tokens_to_add(False)

    def encode(self, texts: list[str]) -> Encoded:
        limit = self.max_length - self._added
        bound = _CHARACTERS_A_TOKEN * self.max_length
        # Stripped as sentence-transformers does it.
        encodings = self.tokenizer.encode_batch([text.strip()[:bound] for text in texts], add_special_tokens=False)
        truncated = [len(each.ids) > limit or len(text) > bound for each, text in zip(encodings, texts, strict=True)]
        ids, types = [], []
        for each in encodings:
            each.truncate(limit)
            whole = self.tokenizer.post_process(each)
            ids.append(whole.ids)
            types.append(whole.type_ids)
        vectors = pooled(self.encoder, Ragged.of(ids, types), self.tokens_a_pass, self.pooling, self.normalize)
        return Encoded(vectors.numpy(), truncated)


class SentenceTransformersEncoder:
    """Any other model, by sentence-transformers itself (4 s to import, padded batches)."""

    def __init__(self, folder: Path, device: str, normalize: bool) -> None:
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(
            str(folder), device=None if device == "auto" else device, trust_remote_code=False, local_files_only=True
        )
        self.normalize = normalize
        self.max_length = max_tokens(folder).tokens
        if (self.model.max_seq_length or 0) > self.max_length:
            self.model.max_seq_length = self.max_length

    def encode(self, texts: list[str]) -> Encoded:
        vectors = self.model.encode(
            texts, normalize_embeddings=self.normalize, show_progress_bar=False, convert_to_numpy=True
        )
        lengths = [len(self.model.tokenizer(text, truncation=False)["input_ids"]) for text in texts]
        truncated = [length > self.max_length for length in lengths]
        return Encoded(np.asarray(vectors, dtype=np.float32).reshape(len(texts), -1), truncated)


def load_text_encoder(
    folder: Path, device: str = "auto", precision: str = "auto", normalize: bool = True, many: bool = False
) -> TextEncoder:
    """
    The packed encoder if the model's shape allows it, else sentence-transformers.

    :param folder: model folder (see ``components.models.resolve_model``).
    :param device: "auto", "cpu", "cuda" or "cuda:1".
    :param precision: "auto", "fp32", "bf16" or "fp16"; the fallback computes in what the checkpoint says.
    :param normalize: vectors of length 1, also where the model itself does not normalise.
    :param many: texts come by the thousand, so that on a CPU "auto" is worth measuring which precision is faster.
    """
    try:
        return PackedTextEncoder(folder, device, precision, normalize, many)
    except UnsupportedModel:
        return SentenceTransformersEncoder(folder, device, normalize)


def _read_modules(folder: Path) -> tuple[Literal["mean", "cls"], bool]:
    """Pooling, and whether the model normalises. Without modules.json it is a bare transformer: mean pooling."""
    file = folder / "modules.json"
    if not file.is_file():
        return "mean", False
    modules = json.loads(file.read_text(encoding="utf-8"))
    kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or modules[0]["path"]:
        raise UnsupportedModel(f"{file} lists {', '.join(kinds)}.")
    settings = json.loads((folder / modules[1]["path"] / "config.json").read_text(encoding="utf-8"))
    asked = {name.removeprefix("pooling_mode_") for name, on in settings.items() if on is True and "mode" in name}
    mode = settings.get("pooling_mode")
    asked = {mode} if isinstance(mode, str) else asked
    if asked <= {"mean_tokens", "mean"}:
        return "mean", "Normalize" in kinds
    if asked <= {"cls_token", "cls"}:
        return "cls", "Normalize" in kinds
    raise UnsupportedModel(f"{file}: pooling by {', '.join(sorted(map(str, asked)))}.")
