"""
What only a GPU can show, ready for when one is there; and what of its code can be checked without.

    python -m pytest tests/components/reader/engines/test_cuda.py -q
"""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from haystack import Document

from components.embedder import PassageEmbedder
from components.encoder import attention
from components.encoder.ragged import Ragged
from components.reader import ExtractiveReader
from components.reader.engines.benchmark import best_spans
from components.reader.engines.selection import load_engine

ROOT = Path(__file__).resolve().parents[4]
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def slow_varlen(query, key, value, offsets, offsets_k, longest, longest_k, *, scale):
    """What FlashAttention's variable-length kernel is to compute, a sequence at a time."""
    assert offsets.dtype == offsets_k.dtype == torch.int32 and longest == longest_k
    assert int(offsets.diff().max()) == longest and int(offsets[-1]) == len(query)
    out = torch.empty_like(query)
    for a, b in zip(offsets.tolist(), offsets.tolist()[1:], strict=False):
        scores = torch.einsum("ihd,jhd->hij", query[a:b].float(), key[a:b].float()) * scale
        out[a:b] = torch.einsum("hij,jhd->ihd", scores.softmax(-1), value[a:b].float()).to(out.dtype)
    return out


@pytest.mark.parametrize("lengths", [[7], [9, 9, 3, 1], [40, 0, 12]])
def test_the_kernel_is_given_what_it_wants(lengths: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes, kinds and borders, on the CPU with a slow stand-in for the kernel."""
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    assert list(inspect.signature(varlen.varlen_attn).parameters)[:7] == [
        "query", "key", "value", "cu_seq_q", "cu_seq_k", "max_q", "max_k",
    ]  # fmt: skip
    assert "scale" in inspect.signature(varlen.varlen_attn).parameters
    monkeypatch.setattr(varlen, "varlen_attn", slow_varlen)
    torch.manual_seed(0)
    batch = Ragged.of([[1] * length for length in lengths])
    qkv = torch.randn(batch.total, 3 * 32)
    where = attention.layout(batch, torch.device("cpu"))
    wanted = attention.packed_attention(qkv, 4, where)
    got = attention._varlen(qkv.view(batch.total, 3, 4, 8), where)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


@on_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_the_gpu_finds_the_spans_that_fp32_finds(precision: str, bundled: Path, windows: Ragged) -> None:
    exact = best_spans(load_engine(bundled, "torch", "fp32", "cpu"), windows)
    assert np.mean(best_spans(load_engine(bundled, "torch", precision, "cuda"), windows) == exact) >= 0.99


@on_gpu
def test_a_sequence_s_logits_do_not_depend_on_its_company_on_a_gpu(bundled: Path, windows: Ragged) -> None:
    engine = load_engine(bundled, "torch", "bf16", "cuda")
    together = torch.stack(engine.logits(windows))[:, : int(windows.starts[3])]
    alone = torch.stack(engine.logits(windows.take(np.arange(3))))
    torch.testing.assert_close(together, alone, atol=0.1, rtol=0)


@on_gpu
def test_passages_are_embedded_alike_on_a_gpu() -> None:
    texts = [Document(content="The Normans gave their name to Normandy. " * count) for count in (1, 9, 30)]
    ours, theirs = (PassageEmbedder(device=device).run(texts)["documents"] for device in ("cuda", "cpu"))
    for one, other in zip(ours, theirs, strict=True):
        assert np.dot(one.embedding, other.embedding) > 0.999


@on_gpu
def test_a_batch_that_the_gpu_cannot_hold_is_read_in_halves(bundled: Path) -> None:
    reader = ExtractiveReader(str(bundled), device="cuda", precision="bf16", engine="torch")
    texts = [Document(content=f"It was built in {1000 + n}. " * 90) for n in range(400)]
    whole = reader.run("When was it built?", texts, top_k=1)["answers"][0]
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info()
    held = torch.empty(max(free - 300 * 2**20, 0), dtype=torch.uint8, device="cuda")
    torch.cuda.set_per_process_memory_fraction((total - free + held.numel() + 300 * 2**20) / total)
    try:
        assert reader.run("When was it built?", texts, top_k=1)["answers"][0].data == whole.data
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        del held  # kept by torch until asked for: other processes, the next test's among them, would find none
        torch.cuda.empty_cache()


@on_gpu
def test_after_an_error_that_stays_every_question_says_to_restart(bundled: Path) -> None:
    """In a process of its own: CUDA forgives it to no other question of this one."""
    code = f"""
import torch
from haystack import Document
from components.reader import ExtractiveReader
from components.reader.recovery import DeviceLost
reader = ExtractiveReader({str(bundled)!r}, device="cuda", engine="torch", precision="bf16")
found = [Document(content="It was built in 1889.")]
reader.run("When?", found)
try:
    torch.zeros(3, device="cuda")[torch.tensor([7], device="cuda")]
    torch.cuda.synchronize()
except RuntimeError:
    pass
for _ in range(2):
    try:
        reader.run("When?", found)
    except DeviceLost as error:
        assert "restart this process" in str(error)
    else:
        raise SystemExit("answered by a lost device")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=ROOT)
