"""The reader in Haystack: sockets, YAML, settings, and what its answers carry."""

import asyncio
import inspect
import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from haystack import Document, Pipeline
from haystack.utils import ComponentDevice, Secret

from components.reader import ExtractiveReader
from components.reader.request import SETTINGS, resolve_request

CHANGED: dict[str, Any] = {
    "model": "some/folder",
    "device": "cpu",
    "token": Secret.from_env_var("OTHER_TOKEN", strict=False),
    "top_k": 3,
    "score_threshold": 0.25,
    "max_seq_length": 200,
    "stride": 40,
    "max_batch_size": 7,
    "answers_per_seq": 5,
    "no_answer": False,
    "overlap_threshold": 0.5,
    "model_kwargs": {"attn_implementation": "eager"},
    "max_answer_length": 17,
    "max_query_length": 33,
    "engine": "torch",
    "precision": "fp32",
    "calibration": {"temperature": 3.0},
    "cache_bytes": 1000,
    "timeout": 7.0,
    "early_stop": "safe",
}


def test_every_setting_survives_yaml() -> None:
    names = set(inspect.signature(ExtractiveReader.__init__).parameters) - {"self"}
    assert names == set(CHANGED), "a new setting belongs into this test"
    defaults = ExtractiveReader()
    assert all(getattr(defaults, name) != value for name, value in CHANGED.items())
    pipeline = Pipeline()
    pipeline.add_component("reader", ExtractiveReader(**CHANGED))
    text = pipeline.dumps()
    assert "type: components.reader.ExtractiveReader" in text
    loaded = Pipeline.loads(text, allowed_modules=["components.*"]).get_component("reader")
    assert {name: getattr(loaded, name) for name in names} == CHANGED


def test_a_device_of_haystack_survives_yaml() -> None:
    pipeline = Pipeline()
    pipeline.add_component("reader", ExtractiveReader(device=ComponentDevice.from_str("cpu")))
    loaded = Pipeline.loads(pipeline.dumps(), allowed_modules=["components.*"]).get_component("reader")
    assert loaded.device == ComponentDevice.from_str("cpu")


def test_sockets_are_those_of_the_reader_it_replaces() -> None:
    theirs = pytest.importorskip("haystack_integrations.components.readers.transformers").TransformersExtractiveReader
    parameters, own = (inspect.signature(kind.run).parameters for kind in (theirs, ExtractiveReader))
    assert list(parameters) == list(own)
    assert [parameter.default for parameter in parameters.values()] == [parameter.default for parameter in own.values()]
    settings, mine = (set(inspect.signature(kind.__init__).parameters) for kind in (theirs, ExtractiveReader))
    assert settings - mine == {"calibration_factor"}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"top_k": -1}, "top_k"),
        ({"score_threshold": 1.5}, "score_threshold"),
        ({"overlap_threshold": -0.1}, "overlap_threshold"),
        ({"answers_per_seq": 0}, "spans_per_window"),
        ({"max_answer_length": 0}, "max_answer_length"),
        ({"early_stop": "sometimes"}, "early_stop"),
        ({"calibration": {"spam": 1.0}}, "spam"),
    ],
)
def test_settings_outside_what_is_allowed_are_named_at_once(settings: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ExtractiveReader(**settings)


@pytest.fixture
def reader(reader_of: Callable[[str], Path]) -> ExtractiveReader:
    return ExtractiveReader(
        str(reader_of("bert")), device="cpu", engine="torch", precision="fp32", max_seq_length=96, stride=16
    )


def test_zero_is_a_value(reader: ExtractiveReader) -> None:
    found = [Document(content="The tower was built in 1889 by Gustave Eiffel.")]
    assert [answer.data for answer in reader.run("Who?", found, top_k=0)["answers"]] == [None]
    assert len(reader.run("Who?", found, top_k=2, no_answer=False)["answers"]) == 2
    everything = reader.run("Who?", found, overlap_threshold=1.0, score_threshold=0.0)["answers"]
    assert len(everything) > len(reader.run("Who?", found, overlap_threshold=0.0)["answers"])
    assert [a.data for a in reader.run("Who?", found, score_threshold=1.0)["answers"]] == [None]


def test_answers_carry_their_place_in_the_file(reader: ExtractiveReader) -> None:
    text = "first page\fThe tower was built in 1889\fby Gustave Eiffel."
    meta = {"source_id": "s", "source_version": "v", "split_idx_start": 100, "page_number": 4, "file_path": "a.pdf"}
    answers = reader.run("Who?", [Document(content=text, meta=meta)])["answers"]
    assert len(answers) > 2
    for answer in answers[:-1]:
        start, end = answer.document_offset.start, answer.document_offset.end
        assert answer.data == text[start:end]
        assert answer.context[answer.context_offset.start : answer.context_offset.end] == answer.data
        assert answer.meta["answer_page_number"] == 4 + text[:start].count("\f")
        assert (answer.meta["start_in_file"], answer.meta["end_in_file"]) == (100 + start, 100 + end)
        assert answer.meta["places"][0] == {
            "document_id": answer.document.id,
            "source_id": "s",
            "file_path": "a.pdf",
            "page_number": answer.meta["answer_page_number"],
            "start": start,
            "end": end,
            "start_in_file": 100 + start,
            "end_in_file": 100 + end,
        }
    assert sum(answer.score for answer in answers) <= 1 + 1e-6


def test_copies_are_one_answer_in_two_places(reader: ExtractiveReader) -> None:
    text = "The tower was built in 1889 by Gustave Eiffel."
    metas = [{"source_id": name, "split_idx_start": 0, "file_path": name} for name in "ab"]
    twice = reader.run("Who?", [Document(content=text, meta=meta, score=1.0) for meta in metas])["answers"]
    once = reader.run("Who?", [Document(content=text, meta=metas[0], score=1.0)])["answers"]
    assert twice[0].data == once[0].data and twice[0].score == pytest.approx(once[0].score)
    assert [place["file_path"] for place in twice[0].meta["places"]] == ["a", "b"]


def test_overlapping_passages_hold_an_answer_once(reader: ExtractiveReader) -> None:
    text = "Here it stands. The tower was built in 1889 by Gustave Eiffel. It is tall."
    cuts = [(0, 62), (16, len(text))]
    found = [
        Document(content=text[a:b], meta={"source_id": "s", "split_idx_start": a, "file_path": "f"}) for a, b in cuts
    ]
    for answer in reader.run("Who?", found)["answers"][:-1]:
        stretches = sorted((place["start_in_file"], place["end_in_file"]) for place in answer.meta["places"])
        assert all(first[1] <= second[0] for first, second in pairwise(stretches))


def test_documents_without_text_are_skipped_by_id(reader: ExtractiveReader, caplog: pytest.LogCaptureFixture) -> None:
    found = [Document(content=None), Document(content=""), Document(content="\x00"), Document(content="Paris.")]
    with caplog.at_level(logging.WARNING):
        answers = reader.run("Where is my secret?", found)["answers"]
    assert answers[0].data.startswith("Paris")
    assert found[0].id in caplog.text and "secret" not in caplog.text


def test_no_document_is_no_answer(reader: ExtractiveReader) -> None:
    (answer,) = reader.run("Who?", [])["answers"]
    assert answer.data is None and answer.score == 1.0 and answer.meta["abstain"]


def test_the_folder_s_calibration_is_used(reader_of: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(reader_of("bert"), tmp_path / "reader"))
    (folder / "calibration.json").write_text('{"weights": {"no_answer": 500.0}}')
    settings = {"device": "cpu", "engine": "torch", "precision": "fp32", "max_seq_length": 96, "stride": 16}
    found = [Document(content="The tower was built in 1889 by Gustave Eiffel.")]
    assert ExtractiveReader(str(folder), **settings).run("Who?", found)["answers"][-1].score == pytest.approx(1.0)
    own = ExtractiveReader(str(folder), calibration={"no_answer": -500.0}, **settings)
    assert own.run("Who?", found)["answers"][-1].score == pytest.approx(0.0)


def test_a_single_passage_has_weights_of_its_own(reader_of: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(reader_of("bert"), tmp_path / "reader"))
    (folder / "calibration.json").write_text(
        '{"weights": {"no_answer": -500.0}, "weights_alone": {"no_answer": 500.0}}'
    )
    settings = {"device": "cpu", "engine": "torch", "precision": "fp32", "max_seq_length": 96, "stride": 16}
    reader = ExtractiveReader(str(folder), **settings)
    found = [Document(content="The tower was built in 1889."), Document(content="It is 330 metres tall.")]
    one, both = reader.read([("Who?", found[:1]), ("Who?", found)])
    assert one[-1].score == pytest.approx(1.0) and both[-1].score == pytest.approx(0.0)


def test_windows_longer_than_the_model_reads_are_refused(reader_of: Callable[[str], Path]) -> None:
    long = ExtractiveReader(str(reader_of("bert")), device="cpu", engine="torch", precision="fp32", max_seq_length=512)
    with pytest.raises(ValueError, match="max_seq_length=512"):
        long.run("Who?", [Document(content="The tower.")])


async def test_questions_asked_at_the_same_time_get_their_own_answers(reader: ExtractiveReader) -> None:
    texts = [f"The tower number {number} was built in {1800 + number} by Eiffel." for number in range(12)]
    asked = [(f"When was {number} built?", [Document(content=text)]) for number, text in enumerate(texts)]
    together = await asyncio.gather(*(reader.run_async(query, found) for query, found in asked))
    reader.close()
    for (query, found), result in zip(asked, together, strict=True):
        alone = reader.run(query, found)["answers"]
        assert [answer.data for answer in result["answers"]] == [answer.data for answer in alone]
        assert [a.score for a in result["answers"]] == pytest.approx([a.score for a in alone], abs=1e-5)
        assert {answer.query for answer in result["answers"]} == {query}


async def test_questions_asked_at_the_same_time_are_read_together(reader: ExtractiveReader) -> None:
    sizes: list[int] = []
    answer = reader.span_reader.answer
    reader.span_reader.answer = lambda requests: sizes.append(len(requests)) or answer(requests)  # type: ignore[method-assign]
    found = [Document(content="The tower was built in 1889.")]
    await asyncio.gather(*(reader.run_async("Who?", found) for _ in range(20)))
    reader.close()
    assert sum(sizes) == 20 and len(sizes) < 20


async def test_a_bad_request_fails_alone(reader: ExtractiveReader) -> None:
    found = [Document(content="The tower was built in 1889.")]
    good, bad = await asyncio.gather(
        reader.run_async("Who?", found), reader.run_async("Who?", found, max_seq_length=4000), return_exceptions=True
    )
    reader.close()
    assert good["answers"] and isinstance(bad, ValueError) and "max_seq_length=4000" in str(bad)
    with pytest.raises(ValueError, match="top_k"):
        await reader.run_async("Who?", found, top_k=-1)


def test_both_ways_to_run_have_the_same_sockets() -> None:
    assert inspect.signature(ExtractiveReader.run) == inspect.signature(ExtractiveReader.run_async)


def test_an_override_that_is_no_setting_is_refused_by_name() -> None:
    settings = dict.fromkeys(SETTINGS, 1)
    with pytest.raises(ValueError, match=r"no settings topk.*top_k"):
        resolve_request("Who?", [], settings, {"topk": 3})
