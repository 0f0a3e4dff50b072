"""A student by copying layers: those chosen, nothing else changed; and with a smaller vocabulary."""

import json

import pytest
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    DistilBertConfig,
    DistilBertForQuestionAnswering,
    RobertaConfig,
    RobertaForQuestionAnswering,
)

from components.reader.tokens import PassageTokenizer
from tests.training.world import facts, write_model
from training.shrink import keep_layers, shrink
from training.span_model import load_span_model


def test_the_chosen_layers_in_their_order(tmp_path):
    source = write_model(tmp_path / "source", layers=4)
    folder = shrink(source, [4, 2], tmp_path / "student")
    large, small = load_span_model(source, 0), AutoModelForQuestionAnswering.from_pretrained(folder)
    assert small.config.num_hidden_layers == 2
    wanted, got = large.state_dict(), small.state_dict()
    for name, weight in got.items():
        old = name.replace("layer.0.", "layer.3.") if "layer.0." in name else name
        assert torch.equal(weight, wanted[old]), name
    made = json.loads((folder / "training.json").read_text())
    assert made["layers"] == [4, 2] and made["command"] == "shrink"


@pytest.mark.parametrize("family", ["distilbert", "roberta"])
def test_other_families(family):
    if family == "distilbert":
        config = DistilBertConfig(vocab_size=50, dim=16, hidden_dim=16, n_layers=3, n_heads=2)
        model = DistilBertForQuestionAnswering(config)
    else:
        config = RobertaConfig(
            vocab_size=50, hidden_size=16, intermediate_size=16, num_hidden_layers=3, num_attention_heads=2
        )
        model = RobertaForQuestionAnswering(config)
    before = {name: weight.clone() for name, weight in model.state_dict().items() if ".2." in name}
    keep_layers(model, [3])
    after = model.state_dict()
    assert before and all(torch.equal(weight, after[name.replace(".2.", ".0.")]) for name, weight in before.items())
    assert model.config.num_hidden_layers == 1
    ids = torch.ones((1, 4), dtype=torch.long)
    assert model(input_ids=ids, attention_mask=ids).start_logits.shape == (1, 4)


@pytest.mark.parametrize("layers", [[], [0], [5], [1, 1]])
def test_layers_that_are_not_there(tmp_path, layers):
    with pytest.raises(ValueError, match="layers must be some of 1 to 4, each once"):
        shrink(write_model(tmp_path / "source", layers=4), layers, tmp_path / "student")


def test_a_folder_that_is_taken(tmp_path):
    (tmp_path / "student").mkdir()
    with pytest.raises(ValueError, match="exists already"):
        shrink(write_model(tmp_path / "source"), [1], tmp_path / "student")


def test_a_trimmed_vocabulary_reads_kept_text_alike(tmp_path):
    source = write_model(tmp_path / "source")
    texts = [paragraph["context"] for paragraph in facts(1, 3)["data"][0]["paragraphs"]]
    folder = shrink(source, [1, 2], tmp_path / "small", keep_words_of=texts)
    old, new = PassageTokenizer.load(source), PassageTokenizer.load(folder)
    before, after = load_span_model(source, 0).eval(), load_span_model(folder, 0).eval()
    assert after.config.vocab_size < before.config.vocab_size
    for text in texts:
        a, b = old.encode([text])[0], new.encode([text])[0]
        assert a.starts.tolist() == b.starts.tolist()
        joined = []
        for tokenizer, tokens in ((old, a), (new, b)):
            ids = [*tokenizer.layout.before[:, 0], *tokens.ids, *tokenizer.layout.after[:, 0]]
            joined.append(torch.tensor([ids], dtype=torch.long))
        torch.testing.assert_close(before(joined[0]).start_logits, after(joined[1]).start_logits)


def test_only_word_pieces_are_trimmed(tmp_path):
    source = write_model(tmp_path / "source")
    file = source / "tokenizer.json"
    values = json.loads(file.read_text())
    values["model"] = {"type": "WordLevel", "vocab": values["model"]["vocab"], "unk_token": "[UNK]"}
    file.write_text(json.dumps(values))
    with pytest.raises(ValueError, match="WordLevel tokenizer: only the vocabulary of a WordPiece"):
        shrink(source, [1], tmp_path / "student", keep_words_of=["anna"])
