"""How does text become token ids and character offsets, without the model's library?"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.encoder.ragged import Ints
from components.models import load_tokenizer
from components.reader.borders import find_borders

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SURROGATE = re.compile("[\ud800-\udfff]")
# An Encoding of `tokenizers` weighs some 100 bytes a token; encoding in slices keeps only a few of them alive.
_CHARACTERS_A_SLICE = 400_000


@dataclass(frozen=True)
class Tokens:
    """
    One text as tokens, without special tokens.

    :param ids: token ids, int32 (n,).
    :param starts: first character of each token in the text, int32 (n,).
    :param ends: character after the last of each token, int32 (n,).
    :param segments: how many borders (:mod:`components.reader.borders`) lie before each token, int32 (n,); None: the
        text has none.
    """

    ids: Ints
    starts: Ints
    ends: Ints
    segments: Ints | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in (self.ids, self.starts, self.ends, self.segments) if part is not None)


@dataclass(frozen=True)
class PairLayout:
    """
    What a tokenizer puts around a question and a passage: ``before`` question ``between`` passage ``after``.

    Each part is int32 (n, 2): ids and token types of its special tokens. ``question_type`` and ``passage_type`` are the
    token types of the two texts. BERT: [CLS] q [SEP] p [SEP] with types 0 and 1; RoBERTa: <s> q </s></s> p </s>, all 0.
    """

    before: Ints
    between: Ints
    after: Ints
    question_type: int
    passage_type: int

    @property
    def special_tokens(self) -> int:
        """How many special tokens a window holds."""
        return len(self.before) + len(self.between) + len(self.after)


class PassageTokenizer:
    """
    A model's own tokenizer, used without its modelling library.

    Special tokens are recognised nowhere in questions and passages: a page about HTML may say ``</s>`` and a note
    ``[SEP]`` without ending a sequence.
    """

    def __init__(self, tokenizer: "Tokenizer", types: bool = True) -> None:
        """
        :param tokenizer: is changed (no padding, no truncation): hand over one of your own.
        :param types: whether the model knows token types; False makes all of them 0.
        """
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self.layout = _pair_layout(tokenizer, types)
        tokenizer.encode_special_tokens = True
        around = np.concatenate([self.layout.before, self.layout.between, self.layout.after])[:, 0]
        self._special = np.zeros(max(tokenizer.get_vocab_size(), int(around.max()) + 1), dtype=bool)
        self._special[around] = True

    @classmethod
    def load(cls, folder: Path) -> "PassageTokenizer":
        """
        The tokenizer of a model folder.

        :raises ValueError: if there is none, or it cannot join a question and a passage.
        """
        return cls(load_tokenizer(folder), types=_knows_types(folder))

    @cached_property
    def fingerprint(self) -> str:
        """Names the tokenizer by what it does: 16 hex."""
        return hashlib.sha256(self._tokenizer.to_str().encode()).hexdigest()[:16]

    def vocabulary(self) -> dict[str, int]:
        """The number of each token."""
        numbers: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
        return numbers

    @cached_property
    def _unknown(self) -> int:
        """What stands for a special token that a text spells out: Unigram vocabularies hold them as pieces too."""
        model = json.loads(self._tokenizer.to_str())["model"]
        known = model.get("unk_id") if model["type"] == "Unigram" else model["vocab"].get(model.get("unk_token"))
        return int(self.layout.after[0, 0]) if known is None else int(known)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenise each text by itself. A lone surrogate, which no UTF-8 can hold, counts as U+FFFD."""
        done: list[Tokens] = []
        for part in _slices(texts):
            try:
                encodings = self._tokenizer.encode_batch(part, add_special_tokens=False)
            except (TypeError, UnicodeEncodeError):
                repaired = [_SURROGATE.sub("\ufffd", text) for text in part]
                encodings = self._tokenizer.encode_batch(repaired, add_special_tokens=False)
            for text, encoding in zip(part, encodings, strict=True):
                offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
                ids = np.array(encoding.ids, dtype=np.int32)
                if (special := self._special[ids]).any():
                    ids[special] = self._unknown
                starts, ends = (np.ascontiguousarray(column) for column in offsets.T)
                borders = find_borders(text)
                # By its last character: a token that begins with the blank before it belongs to what follows.
                segments = np.searchsorted(borders, ends - 1, side="right").astype(np.int32) if len(borders) else None
                done.append(Tokens(ids, starts, ends, segments))
        return done


def _slices(texts: Sequence[str]) -> list[list[str]]:
    slices: list[list[str]] = []
    room = 0
    for text in texts:
        if not slices or len(text) > room:
            slices.append([])
            room = _CHARACTERS_A_SLICE
        slices[-1].append(text)
        room -= len(text)
    return slices


def _knows_types(folder: Path) -> bool:
    """
    transformers feeds token types where config and tokenizer both know them; a model with one type has none to tell.
    """
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    file = folder / "tokenizer_config.json"
    inputs = json.loads(file.read_text(encoding="utf-8")).get("model_input_names") if file.is_file() else None
    return settings.get("type_vocab_size", 2) > 1 and (inputs is None or "token_type_ids" in inputs)


def _pair_layout(tokenizer: "Tokenizer", types: bool) -> PairLayout:
    """Ask the tokenizer itself: join two known texts and see what stands around them."""
    tokenizer.encode_special_tokens = False
    joined = tokenizer.encode("a", "b")
    sides = joined.sequence_ids
    if 0 not in sides or 1 not in sides or len(sides) == sides.count(0) + sides.count(1):
        raise ValueError(
            f"The tokenizer joins the question 'a' and the passage 'b' as {joined.tokens}, which does not show "
            "where each stands. The reader needs a tokenizer whose post-processor puts special tokens around a pair: "
            "check post_processor in tokenizer.json."
        )
    first, last = sides.index(0), len(sides) - sides[::-1].index(0)
    second, end = sides.index(1), len(sides) - sides[::-1].index(1)
    if last > second:
        raise ValueError(f"The tokenizer puts the passage before the question: {joined.tokens}. This is not supported.")
    kinds = joined.type_ids if types else [0] * len(sides)
    special = np.array([joined.ids, kinds], dtype=np.int32).T
    return PairLayout(special[:first], special[last:second], special[end:], kinds[first], kinds[second])
