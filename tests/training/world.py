"""A small world to train in: facts about people, a word-level tokenizer, models of a few thousand weights."""

import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForQuestionAnswering

NAMES = ("anna", "bruno", "carla", "diego", "elena", "felix", "greta", "hugo", "irene", "jonas", "karla", "lukas")
TOWNS = ("lima", "oslo", "rome", "bern", "kyiv", "riga", "cairo", "delhi", "quito", "seoul", "tunis", "paris")
TRADES = ("baker", "smith", "nurse", "pilot", "judge", "miner", "tailor", "doctor", "farmer", "singer")
FILLER = (
    "the",
    "a",
    "in",
    "of",
    "and",
    "people",
    "know",
    "that",
    "old",
    "town",
    "river",
    "day",
    "long",
    "before",
    "year",
)
OTHERS = ("where", "what", "does", "live", "lives", "work", "works", "as", "?", ".")
QUESTIONS = {"town": "where does {} live ?", "trade": "what does {} work as ?"}


def facts(articles: int, paragraphs: int, seed: int = 0, people: int = 2) -> dict:
    """SQuAD-format data: so many people a paragraph, and where they live or what they do."""
    rng = random.Random(seed)
    data = []
    for a in range(articles):
        entries = []
        for p in range(paragraphs):
            present = rng.sample(NAMES, people)
            known = [{"town": rng.choice(TOWNS), "trade": rng.choice(TRADES)} for _ in present]
            said = []
            for name, fact in zip(present, known, strict=True):
                said.append(" ".join(rng.choices(FILLER, k=rng.randint(0, 4))))
                said.append(f"{name} lives in {fact['town']} and works as {fact['trade']} .")
            context = " ".join(part for part in said if part)
            qas = []
            for name, fact in zip(present, known, strict=True):
                asked = rng.choice(list(QUESTIONS))
                start = context.index(fact[asked], context.index(f"{name} lives"))
                answer = {"text": fact[asked], "answer_start": start}
                qas.append({"id": f"{a}-{p}-{name}", "question": QUESTIONS[asked].format(name), "answers": [answer]})
            entries.append({"context": context, "qas": qas})
        data.append({"title": f"article {a}", "paragraphs": entries})
    return {"version": "1.1", "data": data}


def write_tokenizer(folder: Path) -> int:
    """A BERT-like tokenizer of whole words; returns the size of its vocabulary."""
    words = [
        *NAMES,
        *TOWNS,
        *TRADES,
        *FILLER,
        *OTHERS,
    ]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(words), *"abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 64, "cls_token": "[CLS]", "sep_token": "[SEP]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(vocabulary)


def write_model(folder: Path, layers: int = 2, width: int = 32, seed: int = 0, heads: int = 2) -> Path:
    """A BERT reader with random weights, and its tokenizer."""
    words = write_tokenizer(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * width,
        max_position_embeddings=64,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    return folder


def settings_for(folder: Path, **values) -> dict:
    """Settings for a run of seconds in the small world."""
    data = folder / "facts.json"
    if not data.is_file():
        data.write_text(json.dumps(facts(6, 20)))
    if "model" not in values:
        write_model(folder / "tiny")
    return {
        "model": str(folder / "tiny"),
        "data": [str(data)],
        "out": str(folder / "run"),
        "epochs": 2,
        "learning_rate": 3e-3,
        "batch_tokens": 1024,
        "max_length": 64,
        "stride": 8,
        "max_question": 16,
        "crops": {"shortest": 24, "longest": 48, "whole": 0.3},
        "mined_depth": 5,
        "held_out": 1,
        "held_out_questions": 40,
        "evaluate_every": 1.0,
        "logging_steps": 5,
        "precision": "fp32",
        "device": "cpu",
        "threads": 1,
        **values,
    }
