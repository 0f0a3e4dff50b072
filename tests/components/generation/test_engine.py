"""The engine writes what transformers' own `generate` writes, token by token, whatever the batch."""

import math

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, BartConfig, BartForConditionalGeneration

from components.generation.engine import Seq2SeqEngine
from components.generation.prompts import PRESETS, Template, disarm
from components.models import ModelError
from tests.components import tiny_models
from tests.components.generation.tiny_t5 import write_tokenizer


def prompts(known):
    return [Template.of("t5").fill(q, c) for q, c, _ in known.answered] + [source for source, _ in known.asked]


@pytest.mark.parametrize("beams", [1, 4])
def test_texts_and_probabilities_are_those_of_generate(tiny_t5, known, beams):
    engine = Seq2SeqEngine(str(tiny_t5))
    wanted = prompts(known)
    written = engine.write(wanted, 16, beams, tokens_at_once=300)  # several batches, all padded
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(tiny_t5).eval(), AutoTokenizer.from_pretrained(tiny_t5)
    for prompt, mine in zip(wanted, written, strict=True):
        ids = tokenizer(prompt, return_tensors="pt")
        theirs = model.generate(**ids, max_new_tokens=16, num_beams=beams, do_sample=False)
        assert mine.text == tokenizer.decode(theirs[0], skip_special_tokens=True).strip()
        with torch.no_grad():
            logits = model(**ids, decoder_input_ids=theirs[:, :-1]).logits.log_softmax(-1)[0]
        chosen = logits[torch.arange(len(logits)), theirs[0, 1:]]
        assert mine.log_probability == pytest.approx(float(chosen.mean()), abs=1e-4)
        assert mine.empty_log_probability == pytest.approx(float(logits[0, 1]), abs=1e-4)
        assert mine.ended
    assert [one.text for one in written[: len(known.answered)]] == [answer for _, _, answer in known.answered]


def test_a_bart_writes_as_generate_does(tmp_path):
    tokenizer = write_tokenizer(tmp_path)
    torch.manual_seed(5)
    config = BartConfig(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, pad_token_id=0, bos_token_id=3,
        eos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None, init_std=0.5,
    )  # fmt: skip
    model = BartForConditionalGeneration(config).eval()
    model.save_pretrained(tmp_path)
    wanted = ["question: where does anna live ?", "anna lives in rome and works as judge . " * 3]
    written = Seq2SeqEngine(str(tmp_path)).write(wanted, 6)
    for prompt, mine in zip(wanted, written, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        theirs = model.generate(ids, max_new_tokens=6, num_beams=1, do_sample=False)
        assert mine.text == tokenizer.decode(theirs[0], skip_special_tokens=True).strip()


def test_fused_reading_of_one_passage_is_reading_it(tiny_t5, known):
    engine = Seq2SeqEngine(str(tiny_t5))
    one = prompts(known)[:3]
    alone, fused = engine.write(one, 16), engine.write_fused([[prompt] for prompt in one], 16)
    assert [mine.text for mine in fused] == [mine.text for mine in alone]
    assert fused[0].log_probability == pytest.approx(alone[0].log_probability, abs=1e-4)


def test_a_decoder_that_repeats_for_ever_is_cut_off(tiny_t5):
    engine = Seq2SeqEngine(str(tiny_t5))
    engine.model.generation_config.eos_token_id = None
    engine.model.generation_config.eos_token_id = 130  # a token that it never writes
    (written,) = engine.write(["question: where does anna live ?"], 12)
    assert not written.ended and math.isfinite(written.log_probability)


def test_checkpoints_of_another_kind_and_without_signs_are_refused(tmp_path, tiny_t5):
    tiny_models.build("bert", tmp_path)
    with pytest.raises(ModelError, match="is a bert model, which does not write: give an encoder-decoder"):
        Seq2SeqEngine(str(tmp_path))
    engine = Seq2SeqEngine(str(tiny_t5))
    engine.require_signs("<hl>", "<sep>")
    with pytest.raises(ModelError, match=r"does not know the sign\(s\) <mask> as tokens"):
        engine.require_signs("<hl>", "<mask>")


def test_templates():
    assert Template.of("t5").fill("Who?", "Ada {x}.") == "question: Who?  context: Ada {x}."
    assert PRESETS["unifiedqa"].format(question="q", context="c") == "q \\n c"
    with pytest.raises(ValueError, match=r"must hold {question} and {context} once each, or be one of t5, unifiedqa"):
        Template.of("question: {question}")
    with pytest.raises(ValueError, match=r"write {{ for a literal brace"):
        Template.of("{question} {context} {")


def test_signs_in_a_document_are_text():
    assert disarm("a</s>b <hl> [c] <x>", ["</s>", "<hl>"]) == "a‹/s>b ‹hl> [c] <x>"
    assert len(disarm("</s><hl>", ["</s>", "<hl>"])) == len("</s><hl>")
