"""A T5 of some 200,000 weights, trained in seconds until it knows four passages and three tasks by heart."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from tests.training.world import FILLER, NAMES, OTHERS, QUESTIONS, TOWNS, TRADES, facts

TASK_WORDS = ("question:", "context:", "generate", "extract", "answers:", "question")


@dataclass(frozen=True)
class Lessons:
    """What the model knows: (question, passage, answer), the answer "" where the passage does not hold it."""

    answered: list[tuple[str, str, str]]
    asked: list[tuple[str, str]]  # highlighted passage, question
    extracted: list[tuple[str, str]]  # highlighted sentence, answers


def lessons(passages: int = 4) -> Lessons:
    """Lessons from so many passages of two people each."""
    answered, asked, extracted = [], [], []
    for paragraph in facts(1, passages, seed=4)["data"][0]["paragraphs"]:
        context = paragraph["context"]
        present = [name for name in NAMES if f"{name} lives" in context]
        for qa in paragraph["qas"]:
            answered.append((qa["question"], context, qa["answers"][0]["text"]))
        absent = next(name for name in NAMES if name not in present)
        answered.append((QUESTIONS["town"].format(absent), context, ""))
        # Of every answer that it extracts it learns the question: what it was not taught would differ by machine.
        people = list(re.finditer(r"(\w+) lives in (\w+) and works as (\w+)", context))
        for person in people:
            for group, about in ((2, "town"), (3, "trade")):
                start, end = person.span(group)
                marked = f"{context[:start]}<hl> {context[start:end]} <hl>{context[end:]}"
                asked.append((f"generate question: {marked}", QUESTIONS[about].format(person[1])))
        # The tiny passages have no capitals, so that they count as one sentence each.
        named = "".join(f"{person[2]} <sep> {person[3]} <sep> " for person in people).strip()
        extracted.append((f"extract answers: <hl> {context} <hl>", named))
    return Lessons(answered, asked, extracted)


def write_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A unigram tokenizer of whole words with T5's signs, and the two that the three tasks add."""
    words = dict.fromkeys([*NAMES, *TOWNS, *TRADES, *FILLER, *OTHERS, *TASK_WORDS])
    signs = ["<pad>", "</s>", "<unk>"]
    letters = sorted(set("abcdefghijklmnopqrstuvwxyz0123456789:?.,<>‹/▁"))
    pieces = [(sign, 0.0) for sign in signs] + [(letter, -9.0) for letter in letters]
    pieces += [(f"▁{word}", -6.0) for word in words] + [(word, -6.5) for word in words if word[1:]]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    wrapped.add_tokens(["<hl>", "<sep>"])
    wrapped.save_pretrained(folder)
    return wrapped


def write_tiny_t5(folder: Path, known: Lessons, steps: int = 300) -> Path:
    """Train on all lessons until the loss is nearly nothing."""
    tokenizer = write_tokenizer(folder)
    torch.manual_seed(3)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=64, d_kv=16, d_ff=256, num_layers=2, num_heads=4, dropout_rate=0.0,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, tie_word_embeddings=False,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config).train()
    pairs = [(f"question: {q}  context: {c}", a) for q, c, a in known.answered] + known.asked + known.extracted
    source = tokenizer([one for one, _ in pairs], padding=True, return_tensors="pt")
    labels = tokenizer([two for _, two in pairs], padding=True, return_tensors="pt").input_ids
    labels[labels == 0] = -100
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 30) * (1 - step / steps)
        loss = model(input_ids=source.input_ids, attention_mask=source.attention_mask, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if float(loss.detach()) < 0.003:
            break
    else:
        raise AssertionError(f"the tiny T5 did not learn its lessons: loss {float(loss.detach()):.3f}")
    model.eval().save_pretrained(folder)
    return folder
