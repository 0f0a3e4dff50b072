"""Passages: exact slices that cover the text, fit the window, and begin where one would begin to read."""

import json
import re
import time
from itertools import pairwise

import numpy as np
import pytest
from haystack import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from components.models import MINILM, resolve_model
from indexing.chunking.packing import pack
from indexing.chunking.segments import Border, Unit, units
from indexing.passages import PassageSplitter, heading_path

SENTENCE = "The lighthouse of Norderoog number {} was built in the year 1907 and has stood there ever since."


@pytest.fixture(scope="module")
def splitter() -> PassageSplitter:
    splitter = PassageSplitter()
    splitter.warm_up()
    return splitter


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Loaded apart from the splitter's, and with special tokens."""
    tokenizer = Tokenizer.from_file(str(resolve_model(MINILM) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def assert_sound(text: str, passages: list[Document], tokenizer: Tokenizer, limit: int) -> None:
    position = 0
    for number, passage in enumerate(passages):
        content, start = passage.content or "", passage.meta["split_idx_start"]
        assert passage.meta["split_id"] == number
        assert text[start : start + len(content)] == content
        assert content
        assert content == content.strip()
        assert text[position:start].strip() == "", "text outside all passages"
        assert start >= position
        assert len(tokenizer.encode(content).ids) <= limit
        position = start + len(content)
    assert text[position:].strip() == ""
    assert len({passage.id for passage in passages}) == len(passages)


pieces = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=40),
    st.sampled_from(
        ["A sentence ends here. ", "\n\n", "\n", "\f", 'Dr. No said: "What?" ', "  ", "word " * 80, "x" * 1500]
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=30).map("".join), st.sampled_from([16, 40, 256]), st.booleans())
def test_passages_are_exact_whole_and_fit(tokenizer, text, limit, lines):
    splitter = PassageSplitter(max_tokens=limit)
    mime = "text/csv" if lines else "text/plain"
    passages = splitter.run([Document(id="d", content=text, meta={"mime_type": mime})])["documents"]
    assert_sound(text, passages, tokenizer, limit)


@settings(max_examples=100, deadline=None)
@given(st.lists(pieces, max_size=20).map("".join), st.booleans())
def test_only_white_space_lies_between_units(text, lines):
    position = 0
    for unit in units(text, lines=lines):
        assert position <= unit.start < unit.end
        assert text[position : unit.start].strip() == ""
        assert not text[unit.start].isspace()
        assert not text[unit.end - 1].isspace()
        position = unit.end
    assert text[position:].strip() == ""


def test_a_short_document_stays_whole(splitter):
    text = "# A heading\n\nOne paragraph.\n\nAnother one."
    places = [[2, 1, "A heading"]]
    passages = splitter.run([Document(content=text, meta={"heading_places": places})])["documents"]
    assert [passage.content for passage in passages] == [text]


def test_passages_end_with_sentences_and_paragraphs(splitter):
    text = "\n\n".join(" ".join(SENTENCE.format(10 * p + s) for s in range(9)) for p in range(6))
    passages = splitter.run([Document(content=text)])["documents"]
    assert len(passages) == 6
    assert [passage.content for passage in passages] == text.split("\n\n")


def test_a_long_paragraph_is_divided_between_sentences(splitter):
    text = " ".join(SENTENCE.format(number) for number in range(60))
    passages = splitter.run([Document(content=text)])["documents"]
    assert len(passages) > 1
    for passage in passages:
        assert passage.content.startswith("The lighthouse")
        assert passage.content.endswith("since.")
    sizes = [len(passage.content) for passage in passages]
    assert min(sizes) > max(sizes) / 3


def test_sections_do_not_share_a_passage_unless_they_are_small(splitter):
    section = " ".join(SENTENCE.format(number) for number in range(6))
    text = f"First\n\n{section}\n\nSecond\n\n{section}\n\nThird\n\n{section}"
    places = [[text.index(name), 1, name] for name in ("First", "Second", "Third")]
    passages = splitter.run([Document(content=text, meta={"heading_places": places})])["documents"]
    assert [passage.content.split("\n")[0] for passage in passages] == ["First", "Second", "Third"]
    assert [passage.meta["headings"] for passage in passages] == ["First", "Second", "Third"]


def test_no_passage_ends_with_a_heading(splitter):
    text, places = "", []
    for number in range(20):
        places.append([len(text), 1, f"Section {number}"])
        text += f"Section {number}\n\n" + " ".join(SENTENCE.format(s) for s in range(number % 7 + 1)) + "\n\n"
    passages = splitter.run([Document(content=text, meta={"heading_places": places})])["documents"]
    assert not [passage for passage in passages if re.search(r"Section \d+$", passage.content)]


def test_pages_and_place_of_a_passage(splitter):
    page = " ".join(SENTENCE.format(number) for number in range(11))
    text = "\f".join([page] * 3)
    starts = [0, len(page) + 1, 2 * len(page) + 2]
    meta = {"page_starts": starts, "title": "T", "year": 1907, "content_hash": "no", "source_id": "s"}
    passages = splitter.run([Document(content=text, meta=meta)])["documents"]
    for passage in passages:
        expected = 1 + text[: passage.meta["split_idx_start"]].count("\f")
        assert passage.meta["page_number"] == expected
        assert (passage.meta["year"], passage.meta["title"], passage.meta["source_id"]) == (1907, "T", "s")
        assert not {"content_hash", "page_starts", "heading_places"} & passage.meta.keys()
    assert passages[-1].meta["page_number"] == 3


def test_overlap_repeats_sentences(tokenizer):
    text = " ".join(SENTENCE.format(number) for number in range(60))
    plain = PassageSplitter(max_tokens=128).run([Document(content=text)])["documents"]
    passages = PassageSplitter(max_tokens=128, overlap=1).run([Document(content=text)])["documents"]
    assert not any(a.meta["split_idx_start"] + len(a.content) > b.meta["split_idx_start"] for a, b in pairwise(plain))
    repeated = 0
    for before, after in pairwise(passages):
        end = before.meta["split_idx_start"] + len(before.content)
        assert after.meta["split_idx_start"] <= end + 1
        repeated += after.meta["split_idx_start"] < end
        assert after.content.startswith("The lighthouse")
    assert all(len(tokenizer.encode(passage.content).ids) <= 128 for passage in passages)
    assert repeated == len(passages) - 1


def test_room_is_left_for_what_the_embedder_puts_in_front(tokenizer):
    text = " ".join(SENTENCE.format(number) for number in range(60))
    title = "A title of some length that the embedder reads ahead of each passage"
    splitter = PassageSplitter(prefix_fields=["title"])
    for passage in splitter.run([Document(content=text, meta={"title": title})])["documents"]:
        assert len(tokenizer.encode(f"{title}\n{passage.content}").ids) <= 256


def test_tokens_that_do_not_add_up_are_counted_again(tmp_path):
    """Byte-level tokenizers count the space between two sentences, too: the whole has more tokens than its parts."""
    bytewise = Tokenizer(BPE({char: i for i, char in enumerate(sorted(ByteLevel.alphabet()))}, []))
    bytewise.pre_tokenizer = ByteLevel(add_prefix_space=False)
    bytewise.save(str(tmp_path / "tokenizer.json"))
    config = {"model_type": "roberta", "max_position_embeddings": 102, "pad_token_id": 1}  # reads 100
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file({"w": np.zeros(1, dtype=np.float32)}, tmp_path / "model.safetensors")
    text = "Be it. " * 200
    passages = PassageSplitter(model=str(tmp_path)).run([Document(id="d", content=text)])["documents"]
    assert_sound(text, passages, bytewise, 100)
    assert max(len(bytewise.encode(passage.content).ids) for passage in passages) > 50


def test_window_of_the_model_is_the_limit():
    with pytest.raises(ValueError, match=r"'max_tokens' is 300.*reads only 256 \(sentence_bert_config.json\)"):
        PassageSplitter(max_tokens=300).warm_up()
    with pytest.raises(ValueError, match="'overlap' is -1"):
        PassageSplitter(overlap=-1)


@pytest.mark.parametrize(
    "text",
    ["word" * 500_000, "?!." * 300_000, "a. " * 300_000, "\n\nx" * 100_000, '("' * 300_000, "\ufdfa" * 200_000],
    ids=["one word", "marks", "short sentences", "short paragraphs", "quotes", "ligatures"],
)
def test_rubbish_is_divided_in_linear_time(splitter, text):
    began = time.process_time()
    spans = splitter.split(text)
    assert time.process_time() - began < 20
    assert max(end - start for start, end, _ in spans) <= 254 * 16
    assert len(spans) < len(text) / 100


def test_heading_path():
    headings = [(0, 1, "Book"), (10, 2, "Part"), (20, 3, "Chapter"), (30, 2, "Next part")]
    assert heading_path(headings, 5) == "Book"
    assert heading_path(headings, 25) == "Book > Part > Chapter"
    assert heading_path(headings, 30) == "Book > Next part"
    assert heading_path(headings, 30, skip="Book") == "Next part"
    assert len(heading_path([(0, 1, "x" * 200), (1, 2, "y" * 200)], 5)) <= 240


def brute_force_fits(tokens: list[int], room: int) -> int:
    """The least number of passages: greedy from the left."""
    count, used = 1, 0
    for size in tokens:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count


def test_no_more_passages_than_needed():
    pieces = [Unit(10 * i, 10 * i + 9, Border.SENTENCE) for i in range(30)]
    assert len(pack(pieces, [10] * 30, 250)) == 2


def test_a_heading_goes_with_its_text_even_where_that_cuts_a_sentence():
    borders = [Border.PARAGRAPH, Border.HEADING, Border.PARAGRAPH, Border.CUT]
    pieces = [Unit(10 * i, 10 * i + 9, border) for i, border in enumerate(borders)]
    assert pack(pieces, [30, 5, 60, 38], 100) == [(0, 1), (1, 3), (3, 4)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_packing_covers_all_units_in_order(tokens):
    pieces = [Unit(10 * i, 10 * i + 9, Border.SENTENCE) for i in range(len(tokens))]
    ranges = pack(pieces, tokens, 100)
    assert [ranges[0][0], ranges[-1][1]] == [0, len(tokens)]
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert all(sum(tokens[first:stop]) <= 100 for first, stop in ranges)
    assert len(ranges) <= 2 * brute_force_fits(tokens, 100)
