"""What part of a passage goes into one prompt: all of it, or windows at word borders that share some words."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.generation.engine import Seq2SeqEngine
from components.generation.prompts import Template, disarm


@dataclass(frozen=True)
class PromptWindow:
    """A prompt, and the characters `start` to `end` of passage number `passage` that it holds."""

    prompt: str
    passage: int
    start: int
    end: int


def cut_prompts(
    engine: Seq2SeqEngine, template: Template, question: str, texts: Sequence[str], max_length: int, stride: int
) -> list[PromptWindow]:
    """
    Prompts of at most `max_length` tokens for each text that has words in it.

    :param stride: tokens that two windows of a text share.
    :raises ValueError: when the question leaves no room for a passage.
    """
    asked = disarm(question.strip(), engine.signs)
    room = max_length - engine.count([template.fill(asked, "")])[0]
    if room < 16 or room <= stride:
        raise ValueError(
            f"the question takes {max_length - room} of max_seq_length={max_length} tokens and leaves {room} for a "
            f"passage; at least 16, and more than stride={stride}, are needed. Shorten it, or raise max_seq_length"
        )
    windows: list[PromptWindow] = []
    for number, text in enumerate(texts):
        context = disarm(text, engine.signs)
        for start, end in _spans(engine, context, room, stride):
            windows.append(PromptWindow(template.fill(asked, context[start:end]), number, start, end))
    return windows


def _spans(engine: Seq2SeqEngine, text: str, room: int, stride: int) -> list[tuple[int, int]]:
    if not text.strip():
        return []
    places = engine.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
    if len(places) <= room:
        return [(0, len(text))]
    spans, first = [], 0
    # Two tokens less: cut apart from its neighbours, a window's edge may be spelt with more.
    while True:
        last = min(first + room - 2, len(places))
        spans.append((int(places[first][0]), int(places[last - 1][1])))
        if last == len(places):
            return spans
        first = last - stride
