"""The packed encoder against transformers' own models, fed one sequence at a time: the slow, obvious reference."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from components.encoder import attention
from components.encoder.checkpoint import read_checkpoint
from components.encoder.encoder import PackedEncoder
from components.encoder.families import UnsupportedModel, read_config
from components.encoder.heads import pooled, span_logits
from components.encoder.linear import OneDnnLinear, PlainLinear
from components.encoder.ragged import Ragged

FAMILIES = ("bert", "electra", "roberta", "xlm-roberta", "camembert", "distilbert")
Tiny = Callable[..., tuple[Path, Any]]


def batch_of(lengths: list[int], seed: int = 0) -> Ragged:
    rng = np.random.default_rng(seed)
    ids = [rng.integers(5, 120, length) for length in lengths]
    return Ragged.of(ids, [(np.arange(length) >= length // 3).astype(int) for length in lengths])


@torch.inference_mode()
def reference(model: Any, batch: Ragged, family: str) -> torch.Tensor:
    rows = []
    for a, b in zip(batch.starts, batch.starts[1:], strict=False):
        if a == b:
            continue
        feed = {"input_ids": torch.from_numpy(batch.ids[a:b]).long()[None]}
        if family in ("bert", "electra"):
            feed["token_type_ids"] = torch.from_numpy(batch.types[a:b]).long()[None]
        out = model(**feed)
        rows.append(torch.stack([out.start_logits[0], out.end_logits[0]]))
    return torch.cat(rows, 1) if rows else torch.zeros(2, 0)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=12, deadline=None)
@given(lengths=st.lists(st.integers(0, 64), max_size=8), budget=st.integers(1, 200))
def test_equals_transformers_one_at_a_time(tiny_model: Tiny, family: str, lengths: list[int], budget: int) -> None:
    folder, model = tiny_model(family)
    batch = batch_of(lengths)
    start, end = span_logits(PackedEncoder.load(folder), batch, budget)
    np.testing.assert_allclose(torch.stack([start, end]), reference(model, batch, family), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "gelu_new", "gelu_pytorch_tanh"])
def test_other_activations(tiny_model: Tiny, activation: str) -> None:
    folder, model = tiny_model("bert", hidden_act=activation)
    batch = batch_of([9, 20])
    got = torch.stack(span_logits(PackedEncoder.load(folder), batch, 100))
    np.testing.assert_allclose(got, reference(model, batch, "bert"), atol=1e-5, rtol=1e-5)


def test_a_spelled_out_padding_token_gets_robertas_positions(tiny_model: Tiny) -> None:
    folder, model = tiny_model("roberta")
    batch = Ragged.of([[0, 9, 1, 7, 1, 1, 8, 2], [0, 5, 2]])
    got = torch.stack(span_logits(PackedEncoder.load(folder), batch, 100))
    np.testing.assert_allclose(got, reference(model, batch, "roberta"), atol=1e-5, rtol=1e-5)


def test_a_thousand_tiny_sequences(tiny_model: Tiny) -> None:
    folder, model = tiny_model("bert")
    batch = batch_of([1 + n % 3 for n in range(1000)])
    got = torch.stack(span_logits(PackedEncoder.load(folder), batch, 500))
    np.testing.assert_allclose(got, reference(model, batch, "bert"), atol=1e-5, rtol=1e-5)


def test_bf16_is_close(tiny_model: Tiny) -> None:
    folder, _ = tiny_model("bert")
    batch = batch_of([3, 3, 40, 64, 17])
    exact = torch.stack(span_logits(PackedEncoder.load(folder), batch, 500))
    rough = torch.stack(span_logits(PackedEncoder.load(folder, dtype=torch.bfloat16), batch, 500))
    assert (exact - rough).abs().max() < 0.1
    assert rough.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_attention_never_looks_into_a_neighbour(dtype: torch.dtype, lengths: list[int]) -> None:
    torch.manual_seed(1)
    batch = batch_of(lengths)
    qkv = torch.randn(batch.total, 3 * 16, dtype=dtype)
    qkv[:, :16] *= 0.5  # the scale, which comes with the weights
    got = attention.packed_attention(qkv, 4, attention.layout(batch, torch.device("cpu"))).float()
    for a, b in zip(batch.starts, batch.starts[1:], strict=False):
        query, key, value = qkv[a:b].float().view(-1, 3, 4, 4).permute(1, 2, 0, 3)
        alone = torch.softmax(query @ key.transpose(1, 2), -1) @ value
        np.testing.assert_allclose(
            got[a:b], alone.transpose(0, 1).flatten(1), atol=1e-5 if dtype == torch.float32 else 0.03
        )


def test_one_sequence_beyond_the_range_changes_no_other() -> None:
    torch.manual_seed(2)
    batch = batch_of([5, 7, 7, 40])
    qkv = torch.randn(batch.total, 48)
    alone = attention.packed_attention(qkv.bfloat16(), 4, attention.layout(batch, torch.device("cpu")))
    qkv[12:19, :32] = 30.0  # the third sequence
    got = attention.packed_attention(qkv.bfloat16(), 4, attention.layout(batch, torch.device("cpu")))
    assert torch.equal(got[:12], alone[:12])
    assert torch.equal(got[19:], alone[19:])
    values = qkv[12:19, 32:].bfloat16().float()
    np.testing.assert_allclose(got[12:19].float(), values.mean(0).expand(7, 16), atol=0.02)


@pytest.mark.parametrize("size", [-3.0, 3.0])
def test_scores_beyond_the_floating_point_range_do_no_harm(size: float) -> None:
    batch = batch_of([7, 7])
    qkv = torch.randn(batch.total, 48)
    qkv[:, :32] = 30.0  # all scores are 3,600, or less than zero by as much: the mean of the values comes out
    qkv[:, :16] *= size / 3.0
    where = attention.layout(batch, torch.device("cpu"))
    exact = attention.packed_attention(qkv.bfloat16().float(), 4, where)
    np.testing.assert_allclose(attention.packed_attention(qkv.bfloat16(), 4, where).float(), exact, atol=0.05)


@pytest.mark.parametrize("activation", [None, "relu", "gelu", "gelu_tanh"])
def test_onednn_layers_equal_torchs(activation: str | None) -> None:
    torch.manual_seed(0)
    x, weight, bias, residual = torch.randn(33, 24), torch.randn(40, 24), torch.randn(40), torch.randn(33, 40)
    plain, onednn = PlainLinear(weight, bias, activation), OneDnnLinear(weight, bias, activation)
    torch.testing.assert_close(onednn(x), plain(x), atol=1e-5, rtol=1e-5)
    if activation is None:
        torch.testing.assert_close(onednn(x, residual), plain(x, residual), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("how", ["mean", "cls"])
def test_pooling(tiny_model: Tiny, how: str) -> None:
    folder, _ = tiny_model("bert")
    encoder, batch = PackedEncoder.load(folder), batch_of([4, 0, 9, 1])
    hidden = encoder(batch)
    got = pooled(encoder, batch, 10, how, normalize=False)  # type: ignore[arg-type]
    for row, (a, b) in enumerate(zip(batch.starts, batch.starts[1:], strict=False)):
        if a == b:
            assert not got[row].any()
        else:
            torch.testing.assert_close(got[row], hidden[a:b].mean(0) if how == "mean" else hidden[a], atol=1e-5, rtol=0)
    unit = pooled(encoder, batch, 10, how)  # type: ignore[arg-type]
    torch.testing.assert_close(unit[[0, 2, 3]].norm(dim=1), torch.ones(3))


def test_bad_input_is_named(tiny_model: Tiny) -> None:
    encoder = PackedEncoder.load(tiny_model("roberta")[0])
    assert encoder.config.max_length == 64
    with pytest.raises(ValueError, match="at most 64"):
        encoder(batch_of([65]))
    with pytest.raises(ValueError, match="0 to 119"):
        encoder(Ragged.of([[3, 120]]))


def test_a_model_without_spans_says_so(tiny_model: Tiny, tmp_path: Path) -> None:
    _, model = tiny_model("bert")
    model.bert.save_pretrained(tmp_path)  # no prefix in the names either
    encoder = PackedEncoder.load(tmp_path)
    with pytest.raises(ValueError, match="qa_outputs"):
        span_logits(encoder, batch_of([3]), 10)


def test_sharded_and_old_style_checkpoints(tiny_model: Tiny, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder, model = tiny_model("bert")
    model.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1
    shutil.copytree(folder, tmp_path / "old")
    tensors = load_file(folder / "model.safetensors")
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in tensors.items()
    }
    save_file(renamed, tmp_path / "old" / "model.safetensors")
    wanted = read_checkpoint(folder).tensors
    for other in ("shards", "old"):
        got = read_checkpoint(tmp_path / other).tensors
        assert got.keys() == wanted.keys()
        assert all(torch.equal(got[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "deberta-v2"}, "deberta-v2"),
        ({"position_embedding_type": "relative_key"}, "relative_key"),
        ({"hidden_act": "swish"}, "swish"),
        ({"is_decoder": True}, "is_decoder"),
    ],
)
def test_what_would_compute_something_else_is_refused(tiny_model: Tiny, change: dict, said: str) -> None:
    raw = json.loads((tiny_model("bert")[0] / "config.json").read_text())
    with pytest.raises(UnsupportedModel, match=said):
        read_config({**raw, **change})
