import asyncio
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from haystack import Document, Pipeline
from hypothesis import given, settings
from hypothesis import strategies as st

from components.embedder import PassageEmbedder, QuestionEmbedder
from components.encoder import precision
from components.encoder.texts import PackedTextEncoder, SentenceTransformersEncoder, load_text_encoder
from components.models import MINILM, resolve_model

TEXTS = [
    "Who wrote it?",
    "",
    "   ",
    "The Normans gave their name to Normandy, a region in France. " * 40,
    "naïve café — 東京 😀 e\u0301 \u05e9\u05dc\u05d5\u05dd \x00 nul",
    "supercalifragilistic" * 30,
    "[MASK] [SEP] [CLS]",
]


@pytest.fixture(scope="module")
def passages() -> PassageEmbedder:
    embedder = PassageEmbedder(precision="fp32")
    embedder.warm_up()
    return embedder


@pytest.fixture(scope="module")
def questions() -> QuestionEmbedder:
    embedder = QuestionEmbedder()
    embedder.warm_up()
    return embedder


def embed(embedder: PassageEmbedder, texts: list[str]) -> np.ndarray:
    return np.array([d.embedding for d in embedder.run([Document(content=text) for text in texts])["documents"]])


@pytest.mark.slow
def test_equals_sentence_transformers(passages: PassageEmbedder, questions: QuestionEmbedder) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(resolve_model(MINILM)), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(embed(passages, TEXTS), reference, atol=1e-5)
    np.testing.assert_allclose(questions.run(TEXTS[0])["embedding"], reference[0], atol=1e-5)
    fallback = SentenceTransformersEncoder(resolve_model(MINILM), "cpu", True).encode(TEXTS)
    np.testing.assert_allclose(fallback.vectors, reference, atol=1e-5)
    assert fallback.truncated == load_text_encoder(resolve_model(MINILM)).encode(TEXTS).truncated


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=6))
def test_a_vector_does_not_depend_on_the_company(passages: PassageEmbedder, texts: list[str]) -> None:
    together = embed(passages, texts)
    assert together.shape[:1] == (len(texts),)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(embed(passages, [text])[0], vector, atol=1e-5)
        assert abs(np.linalg.norm(vector) - 1) < 1e-5


def test_what_the_window_cuts_is_reported(passages: PassageEmbedder) -> None:
    fits, cut = Document(content="word " * 254), Document(content="word " * 255)
    done = passages.run([cut, fits])
    assert done["truncated"] == [cut.id]
    np.testing.assert_allclose(done["documents"][0].embedding, done["documents"][1].embedding, atol=1e-6)


def test_megabytes_without_end_are_cut_before_the_tokenizer(passages: PassageEmbedder) -> None:
    done = passages.run([Document(content="?!." * 2_000_000)])
    assert len(done["truncated"]) == 1


def test_documents_keep_everything_else(passages: PassageEmbedder) -> None:
    given_ = [Document(content=f"text {n}", meta={"title": "T", "n": n}) for n in range(3)]
    done = passages.run(given_)["documents"]
    assert [d.id for d in done] == [d.id for d in given_]
    assert [d.meta for d in done] == [d.meta for d in given_]
    assert all(d.embedding is None for d in given_)


def test_fields_prefix_and_suffix_become_part_of_the_text(passages: PassageEmbedder) -> None:
    dressed = PassageEmbedder(
        precision="fp32", prefix="passage: ", suffix=".", meta_fields_to_embed=["title", "absent"]
    )
    document = Document(content="They came from Denmark", meta={"title": "Normans"})
    got = dressed.run([document])["documents"][0].embedding
    np.testing.assert_allclose(got, embed(passages, ["passage: Normans\nThey came from Denmark."])[0], atol=1e-6)


async def test_concurrent_questions_are_gathered(questions: QuestionEmbedder) -> None:
    asked = [f"Question {n}?" for n in range(50)]
    sizes: list[int] = []
    assert questions._encoder is not None
    encode = questions._encoder.encode

    def counting(texts: list[str]) -> object:
        sizes.append(len(texts))
        return encode(texts)

    questions._encoder.encode = counting  # type: ignore[method-assign, assignment]
    try:
        got = await asyncio.gather(*(questions.run_async(text) for text in asked))
    finally:
        questions._encoder.encode = encode  # type: ignore[method-assign]
        questions.close()
    assert len(sizes) < 10
    for text, answer in zip(asked[:5], got, strict=False):
        np.testing.assert_allclose(answer["embedding"], questions.run(text)["embedding"], atol=1e-5)


async def test_async_passages_are_the_same(passages: PassageEmbedder) -> None:
    done = await passages.run_async([Document(content="a")])
    np.testing.assert_allclose(done["documents"][0].embedding, embed(passages, ["a"])[0], atol=1e-6)


def test_wrong_kinds_are_refused(passages: PassageEmbedder, questions: QuestionEmbedder) -> None:
    with pytest.raises(TypeError, match="QuestionEmbedder"):
        passages.run("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="PassageEmbedder"):
        questions.run([Document(content="x")])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="precision 'int3'"):
        QuestionEmbedder(precision="int3").warm_up()


def test_nothing_gives_nothing(passages: PassageEmbedder) -> None:
    assert passages.run([]) == {"documents": [], "truncated": []}


def test_yaml_round_trip_keeps_every_setting() -> None:
    made = Pipeline()
    made.add_component("q", QuestionEmbedder(model="models/x", prefix="query: ", timeout=3.0, max_waiting=7))
    made.add_component("p", PassageEmbedder(suffix="!", meta_fields_to_embed=["title"], normalize_embeddings=False))
    again = Pipeline.loads(made.dumps(), allowed_modules=["components.*"])
    assert again.to_dict() == made.to_dict()
    assert made.to_dict()["components"]["q"]["init_parameters"]["timeout"] == 3.0


def test_cls_pooling_and_the_bare_transformer(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(resolve_model(MINILM), folder)
    settings_file = folder / "1_Pooling" / "config.json"
    pooling = json.loads(settings_file.read_text())
    pooling.update(pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    settings_file.write_text(json.dumps(pooling))
    encoder = load_text_encoder(folder)
    assert isinstance(encoder, PackedTextEncoder)
    assert encoder.pooling == "cls"
    (folder / "modules.json").unlink()
    bare = load_text_encoder(folder, normalize=False)
    assert isinstance(bare, PackedTextEncoder)
    assert bare.pooling == "mean"
    assert abs(np.linalg.norm(bare.encode(["one", "two"]).vectors, axis=1) - 1).max() > 0.01


def test_bf16_is_close() -> None:
    exact, rough = QuestionEmbedder(), QuestionEmbedder(precision="bf16")
    one, other = (torch.tensor(e.run("Who was the duke of Normandy?")["embedding"]) for e in (exact, rough))
    assert torch.dot(one, other) > 0.999


def test_precision_for_passages_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCERPT_CACHE", str(tmp_path))
    monkeypatch.setattr(precision, "_seconds", lambda encoder: 1.0 if encoder.dtype == torch.bfloat16 else 1.3)
    folder = resolve_model(MINILM)
    assert precision.faster_on_cpu(folder) == "bf16"

    def never(encoder: object) -> float:
        raise AssertionError("measured twice")

    monkeypatch.setattr(precision, "_seconds", never)
    made = load_text_encoder(folder, "cpu", many=True)
    assert isinstance(made, PackedTextEncoder) and made.encoder.dtype == torch.bfloat16
    one = load_text_encoder(folder, "cpu")
    assert isinstance(one, PackedTextEncoder) and one.encoder.dtype == torch.float32


def test_equal_passages_are_embedded_once(monkeypatch):
    embedder = PassageEmbedder()
    asked: list[str] = []
    real = embedder._vectors
    monkeypatch.setattr(embedder, "_vectors", lambda texts: (asked.extend(texts), real(texts))[1])
    documents = [Document(id=str(n), content=text) for n, text in enumerate(["a licence", "own words", "a licence"])]
    done = embedder.run(documents)["documents"]
    assert asked == ["a licence", "own words"]
    assert [document.id for document in done] == ["0", "1", "2"]
    assert done[0].embedding == done[2].embedding != done[1].embedding


def test_equal_passages_of_later_batches_are_not_embedded_again(monkeypatch):
    embedder = PassageEmbedder()
    asked: list[str] = []
    plain = embedder._vectors
    monkeypatch.setattr(embedder, "_vectors", lambda texts: (asked.extend(texts), plain(texts))[1])
    first = embedder.run([Document(content="The licence."), Document(content="a " * 600)])
    again = embedder.run(
        [Document(content="a " * 600), Document(content="Other words."), Document(content="The licence.")]
    )
    assert asked == ["The licence.", "a " * 600, "Other words."]
    assert again["documents"][2].embedding == first["documents"][0].embedding
    assert again["documents"][0].embedding == first["documents"][1].embedding
    assert again["truncated"] == [again["documents"][0].id]
