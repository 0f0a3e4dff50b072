"""How many tokens does the embedder see in a text?"""

import itertools
import json
from collections.abc import Iterable, Sequence

from components.models import resolve_model

_BATCH = 1_000  # texts, each of at most `segments.MAX_UNIT` or one passage's characters: bounds the tokenizer's memory
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
        windows = [
            (file, int(json.loads((folder / file).read_text(encoding="utf-8")).get(name) or 0))
            for file, name in (
                ("sentence_bert_config.json", "max_seq_length"),
                ("config.json", "max_position_embeddings"),
            )
            if (folder / file).is_file()
        ]
        file, window = next(((file, size) for file, size in windows if 0 < size < _LARGEST_WINDOW), ("", 512))
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
