"""Texts become tokens once, with exact offsets, and special tokens only where the tokenizer puts them."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.reader.token_cache import PassageCache, content_key
from components.reader.tokens import PassageTokenizer

ODD = "a\x00b 👩‍👩‍👧 e\u0301te\u0301 שלום\r\nﬁne 東京 \ud800 </s> [SEP] end"


def test_the_layout_is_that_of_the_family(reader_of: Callable[[str], Path]) -> None:
    bert = PassageTokenizer.load(reader_of("bert")).layout
    assert (bert.before.tolist(), bert.between.tolist(), bert.after.tolist()) == ([[2, 0]], [[3, 0]], [[3, 1]])
    assert (bert.question_type, bert.passage_type, bert.special_tokens) == (0, 1, 3)
    roberta = PassageTokenizer.load(reader_of("roberta")).layout
    assert (roberta.before.tolist(), roberta.between.tolist()) == ([[0, 0]], [[2, 0], [2, 0]])
    assert (roberta.question_type, roberta.passage_type, roberta.special_tokens) == (0, 0, 4)


@pytest.mark.parametrize("family", ["distilbert", "deberta-v2"])
def test_a_model_without_token_types_gets_none(reader_of: Callable[[str], Path], family: str) -> None:
    layout = PassageTokenizer.load(reader_of(family)).layout
    assert layout.passage_type == 0 and not layout.after[:, 1].any()


def test_offsets_slice_the_text_and_move_forward(folder: Path) -> None:
    (tokens,) = PassageTokenizer.load(folder).encode([ODD])
    assert len(tokens) > 10
    assert (tokens.starts <= tokens.ends).all() and tokens.ends.max() <= len(ODD)
    assert (np.diff(tokens.starts) >= 0).all()
    found = [ODD[s:e].strip().casefold() for s, e in zip(tokens.starts, tokens.ends, strict=True)]
    assert "".join(found).endswith("end") or found[-1] in "end"


def test_special_tokens_in_a_text_are_text(folder: Path) -> None:
    tokenizer = PassageTokenizer.load(folder)
    special = {*tokenizer.layout.before[:, 0].tolist(), *tokenizer.layout.between[:, 0].tolist()}
    (tokens,) = tokenizer.encode(["a <s> b </s> c [SEP] d [CLS] e"])
    assert not special & set(tokens.ids.tolist())


def test_a_tokenizer_that_does_not_mark_a_pair_is_refused() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    bare = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    bare.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ValueError, match="post_processor"):
        PassageTokenizer(bare)


def test_without_tokenizer_json_transformers_builds_it(reader_of: Callable[[str], Path], tmp_path: Path) -> None:
    import json

    whole = reader_of("bert")
    vocabulary = json.loads((whole / "tokenizer.json").read_text())["model"]["vocab"]
    (tmp_path / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=lambda token: vocabulary[token])))
    (tmp_path / "config.json").write_text((whole / "config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "do_lower_case": true}')
    text = "Who built the tower in 1889?"
    (expected,), (got,) = PassageTokenizer.load(whole).encode([text]), PassageTokenizer.load(tmp_path).encode([text])
    assert got.ids.tolist() == expected.ids.tolist() and got.starts.tolist() == expected.starts.tolist()


class Counting(PassageTokenizer):
    """Counts what it is asked to tokenise."""

    seen: list[str]

    def encode(self, texts):
        self.seen = [*getattr(self, "seen", []), *texts]
        return super().encode(texts)


@pytest.fixture
def counting(reader_of: Callable[[str], Path]) -> Counting:
    return Counting.load(reader_of("bert"))  # type: ignore[return-value]


def test_a_text_is_tokenised_once(counting: Counting) -> None:
    cache = PassageCache()
    first = cache.encode(counting, ["a tower", "Paris", "a tower"])
    again = cache.encode(counting, ["Paris", "a tower"])
    assert counting.seen == ["a tower", "Paris"]
    assert again[0] is first[1] and again[1] is first[0] is first[2]
    assert cache.nbytes == sum(tokens.nbytes for tokens in again)


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago(counting: Counting) -> None:
    texts = [f"the tower {number:03}" for number in range(9)]
    size = counting.encode(texts)[0].nbytes
    cache = PassageCache(max_bytes=3 * size)
    cache.encode(counting, texts[:3])
    cache.encode(counting, texts[:1])
    cache.encode(counting, [texts[3]])
    counting.seen = []
    cache.encode(counting, [texts[0], texts[3], texts[1]])
    assert counting.seen == [texts[1]]
    cache.encode(counting, texts)
    assert cache.nbytes <= 3 * size and len(cache) <= 3


def test_a_cache_of_nothing_still_gives_tokens(counting: Counting) -> None:
    cache = PassageCache(max_bytes=0)
    assert len(cache.encode(counting, ["the tower"])[0]) and len(cache) == 0
    with pytest.raises(ValueError, match="max_bytes"):
        PassageCache(max_bytes=-1)


def test_tokenizers_do_not_share_entries(reader_of: Callable[[str], Path]) -> None:
    cache = PassageCache()
    bert, roberta = (PassageTokenizer.load(reader_of(family)) for family in ("bert", "roberta"))
    assert bert.fingerprint != roberta.fingerprint
    assert cache.encode(bert, ["tower"])[0].ids.tolist() != cache.encode(roberta, ["tower"])[0].ids.tolist()
    assert len(cache) == 2


def test_threads_may_share_a_cache(counting: Counting) -> None:
    texts = [f"tower number {number}" for number in range(60)]
    expected = [tokens.ids.tolist() for tokens in counting.encode(texts)]
    cache = PassageCache(max_bytes=800)
    wrong: list[str] = []

    def ask() -> None:
        for _ in range(20):
            if [tokens.ids.tolist() for tokens in cache.encode(counting, texts)] != expected:
                wrong.append("tokens")

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert cache.nbytes <= 800 and cache.nbytes == sum(kept.nbytes for kept in cache._kept.values())


def test_texts_are_told_apart_by_content() -> None:
    assert content_key("a") == content_key("a") != content_key("a\ud800") and len(content_key("")) == 16
