"""
Tiny random readers of each family, with their own kind of tokenizer, built as their real ones are.

Vocabularies are written down, not trained: the trainers of WordPiece and Unigram break ties by chance, and with another
vocabulary at each run two spans were now and then too close to tell which one ranks first.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

TEXTS = [
    "The tower was built in 1889 by Gustave Eiffel, for the world's fair in Paris.",
    "It is 330 metres (1,083 ft) tall; some 6.9 million people went up in 2015!",
    "Der Turm steht in Paris und wurde größer, naïve café, Straße, Ελλάδα, שלום עולם, 東京タワー.",
    "Who built the tower? When was it built? How tall is it? Where does it stand?",
]
FAMILIES = ("bert", "distilbert", "electra", "roberta", "xlm-roberta", "deberta-v2")
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def _words(tokenizer) -> list[str]:
    """The words of the texts as the tokenizer sees them, sorted."""
    normalised = [tokenizer.normalizer.normalize_str(text) for text in TEXTS]
    return sorted({word for text in normalised for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)})


def _word_piece():
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = _words(tokenizer)
    letters = sorted({letter for word in words for letter in word})
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *(word for word in words[::2] if word[1:])]
    tokenizer.model = models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]")
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def _byte_bpe():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def _unigram(special: list[str], template: dict[str, str]):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    words = _words(tokenizer)
    letters = sorted({letter for word in words for letter in word})
    pieces = [(piece, 0.0) for piece in special] + [(letter, -4.0) for letter in letters]
    pieces += [(word, -6.0) for word in words[::2] if word[1:]]
    tokenizer.model = models.Unigram(pieces, unk_id=special.index("<unk>"))
    tokenizer.add_special_tokens(special)
    tokenizer.decoder = decoders.Metaspace()
    used = [(token, special.index(token)) for token in special if token in template["pair"]]
    tokenizer.post_processor = processors.TemplateProcessing(**template, special_tokens=used)
    return tokenizer


def _tokenizer(family: str):
    if family in ("bert", "distilbert", "electra"):
        return _word_piece()
    if family == "roberta":
        return _byte_bpe()
    if family == "xlm-roberta":
        return _unigram(
            ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            {"single": "<s>:0 $A:0 </s>:0", "pair": "<s>:0 $A:0 </s>:0 </s>:0 $B:0 </s>:0"},
        )
    return _unigram(
        ["[PAD]", "[CLS]", "[SEP]", "<unk>", "[MASK]"],
        {"single": "[CLS]:0 $A:0 [SEP]:0", "pair": "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"},
    )


def _config(family: str, vocabulary: int):
    import transformers as t

    common = {"vocab_size": vocabulary, "max_position_embeddings": 160}
    if family == "bert":
        return t.BertConfig(**SIZES, **common)
    if family == "electra":
        return t.ElectraConfig(**SIZES, **common, embedding_size=16)
    if family == "distilbert":
        return t.DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=64, **common)
    if family == "roberta":
        return t.RobertaConfig(**SIZES, **common, type_vocab_size=1, pad_token_id=1)
    if family == "xlm-roberta":
        return t.XLMRobertaConfig(**SIZES, **common, type_vocab_size=1, pad_token_id=1)
    return t.DebertaV2Config(**SIZES, **common, type_vocab_size=0, relative_attention=True, pos_att_type=["p2c", "c2p"])


@pytest.fixture(scope="session")
def reader_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny random reader of a family; its logits are far enough apart to have one best span."""
    made: dict[str, Path] = {}

    def make(family: str) -> Path:
        if family in made:
            return made[family]
        import torch
        from transformers import AutoModelForQuestionAnswering, PreTrainedTokenizerFast

        folder = tmp_path_factory.mktemp(family)
        tokenizer = _tokenizer(family)
        types = family in ("bert", "electra", "deberta-v2")
        inputs = ["input_ids", *(["token_type_ids"] if types else []), "attention_mask"]
        pad = "<pad>" if "<pad>" in tokenizer.get_vocab() else "[PAD]"
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=pad, model_input_names=inputs).save_pretrained(
            folder
        )
        torch.manual_seed(7)
        model = AutoModelForQuestionAnswering.from_config(_config(family, tokenizer.get_vocab_size()))
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        model.save_pretrained(folder)
        assert "model_type" in json.loads((folder / "config.json").read_text())
        made[family] = folder
        return folder

    return make


@pytest.fixture(params=FAMILIES)
def folder(request: pytest.FixtureRequest, reader_of: Callable[[str], Path]) -> Path:
    """The folder of a tiny reader, of each family in turn."""
    return reader_of(request.param)
