"""How many tokens does the embedder see in a text?"""

import itertools
from collections.abc import Iterable, Sequence

from components import models
from components.models import load_tokenizer, resolve_model

_BATCH = 1_000  # texts, each of at most `segments.MAX_UNIT` or one passage's characters: bounds the tokenizer's memory


class TokenCounter:
    """
    Counts with the model's own tokenizer, without cutting and padding.

    :param model: name of the embedding model.
    :param max_tokens: to fit into; None: the model's window.
    :raises components.models.ModelError: when the model is not found.
    :raises ValueError: when `max_tokens` is more than the model reads.
    """

    def __init__(self, model: str, max_tokens: int | None = None) -> None:
        folder = resolve_model(model)
        self._tokenizer = load_tokenizer(folder)
        limit = models.max_tokens(folder)
        if max_tokens is not None and max_tokens > limit.tokens:
            raise ValueError(
                f"PassageSplitter: 'max_tokens' is {max_tokens}, but {model} reads only {limit.tokens} ({limit.file}) "
                f"and would drop the rest of each passage. Set it to {limit.tokens} or less."
            )
        self.max_tokens = max_tokens or limit.tokens
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
