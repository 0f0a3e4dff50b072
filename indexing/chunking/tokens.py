"""How many tokens does the embedder see in a text?"""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from components.models import resolve_model

_BATCH = 1_000  # texts, each of at most `segments.MAX_UNIT` or one passage's characters: bounds the tokenizer's memory
_POSITIONS_BEHIND_PADDING = {"roberta", "xlm-roberta", "camembert"}  # their first position is pad_token_id + 1
_LARGEST_WINDOW = 100_000  # some models write 10**30 for "no limit"


class TokenCounter:
    """
    Counts with the model's own tokenizer, without cutting and padding.

    :param model: name of the embedding model.
    :param max_tokens: to fit into; None: the model's window.
    :raises components.models.ModelError: when the model is not found.
    :raises ValueError: when `max_tokens` is more than the model reads.
    """

    def __init__(self, model: str, max_tokens: int | None = None) -> None:
        from tokenizers import Tokenizer

        folder = resolve_model(model)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        file, window = _window(folder)
        if max_tokens is not None and max_tokens > window:
            raise ValueError(
                f"PassageSplitter: 'max_tokens' is {max_tokens}, but {model} reads only {window} ({file}) and would "
                f"drop the rest of each passage. Set it to {window} or less."
            )
        self.max_tokens = max_tokens or window
        self._specials = self._tokenizer.num_special_tokens_to_add(False)

    def count(self, texts: Iterable[str]) -> list[int]:
        """Tokens of each text, special ones not counted."""
        counts: list[int] = []
        remaining = iter(texts)
        while batch := list(itertools.islice(remaining, _BATCH)):
            encoded = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            counts.extend(len(encoding.ids) for encoding in encoded)
        return counts

    def room(self, prefixes: Sequence[object] = ()) -> int:
        """
        Tokens left for a passage beside special tokens and what the embedder puts in front of it.

        At least half of the window: the embedder shortens prefixes that leave less.
        """
        fields = [str(prefix) for prefix in prefixes if prefix]
        # One token more a field for the separator behind it.
        used = self._specials + sum(self.count(fields)) + len(fields)
        return max(self.max_tokens - used, (self.max_tokens - self._specials) // 2)


def _window(folder: Path) -> tuple[str, int]:
    """How many tokens the model reads, and the file that says so."""
    settings = {
        file: json.loads((folder / file).read_text(encoding="utf-8"))
        for file in ("sentence_bert_config.json", "config.json")
        if (folder / file).is_file()
    }
    length = int(settings.get("sentence_bert_config.json", {}).get("max_seq_length") or 0)
    if 0 < length < _LARGEST_WINDOW:
        return "sentence_bert_config.json", length
    config = settings.get("config.json", {})
    positions = int(config.get("max_position_embeddings") or 0)
    if config.get("model_type") in _POSITIONS_BEHIND_PADDING:
        positions -= int(config.get("pad_token_id", 1)) + 1
    return ("config.json", positions) if 0 < positions < _LARGEST_WINDOW else ("by default", 512)
