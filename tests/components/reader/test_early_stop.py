"""Early stop leaves passages unread only where the calibration says so, and then answers as the first passages do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from haystack import Document

from components.reader import ExtractiveReader
from components.reader.calibration_features import span_features
from components.reader.early_stop import FIRST_PASSAGES
from components.reader.request import Request

FOUND = [Document(content=f"The tower number {n} was built in {1800 + n} by Eiffel.", score=-n) for n in range(12)]


def reader(folder: Path, early_stop: str, **weights: float) -> ExtractiveReader:
    settings = {"device": "cpu", "engine": "torch", "precision": "fp32", "max_seq_length": 96, "stride": 16}
    return ExtractiveReader(str(folder), **settings, early_stop=early_stop, calibration=weights)


def counted(loaded: ExtractiveReader) -> list[int]:
    """How many windows each call of the engine gets."""
    calls: list[int] = []
    engine = loaded.span_reader.engine
    logits = engine.logits
    engine.logits = lambda batch: calls.append(len(batch)) or logits(batch)  # type: ignore[method-assign]
    return calls


def shown(answers: list) -> list[tuple]:
    return [(answer.data, round(answer.score, 4)) for answer in answers]


def test_where_the_best_span_is_good_enough_the_rest_stays_unread(reader_of: Callable[[str], Path]) -> None:
    stopping = reader(reader_of("bert"), "safe", stop_safe=-1e5)
    calls = counted(stopping)
    answers = stopping.run("Who?", FOUND)["answers"]
    assert calls == [FIRST_PASSAGES]
    first = reader(reader_of("bert"), "off").run("Who?", FOUND)["answers"]
    assert {answer.document.id for answer in answers[:-1]} <= {document.id for document in FOUND[:FIRST_PASSAGES]}
    assert len(first) >= len(answers)


@pytest.mark.parametrize("mode", ["safe", "aggressive"])
def test_where_it_is_not_everything_is_read(reader_of: Callable[[str], Path], mode: str) -> None:
    whole = reader(reader_of("bert"), "off").run("Who?", FOUND)["answers"]
    stopping = reader(reader_of("bert"), mode, **{f"stop_{mode}": 1e5})
    calls = counted(stopping)
    assert shown(stopping.run("Who?", FOUND)["answers"]) == shown(whole)
    assert calls == [FIRST_PASSAGES, len(FOUND) - FIRST_PASSAGES]


def test_where_nothing_may_stop_everything_is_read_at_once(reader_of: Callable[[str], Path]) -> None:
    stopping = reader(reader_of("bert"), "safe")
    calls = counted(stopping)
    stopping.run("Who?", FOUND)
    assert calls == [len(FOUND)]


def test_each_question_stops_for_itself(reader_of: Callable[[str], Path]) -> None:
    plain = reader(reader_of("bert"), "off")
    # No passage repeats the words of another: none is read for the sake of an answer's evidence.
    own = [Document(content=f"a{n}x{n} b{n}y{n} c{n}z{n} d{n}w{n}", score=-n) for n in range(12)]
    questions = [(f"Who built number {n}?", own[n:] + own[:n]) for n in range(6)]
    logits = []
    for spans in span_features(
        plain.span_reader, [Request(query, found) for query, found in questions], plain.read_settings
    ):
        logits.append(
            max(s.values[0] - 0.5 * s.values[1] + s.values[3] for s in spans if s.span.passage < FIRST_PASSAGES)
        )
    middle = sorted(logits)[3]
    stopping = reader(reader_of("bert"), "aggressive", stop_aggressive=middle - 1e-4)
    calls = counted(stopping)
    together = stopping.read(questions)
    stopped = [logit >= middle - 1e-4 for logit in logits]
    assert 0 < sum(stopped) < 6
    assert sum(calls) == 6 * FIRST_PASSAGES + (6 - sum(stopped)) * (len(own) - FIRST_PASSAGES)
    for answers, done, whole in zip(together, stopped, plain.read(questions), strict=True):
        if not done:
            assert shown(answers) == shown(whole)


def test_places_and_evidence_of_a_shown_answer_are_complete(reader_of: Callable[[str], Path]) -> None:
    """The passages that repeat the answer are read although the question is decided; the others stay unread."""
    stopping = reader(reader_of("bert"), "safe", stop_safe=-1e5)
    others = [Document(content=f"It is {n} metres tall; some went up.", score=-30.0 - n) for n in range(6)]
    best = stopping.run("Who?", [*FOUND[:FIRST_PASSAGES], *others], top_k=1)["answers"][0].data
    # Equal scores, so that the first passages say the same as before.
    holds = [Document(content=f"Here too stands {best}, they say, number {n}.", score=-30.0 - n) for n in range(2)]
    calls = counted(stopping)
    answers = stopping.run("Who?", [*FOUND[:FIRST_PASSAGES], *holds, *others[2:]], top_k=1)["answers"]
    assert calls == [FIRST_PASSAGES, len(holds)]
    whole = reader(reader_of("bert"), "off").run(
        "Who?", [*FOUND[:FIRST_PASSAGES], *holds, *others[2:]], top_k=100, overlap_threshold=None
    )["answers"]
    same = next(each for each in whole if each.data == answers[0].data)
    found, expected = ({place["document_id"] for place in each.meta["places"]} for each in (answers[0], same))
    assert found == expected
