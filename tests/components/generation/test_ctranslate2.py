"""CTranslate2 writes what transformers' own `generate` writes, token by token; what it would not, it refuses."""

import json
import math
import shutil

import pytest
import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BartConfig,
    BartForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from components.generation.engine import Seq2SeqEngine
from components.generation.selection import load_seq2seq, measure
from components.generative_reader import GenerativeReader
from components.models import ModelError
from tests.components import tiny_models
from tests.components.generation.test_engine import prompts
from tests.components.generation.tiny_t5 import write_tokenizer

pytest.importorskip("ctranslate2", reason="needs CTranslate2: pip install 'excerpt[generation]'")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("EXCERPT_CACHE", str(tmp_path_factory.getbasetemp() / "engines"))


def random_model(kind, folder):
    """Random weights that write something else for each prompt; T5 with scaled, FLAN with unscaled outputs."""
    size = len(write_tokenizer(folder))
    torch.manual_seed(7)
    if kind == "bart":
        config = BartConfig(
            vocab_size=size, d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, pad_token_id=0, bos_token_id=3,
            eos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None, init_std=0.5,
        )  # fmt: skip
        BartForConditionalGeneration(config).save_pretrained(folder)
        return folder
    forward = "gated-gelu" if kind == "flan" else "relu"
    config = T5Config(
        vocab_size=size, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0,
        pad_token_id=0, eos_token_id=1, initializer_factor=3.0, feed_forward_proj=forward,
        tie_word_embeddings=kind != "flan",
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("beams", [1, 4])
def test_a_trained_t5_writes_as_generate_does(tiny_t5, known, beams):
    wanted = prompts(known)
    engine = load_seq2seq(str(tiny_t5), "ctranslate2")
    written = engine.write(wanted, 16, beams, tokens_at_once=300)  # several batches
    exact = Seq2SeqEngine(str(tiny_t5)).write(wanted, 16, beams)
    for mine, theirs in zip(written, exact, strict=True):
        assert (mine.text, mine.ended) == (theirs.text, theirs.ended)
        assert mine.log_probability == pytest.approx(theirs.log_probability, abs=1e-4)
        assert mine.empty_log_probability == pytest.approx(theirs.empty_log_probability, abs=1e-4)
    unweighed = engine.write(wanted[:2], 16, beams, weigh_empty=False)
    assert [one.text for one in unweighed] == [one.text for one in written[:2]]
    assert math.isnan(unweighed[0].empty_log_probability)


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("kind", ["t5", "flan", "bart"])
def test_random_weights_write_as_generate_does(tmp_path, known, kind, beams):
    folder = random_model(kind, tmp_path)
    wanted = prompts(known)[:12]
    written = load_seq2seq(str(folder), "ctranslate2").write(wanted, 9, beams)
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for prompt, mine in zip(wanted, written, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        theirs = model.generate(ids, max_new_tokens=9, num_beams=beams, do_sample=False)
        assert mine.text == tokenizer.decode(theirs[0], skip_special_tokens=True).strip()
    assert len({one.text for one in written}) > 1, "prompts make a difference"


def test_long_prompts_weigh_distances_as_transformers_does(tmp_path, known):
    """T5 puts distances of up to 128 tokens into ever wider classes; each has a weight that counts here."""
    folder = random_model("flan", tmp_path)
    model = T5ForConditionalGeneration.from_pretrained(folder)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "relative_attention_bias" in name:
                weights.copy_(torch.randn_like(weights))
    model.save_pretrained(folder)
    long = [" ".join([prompt] * 8) for prompt in prompts(known)[:4]]
    assert min(load_seq2seq(str(folder)).count(long)) > 128
    written = [load_seq2seq(str(folder), engine).write(long, 9) for engine in ("transformers", "ctranslate2")]
    for theirs, mine in zip(*written, strict=True):
        assert mine.text == theirs.text
        assert mine.log_probability == pytest.approx(theirs.log_probability, abs=1e-3)
        assert mine.empty_log_probability == pytest.approx(theirs.empty_log_probability, abs=1e-3)


def test_int8_finds_the_same_answers_here(tiny_t5, known):
    asked = prompts(known)[: len(known.answered)]
    written = load_seq2seq(str(tiny_t5), precision="int8").write(asked, 16)
    right = sum(one.text == answer for one, (_, _, answer) in zip(written, known.answered, strict=True))
    assert right >= len(asked) - 1


def test_the_reader_answers_the_same_with_either_engine(tiny_t5, known):
    readers = [GenerativeReader(model=str(tiny_t5), engine=engine) for engine in ("transformers", "ctranslate2")]
    from haystack import Document

    for question, context, _ in known.answered[:6]:
        one, other = (
            reader.run(query=question, documents=[Document(content=context)])["answers"] for reader in readers
        )
        assert [answer.data for answer in one] == [answer.data for answer in other]
        assert [answer.score for answer in one] == pytest.approx([answer.score for answer in other], abs=1e-3)


def test_auto_takes_what_is_fast_and_says_the_same(tiny_t5, monkeypatch):
    assert load_seq2seq(str(tiny_t5)).name == "transformers", "nothing is measured for a tiny model"
    monkeypatch.setattr("components.generation.selection._WORTH_MEASURING", 1)
    monkeypatch.setattr("components.generation.selection._SAMPLES", 3)
    told = measure(tiny_t5)
    chosen = told["measured"][f"{told['engine']} {told['precision']}"]
    assert chosen["same"] == 1 and set(told["measured"]) >= {
        "transformers fp32",
        "ctranslate2 fp32",
        "ctranslate2 int8",
    }
    assert all(one["prompts_per_second"] <= chosen["prompts_per_second"]
               for one in told["measured"].values() if one["same"] == 1)  # fmt: skip
    calls = []
    monkeypatch.setattr("components.generation.selection.measure", lambda folder: calls.append(folder) or told)
    assert [load_seq2seq(str(tiny_t5)).name for _ in range(2)] == [told["engine"]] * 2
    assert len(calls) == 1, "what was measured is remembered"
    assert load_seq2seq(str(tiny_t5), fused=True).name == "transformers"


def test_what_would_be_written_otherwise_is_refused(tmp_path, tiny_t5):
    wishful = tmp_path / "wishful"
    shutil.copytree(tiny_t5, wishful)
    (wishful / "generation_config.json").write_text(json.dumps({"no_repeat_ngram_size": 3, "eos_token_id": 1}))
    with pytest.raises(ModelError, match=r"asks for no_repeat_ngram_size. Use engine 'transformers'"):
        load_seq2seq(str(wishful), "ctranslate2")
    tiny_models.build("bert", tmp_path / "bert")
    with pytest.raises(ModelError, match="does not write"):
        load_seq2seq(str(tmp_path / "bert"), "ctranslate2")
    with pytest.raises(ValueError, match="passages fused are read by engine transformers"):
        GenerativeReader(model="m", passages="fused", engine="ctranslate2")
    with pytest.raises(ValueError, match="engine must be one of auto, transformers, ctranslate2; got 'onnx'"):
        GenerativeReader(model="m", engine="onnx")
    with pytest.raises(ValueError, match=r"precision 'fp16' is not to be had of CTranslate2 here"):
        load_seq2seq(str(tiny_t5), "ctranslate2", "fp16")
