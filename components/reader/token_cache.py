"""Keeps the tokens of the texts seen last, so that a passage is tokenised once."""

import hashlib
import threading
from collections.abc import Sequence

from cachetools import LRUCache

from components.reader.tokens import PassageTokenizer, Tokens


class PassageCache:
    """
    The tokens of the texts seen last, for any number of tokenizers and threads.

    :param max_bytes: what the arrays may weigh together (12 to 16 bytes a token); the text used longest ago goes first.
        A text that alone is heavier is not kept.
    """

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must be 0 (keep nothing) or more, got {max_bytes}.")
        self.max_bytes = max_bytes
        self._kept: LRUCache[tuple[str, bytes], Tokens] = LRUCache(max_bytes, getsizeof=lambda tokens: tokens.nbytes)
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """What the arrays weigh together."""
        return int(self._kept.currsize)

    def __len__(self) -> int:
        return len(self._kept)

    def encode(self, tokenizer: PassageTokenizer, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text; only texts not in the cache are tokenised, each of them once."""
        keys = [(tokenizer.fingerprint, content_key(text)) for text in texts]
        found: dict[tuple[str, bytes], Tokens] = {}
        missing: dict[tuple[str, bytes], str] = {}
        with self._lock:
            for key, text in zip(keys, texts, strict=True):
                if (tokens := self._kept.get(key)) is not None:
                    found[key] = tokens
                else:
                    missing[key] = text
        if missing:
            fresh = dict(zip(missing, tokenizer.encode(list(missing.values())), strict=True))
            found.update(fresh)
            with self._lock:
                for key, tokens in fresh.items():
                    if tokens.nbytes <= self.max_bytes:
                        self._kept[key] = tokens
        return [found[key] for key in keys]


def content_key(text: str) -> bytes:
    """Names a text by its content: 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
