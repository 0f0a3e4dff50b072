"""Where the reader's time goes, how it grows, and what memory it takes."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haystack import Document

from benchmarks.common.stopwatch import timed
from benchmarks.reader.work import PASSAGES, Task


def breakdown(model: Path, device: str, tasks: Sequence[Task]) -> dict[str, float]:
    """
    Milliseconds a question, one at a time, by part: tokenise (passages seen for the first time), join into windows,
    encode, find spans, and the rest (Python, building answers). And the encoder's work: tokens/s, GFLOP/s.
    """
    from components.reader import ExtractiveReader, reader_core

    reader = ExtractiveReader(model=str(model), device=device, top_k=1)
    loaded = reader.span_reader
    spent: dict[str, float] = {}
    tokens = attended = 0
    plain = loaded.engine.logits

    def counted(batch: Any) -> Any:
        nonlocal tokens, attended
        tokens += int(batch.lengths.sum())
        attended += int((batch.lengths.astype("int64") ** 2).sum())
        return plain(batch)

    with (
        timed(loaded.cache, "encode", "tokenise", spent),
        timed(reader_core, "cut_windows", "windows", spent),
        timed(loaded, "score", "encode and spans", spent),
    ):
        began = time.perf_counter()
        for task in tasks:
            reader.run(query=task.question, documents=list(task.documents))
        fresh = time.perf_counter() - began
        first = spent.pop("tokenise")
        spent.clear()
        loaded.engine.logits = counted  # type: ignore[method-assign]
        with timed(loaded.engine, "logits", "encode", spent):
            began = time.perf_counter()
            for task in tasks:
                reader.run(query=task.question, documents=list(task.documents))
            warm = time.perf_counter() - began
        loaded.engine.logits = plain  # type: ignore[method-assign]
    each = 1000 / len(tasks)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    flops = encoder_flops(config, tokens, attended)
    return {
        "whole, passages seen before": round(warm * each, 2),
        "whole, passages new": round(fresh * each, 2),
        "tokenise, passages new": round(first * each, 2),
        "tokenise, passages seen before": round(spent["tokenise"] * each, 2),
        "windows": round(spent["windows"] * each, 2),
        "encode": round(spent["encode"] * each, 2),
        "spans": round((spent["encode and spans"] - spent["encode"]) * each, 2),
        "rest": round((warm - spent["tokenise"] - spent["windows"] - spent["encode and spans"]) * each, 2),
        "tokens a second in the encoder": round(tokens / spent["encode"]),
        "GFLOP/s in the encoder": round(flops / spent["encode"] / 1e9, 1),
    }


def encoder_flops(config: dict[str, Any], tokens: int, attended: int) -> float:
    """Multiplications and additions of a BERT-like encoder; `attended` is the sum of squared sequence lengths."""
    layers = config.get("num_hidden_layers") or config["n_layers"]
    width = config.get("hidden_size") or config["dim"]
    inner = config.get("intermediate_size") or config["hidden_dim"]
    return float(layers * (2 * tokens * (4 * width * width + 2 * width * inner) + 4 * attended * width))


def growth(model: Path, device: str, tasks: Sequence[Task]) -> dict[str, dict[str, float]]:
    """Milliseconds by number of passages, by tokens of a window, and a question by questions at once."""
    from components.reader import ExtractiveReader

    pool = [document for task in tasks for document in task.documents]
    reader = ExtractiveReader(model=str(model), device=device, top_k=1)
    question = tasks[0].question
    passages = {
        str(count): _best_ms(lambda count=count: reader.run(query=question, documents=pool[:count]))  # type: ignore[misc]
        for count in (1, 5, 20, 50, 100, 200)
        if count <= len(pool)
    }
    words = " ".join(document.content or "" for document in pool).split()
    long = [Document(content=" ".join(words[start : start + 330])) for start in range(0, PASSAGES * 330, 330)]
    lengths = {
        str(length): _best_ms(
            lambda length=length: reader.run(query=question, documents=long, max_seq_length=length, stride=32)  # type: ignore[misc]
        )
        for length in (96, 128, 192, 256, 384)
    }
    at_once = {}
    for count in (1, 4, 16, 32):
        requests = [(task.question, task.documents) for task in tasks[:count]]
        at_once[str(count)] = round(_best_ms(lambda requests=requests: reader.read(requests)) / count, 2)  # type: ignore[misc]
    return {"ms by passages": passages, "ms by window tokens": lengths, "ms a question by questions at once": at_once}


def memory(model: str, device: str) -> float:
    """Megabytes that 1,000 passages to one question take beyond the loaded and used reader; in a fresh process."""
    code = f"""
import random, re
from haystack import Document
from components.reader import ExtractiveReader
rng = random.Random(0)
words = [chr(97 + i % 26) + "ord" + str(i) for i in range(5000)] + ["the", "of", "river", "house", "in"] * 3000
texts = [" ".join(rng.choices(words, k=110)) for _ in range(1000)]
reader = ExtractiveReader(model={model!r}, device={device!r}, top_k=1)
reader.run(query="Where is the house?", documents=[Document(content=texts[0])] * 2)
def used(what):
    if {device!r} == "cuda":
        import torch
        return torch.cuda.max_memory_allocated() / 2**20
    return int(re.search(what + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before = used("VmRSS")
if {device!r} == "cpu":
    open("/proc/self/clear_refs", "w").write("5")  # the peak counts from here: loading reached a higher one
reader.run(query="Where is the house?", documents=[Document(content=text) for text in texts])
print(used("VmHWM") - before)
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return round(float(run.stdout.split()[-1]), 1)


def plot(cost: dict[str, Any], out: Path) -> None:
    """One picture of each way the cost grows, and of where the time goes, beside the JSON."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 4, figsize=(17, 3.8), layout="constrained")
    names = [name for name in cost if name.startswith("ms ")]
    for axis, name in zip(axes, names, strict=False):
        axis.plot([int(count) for count in cost[name]], list(cost[name].values()), marker="o")
        axis.set(xlabel=name.partition(" by ")[2], ylabel=name.partition(" by ")[0])
        axis.set_ylim(bottom=0)
    parts = ("tokenise, passages seen before", "windows", "encode", "spans", "rest")
    axes[-1].barh([part.partition(",")[0] for part in parts], [cost["where"][part] for part in parts])
    axes[-1].set(xlabel="ms a question of 20 passages")
    axes[-1].invert_yaxis()
    figure.savefig(out.with_suffix(".png"), dpi=110)
    pyplot.close(figure)


def _best_ms(work: Any) -> float:
    work()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(min(times) * 1000, 2)
