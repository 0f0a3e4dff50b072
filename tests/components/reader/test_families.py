"""Readers of every family answer as a slow, obvious reference does: transformers, padded windows one by one, loops."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from haystack import Document

from components.reader import ExtractiveReader
from components.reader.answers.answer_text import normalise_answer, widen_to_words

QUESTION = "Who built the tower in Paris?"
PASSAGES = [
    "The tower was built in 1889 by Gustave Eiffel, for the world's fair in Paris.",
    "In 東京 stands a tower (333 metres); naïve cafe\u0301 👩‍👩‍👧 and שלום עולם\r\nthe end\x00!",
    "tall",
    "When was it built? " * 30 + "It is 330 metres (1,083 ft) tall; some 6.9 million people went up in 2015!",
    "The tower of Paris was built by Gustave Eiffel.",
]
SCORES = [3.5, 2.0, 1.75, 1.0, -2.0]
WEIGHTS = {
    "span": 1.0,
    "null": -0.6,
    "retriever": 0.8,
    "rank": -0.3,
    "no_answer": 1.5,
    "agreement": 1.0,
    "temperature": 2.5,
}
MAX_LENGTH, STRIDE, LONGEST, SPANS = 96, 24, 12, 6


def slow_answers(folder: Path, question: str, passages: list[str], scores: list[float]) -> tuple[dict, float]:
    """{normalised answer: (probability, best (passage, start, end))} and the probability of no answer."""
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    mean = sum(scores) / len(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    spans = []
    for number, passage in enumerate(passages):
        windows = tokenizer(
            question,
            passage,
            truncation="only_second",
            padding="max_length",
            max_length=MAX_LENGTH,
            stride=STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        for window in range(len(windows["input_ids"])):
            fed = {n: windows[n][window : window + 1] for n in tokenizer.model_input_names}
            with torch.inference_mode():
                out = model(**fed)
            start, end = out.start_logits[0].tolist(), out.end_logits[0].tolist()
            sides, offsets = windows.sequence_ids(window), windows["offset_mapping"][window].tolist()
            found = []
            for a in range(MAX_LENGTH):
                for b in range(a, min(a + LONGEST, MAX_LENGTH)):
                    if sides[a] == 1 and sides[b] == 1:
                        found.append((start[a] + end[b], offsets[a][0], offsets[b][1]))
            found.sort(reverse=True)
            z = (scores[number] - mean) / spread
            extra = -0.6 * (start[0] + end[0]) + 0.8 * z - 0.3 * math.log(1 + number)
            spans += [(score + extra, number, *widen_to_words(passage, a, b)) for score, a, b in found[:SPANS]]
    spans = [span for span in spans if span[2] < span[3]]
    spans.sort(reverse=True)
    best: dict = {}
    for logit, number, a, b in spans[:64]:
        regions = best.setdefault(normalise_answer(passages[number][a:b]), {})
        regions.setdefault((number, a, b), logit)
    mass = {text: sum(math.exp(logit / 2.5) for logit in regions.values()) for text, regions in best.items()}
    none = math.exp(1.5 / 2.5)
    total = none + sum(mass.values())
    return {text: (mass[text] / total, next(iter(best[text]))) for text in best}, none / total


def reader(folder: Path, **settings) -> ExtractiveReader:
    return ExtractiveReader(
        str(folder),
        device="cpu",
        engine="torch",
        precision="fp32",
        max_seq_length=MAX_LENGTH,
        stride=STRIDE,
        max_answer_length=LONGEST,
        answers_per_seq=SPANS,
        overlap_threshold=None,
        top_k=100,
        calibration=WEIGHTS,
        **settings,
    )


def documents(passages: list[str] = PASSAGES, scores: list[float] = SCORES) -> list[Document]:
    return [Document(content=text, score=score) for text, score in zip(passages, scores, strict=True)]


def test_answers_are_those_of_the_slow_reference(folder: Path) -> None:
    expected, none = slow_answers(folder, QUESTION, PASSAGES, SCORES)
    answers = reader(folder).run(QUESTION, documents())["answers"]
    assert answers[-1].data is None and answers[-1].score == pytest.approx(none, abs=1e-4)
    ranked = sorted(expected, key=lambda text: -expected[text][0])
    assert normalise_answer(answers[0].data) == ranked[0]
    assert len(answers) == len(expected) + 1
    for answer in answers[:-1]:
        probability, (passage, start, end) = expected[normalise_answer(answer.data)]
        assert answer.score == pytest.approx(probability, abs=1e-4)
        assert answer.data == answer.document.content[answer.document_offset.start : answer.document_offset.end]
        if probability > 0.01:
            place = (answer.document.content, answer.document_offset.start, answer.document_offset.end)
            assert place == (PASSAGES[passage], start, end)


def test_one_question_or_many_give_the_same(folder: Path) -> None:
    loaded = reader(folder)
    requests = [(QUESTION, documents()), ("How tall is it?", documents()[2:]), ("Paris?", documents()[:1]), (" ", [])]
    together = loaded.read(requests)
    for (question, found), answers in zip(requests, together, strict=True):
        alone = loaded.run(question, found)["answers"]
        assert [answer.data for answer in alone] == [answer.data for answer in answers]
        assert [a.score for a in alone] == pytest.approx([answer.score for answer in answers], abs=1e-5)


def test_small_batches_give_the_same(reader_of: Callable[[str], Path]) -> None:
    loaded = reader(reader_of("bert"))
    whole = loaded.run(QUESTION, documents())["answers"]
    parts = loaded.run(QUESTION, documents(), max_batch_size=1)["answers"]
    assert [answer.data for answer in whole] == [answer.data for answer in parts]
    assert [answer.score for answer in whole] == pytest.approx([answer.score for answer in parts], abs=1e-5)
