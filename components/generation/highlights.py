"""Prompts of the models that find answers and ask for them: what is meant stands between two signs `<hl>`."""

from collections.abc import Sequence

import sentencex

from components.generation.engine import Seq2SeqEngine
from components.generation.prompts import disarm

HIGHLIGHT, SEPARATOR = "<hl>", "<sep>"
Span = tuple[int, int]


def split_sentences(text: str, language: str = "en") -> list[Span]:
    """Start and end of each sentence, without the space around it; a text without sentences is one."""
    text = disarm(text, ())
    spans: list[Span] = []
    begin = 0
    for sentence in sentencex.segment(language, text):
        said = sentence.strip()
        if said and (start := text.find(said, begin)) >= 0:
            begin = start + len(said)
            spans.append((start, begin))
    if not spans and text.strip():
        start = len(text) - len(text.lstrip())
        spans = [(start, start + len(text.strip()))]
    return spans


def highlight(text: str, span: Span, around: Span) -> str:
    """The part `around` of the text with the words of `span` between signs."""
    start, end = span
    parts = (text[around[0] : start].rstrip(), HIGHLIGHT, text[start:end], HIGHLIGHT, text[end : around[1]].lstrip())
    return " ".join(part for part in parts if part)


def choose_context(engine: Seq2SeqEngine, text: str, sentences: Sequence[Span], number: int, room: int) -> Span:
    """Sentence `number` with as many of its neighbours, on both sides in turn, as `room` tokens hold."""
    if engine.count([text])[0] <= room:
        return 0, len(text)
    lengths = engine.count([text[start:end] for start, end in sentences])
    first = last = number
    used = lengths[number]
    while True:
        grown = False
        if last + 1 < len(sentences) and used + lengths[last + 1] <= room:
            last, used, grown = last + 1, used + lengths[last + 1], True
        if first > 0 and used + lengths[first - 1] <= room:
            first, used, grown = first - 1, used + lengths[first - 1], True
        if not grown:
            return sentences[first][0], sentences[last][1]


def extraction_prompts(engine: Seq2SeqEngine, text: str, sentences: Sequence[Span], room: int) -> list[str]:
    """`extract answers: ... <hl> sentence <hl> ...` for each sentence."""
    plain = disarm(text, engine.signs)
    around = [choose_context(engine, plain, sentences, number, room) for number in range(len(sentences))]
    return [f"extract answers: {highlight(plain, one, near)}" for one, near in zip(sentences, around, strict=True)]


def question_prompt(engine: Seq2SeqEngine, text: str, answer: Span, sentences: Sequence[Span], room: int) -> str:
    """`generate question: ... <hl> answer <hl> ...`."""
    plain = disarm(text, engine.signs)
    number = next((n for n, (start, end) in enumerate(sentences) if start <= answer[0] < end), 0)
    near = choose_context(engine, plain, sentences, number, room)
    return f"generate question: {highlight(plain, answer, (min(near[0], answer[0]), max(near[1], answer[1])))}"
