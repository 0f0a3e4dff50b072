"""Keeps the tokens of the texts seen last, so that a passage is tokenised once."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

from components.reader.tokens import PassageTokenizer, Tokens


class PassageCache:
    """
    The tokens of the texts seen last, for any number of tokenizers and threads.

    :param max_bytes: what the arrays may weigh together (12 bytes a token); the text used longest ago goes first. A
        text that alone is heavier is not kept.
    """

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must be 0 (keep nothing) or more, got {max_bytes}.")
        self.max_bytes = max_bytes
        self.nbytes = 0
        self._kept: OrderedDict[tuple[str, bytes], Tokens] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def encode(self, tokenizer: PassageTokenizer, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text; only texts not in the cache are tokenised, each of them once."""
        keys = [(tokenizer.fingerprint, content_key(text)) for text in texts]
        found: dict[tuple[str, bytes], Tokens] = {}
        missing: dict[tuple[str, bytes], str] = {}
        with self._lock:
            for key, text in zip(keys, texts, strict=True):
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[key] = self._kept[key]
                else:
                    missing[key] = text
        if missing:
            fresh = dict(zip(missing, tokenizer.encode(list(missing.values())), strict=True))
            found.update(fresh)
            self._keep(fresh)
        return [found[key] for key in keys]

    def _keep(self, fresh: dict[tuple[str, bytes], Tokens]) -> None:
        with self._lock:
            for key, tokens in fresh.items():
                if tokens.nbytes <= self.max_bytes and key not in self._kept:
                    self._kept[key] = tokens
                    self.nbytes += tokens.nbytes
            while self.nbytes > self.max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.nbytes -= oldest.nbytes


def content_key(text: str) -> bytes:
    """Names a text by its content: 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
